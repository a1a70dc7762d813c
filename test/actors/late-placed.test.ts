/**
 * @module The local-first transport: what begins here, what goes by placement, and how long a call of Dapr counts; over a host, a far
 * transport and a clock that the test controls.
 */
import { describe, expect, test } from "vitest";
import { type BeginningHost, PlacedHost, Placement, ShortTransport } from "../../actors/host/local-first-transport.ts";
import type { Transport } from "../../actors/engine/ports.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Address, Message, TurnAnswer } from "../../runtime/protocol.ts";
import type { Body } from "../../runtime/protocol/bodies.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { HandClock } from "./engine-rig.ts";

const DOER: Address = { type: "sys.Doer", id: "p" };
const STRANGER: Address = { type: "sys.Stranger", id: "p" };
const TRUST_MS = LIMITS.placementTrustMs;

interface Rig {
  readonly clock: HandClock;
  readonly placed: PlacedHost;
  readonly placement: Placement;
  readonly short: ShortTransport;
  /** Where everything went, as `here receive m` or `far publish m`. */
  readonly went: string[];
  /** What the host here does with a message. */
  receive: (message: Message) => Promise<TurnAnswer>;
  /** Processes whose ids were made here. */
  readonly made: Set<string>;
  /** No other host lives. */
  isAlone: boolean;
}

function rigOf(): Rig {
  const clock = new HandClock();
  const went: string[] = [];
  const receipt = (message: Message): TurnAnswer => ({ receipt: { messageId: message.id, sequence: 1 } });
  const host: BeginningHost = {
    types: ["sys.ProcessManager", "sys.Doer"],
    receive: (message) => {
      went.push(`here receive ${message.id}`);
      return rig.receive(message);
    },
    begin: (message) => {
      went.push(`here begin ${message.id}`);
      return rig.receive(message);
    },
    tick: async (actor, name) => void went.push(`here tick ${actor.id} ${name}`),
    nudge: async (actor) => {
      went.push(`here nudge ${actor.id}`);
      return { phase: "open" };
    },
    heartbeat: (actor, beat) => void went.push(`here heartbeat ${actor.id} ${beat.workId}`),
    inspect: async (actor) => {
      went.push(`here inspect ${actor.id}`);
      return "here";
    },
    deactivate: (actor) => void went.push(`here deactivate ${actor.id}`),
    isNew: (actor) => rig.made.has(actor.id),
    get isAlone() {
      return rig.isAlone;
    },
  };
  const far: Transport = {
    publish: async (topic, message) => void went.push(`far publish ${topic} ${message.id}`),
    deliver: async (message) => {
      went.push(`far deliver ${message.id}`);
      return receipt(message);
    },
    heartbeat: async (actor, beat) => void went.push(`far heartbeat ${actor.id} ${beat.workId}`),
    inspect: async (actor) => {
      went.push(`far inspect ${actor.id}`);
      return "far";
    },
    nudge: async (actor) => {
      went.push(`far nudge ${actor.id}`);
      return { phase: "open" };
    },
    notification: async (topic, id) => void went.push(`far notification ${topic} ${id}`),
  };
  const placement = new Placement(clock);
  const rig: Rig = {
    clock,
    went,
    placement,
    placed: new PlacedHost(host, placement),
    short: new ShortTransport(far, placement, () => host),
    receive: async (message) => receipt(message),
    made: new Set(),
    isAlone: false,
  };
  return rig;
}

function message(id: string, to: Address, body: Body): Message {
  return {
    v: 1,
    id,
    to,
    from: "sys.ProcessManager/p",
    processId: "p",
    createdAtMs: 1,
    expiresAtMs: 2,
    hop: 0,
    principal: { ...ANONYMOUS, permissions: [] },
    trace: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
    body,
  };
}

const work = (first?: boolean): Body => ({
  kind: "work",
  workId: "w",
  attempt: 1,
  agent: "Doer",
  version: 1,
  input: { json: 1 },
  retainUntilMs: 3,
  ancestors: [],
  ...(first === undefined ? {} : { first }),
});
const undo: Body = { kind: "undo", workId: "w", undoId: "w/undo", attempt: 1, agent: "Doer", retainUntilMs: 3 };

describe("what is published", () => {
  test("the first work of an agent that is hosted here begins here", async () => {
    const { short, went } = rigOf();
    await short.publish("sys.agent.Doer", message("m", DOER, work(true)));
    expect(went).toEqual(["here begin m"]);
  });

  test.each<[string, Address, Body]>([
    ["the first work of an agent that is not hosted here", STRANGER, work(true)],
    ["a further work", DOER, work()],
    ["a work that says that it is not the first", DOER, work(false)],
    ["a compensation", DOER, undo],
    ["a message to a process", { type: "sys.ProcessManager", id: "p" }, { kind: "cancel", reason: "enough" }],
  ])("%s goes to the broker", async (_what, to, body) => {
    const { short, went } = rigOf();
    await short.publish("sys.topic", message("m", to, body));
    expect(went).toEqual(["far publish sys.topic m"]);
  });

  test("a message for an actor that Dapr called here stays here", async () => {
    const { short, placed, went } = rigOf();
    await placed.tick(DOER, "run-1");
    await short.publish("sys.agent.Doer", message("m", DOER, work()));
    await short.publish("sys.agent.Doer", message("u", DOER, undo));
    expect(went).toEqual(["here tick p run-1", "here begin m", "here begin u"]);
  });

  test("the sender waits for no turn, and a failing turn does not fail the sender: it retries", async () => {
    const rig = rigOf();
    rig.receive = () => new Promise(() => {});
    await rig.short.publish("sys.agent.Doer", message("m", DOER, work(true)));
    rig.receive = () => Promise.reject(new Error("the store is silent"));
    await rig.short.publish("sys.agent.Doer", message("n", DOER, work(true)));
    expect(rig.went).toEqual(["here begin m", "here begin n"]);
  });

  test("a begin is not a placement: later messages go by placement until Dapr calls", async () => {
    const { short, went } = rigOf();
    await short.publish("sys.agent.Doer", message("m", DOER, work(true)));
    await short.deliver(message("m", DOER, work(true)));
    await short.publish("sys.agent.Doer", message("n", DOER, work()));
    expect(went).toEqual(["here begin m", "far deliver m", "far publish sys.agent.Doer n"]);
  });
});

describe("what the broker brought", () => {
  test("begins here when it is the first work item of an agent here, and goes by placement otherwise", async () => {
    const { short, went } = rigOf();
    expect(await short.brought(message("m", DOER, work(true)))).toEqual({ receipt: { messageId: "m", sequence: 1 } });
    await short.brought(message("n", DOER, work()));
    await short.brought(message("s", STRANGER, work(true)));
    expect(went).toEqual(["here receive m", "far deliver n", "far deliver s"]);
  });
});

describe("what is delivered", () => {
  test("a repeated request goes by placement, also when it is the first work item of an agent here", async () => {
    const { short, went } = rigOf();
    expect(await short.deliver(message("m", DOER, work(true)))).toEqual({ receipt: { messageId: "m", sequence: 1 } });
    expect(went).toEqual(["far deliver m"]);
  });

  test.each<[string, (placed: PlacedHost) => unknown]>([
    ["a message", (placed) => placed.receive(message("d", DOER, undo))],
    ["a tick", (placed) => placed.tick(DOER, "run-1")],
    ["a nudge", (placed) => placed.nudge(DOER, undefined)],
    ["a look", (placed) => placed.inspect(DOER)],
  ])("%s of Dapr's keeps the actor here for placementTrustMs, and each further one anew", async (_what, called) => {
    const { short, placed, went, clock } = rigOf();
    await called(placed);
    await clock.advance(TRUST_MS - 1);
    went.length = 0;
    await short.deliver(message("m", DOER, undo));
    await clock.advance(1);
    await short.deliver(message("n", DOER, undo));
    expect(went).toEqual(["here receive m", "far deliver n"]);
    await called(placed);
    await short.deliver(message("o", DOER, undo));
    expect(went.at(-1)).toBe("here receive o");
  });

  test("a call for one actor says nothing of another, nor does a heartbeat", async () => {
    const { short, placed, went } = rigOf();
    await placed.tick({ ...DOER, id: "q" }, "run-1");
    await placed.tick({ ...DOER, type: "sys.ProcessManager" }, "run-1");
    placed.heartbeat(DOER, { workId: "w", token: "t", state: "running" });
    await short.deliver(message("m", DOER, undo));
    expect(went.at(-1)).toBe("far deliver m");
  });

  test("a local delivery does not extend the trust: only Dapr's calls do", async () => {
    const { short, placed, went, clock } = rigOf();
    await placed.tick(DOER, "run-1");
    await clock.advance(TRUST_MS - 1);
    await short.deliver(message("m", DOER, undo));
    await clock.advance(1);
    await short.deliver(message("n", DOER, undo));
    expect(went).toEqual(["here tick p run-1", "here receive m", "far deliver n"]);
  });

  test("deactivate ends the trust at once, and the host is informed", async () => {
    const { short, placed, went } = rigOf();
    await placed.tick(DOER, "run-1");
    placed.deactivate(DOER);
    await short.deliver(message("m", DOER, undo));
    await short.publish("sys.agent.Doer", message("n", DOER, work()));
    expect(await short.inspect(DOER)).toBe("far");
    expect(went).toEqual(["here tick p run-1", "here deactivate p", "far deliver m", "far publish sys.agent.Doer n", "far inspect p"]);
  });
});

test("looks are local first too, nudges and notifications never are; heartbeats are needed only by actors that are elsewhere", async () => {
  const { short, placed, went } = rigOf();
  await placed.tick(DOER, "run-1");
  expect(await short.inspect(DOER)).toBe("here");
  await short.heartbeat(DOER, { workId: "w", token: "t", state: "running" });
  await short.heartbeat({ ...DOER, id: "q" }, { workId: "v", token: "t", state: "running" });
  await short.nudge(DOER, undefined);
  await short.notification("sys.results", "p:1", {
    processId: "p",
    route: "main",
    run: 1,
    status: "completed",
    traceId: "a".repeat(32),
    atMs: 1,
  });
  expect(went).toEqual(["here tick p run-1", "here inspect p", "far heartbeat q v", "far nudge p", "far notification sys.results p:1"]);
  expect(placed.types).toEqual(["sys.ProcessManager", "sys.Doer"]);
});

test("an actor that left, and each after the sidecar was away, gets heartbeats, until one comes back here", async () => {
  const { short, placed, placement, went } = rigOf();
  const beat = { workId: "w", token: "t", state: "running" } as const;
  await placed.tick(DOER, "run-1");
  placement.forget();
  await short.heartbeat(DOER, beat);
  placed.heartbeat(DOER, beat);
  await short.heartbeat(DOER, beat);
  await short.deliver(message("m", DOER, undo));
  placed.deactivate(DOER);
  await short.heartbeat(DOER, beat);
  expect(went).toEqual([
    "here tick p run-1",
    "far heartbeat p w",
    "here heartbeat p w",
    "far deliver m",
    "here deactivate p",
    "far heartbeat p w",
  ]);
});

describe("a process whose id was made here", () => {
  const PROCESS: Address = { type: "sys.ProcessManager", id: "p" };
  const task: Body = { kind: "task", route: "r", slip: { json: null }, input: { json: 1 }, timeoutMs: 1_000, nesting: [] };

  test("begins here, and messages for it are accepted here for a while", async () => {
    const { short, went, made } = rigOf();
    made.add("p");
    await short.deliver(message("t", PROCESS, task));
    await short.publish("sys.manager", message("m", PROCESS, { kind: "cancel", reason: "enough" }));
    expect(went).toEqual(["here receive t", "here begin m"]);
  });

  test("one with an id from outside goes by placement", async () => {
    const { short, went } = rigOf();
    await short.deliver(message("t", PROCESS, task));
    expect(went).toEqual(["far deliver t"]);
  });
});

test("a host that is alone needs no placement for the actors of its types", async () => {
  const rig = rigOf();
  rig.isAlone = true;
  const other: Address = { type: "sys.Remote", id: "r" };
  await rig.short.deliver(message("m", DOER, work()));
  await rig.short.publish("sys.agent.Doer", message("n", DOER, work()));
  await rig.short.nudge({ type: "sys.ProcessManager", id: "p" }, undefined);
  await rig.short.deliver(message("o", other, work()));
  expect(rig.went).toEqual(["here receive m", "here begin n", "here nudge p", "far deliver o"]);
  // Its own actors look at the runs of their host: a thousand runs would otherwise be a thousand calls that place their actors.
  await rig.short.heartbeat(DOER, { workId: "w", token: "t", state: "running" });
  await rig.short.heartbeat(other, { workId: "v", token: "t", state: "running" });
  expect(rig.went.slice(4)).toEqual(["far heartbeat r v"]);
});
