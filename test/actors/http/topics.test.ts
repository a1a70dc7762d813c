/** @module The topic subscribers: acknowledged on a receipt, given back when a retry makes sense, otherwise kept. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Fault } from "../../../runtime/faults.ts";
import { encodeActorId } from "../../../runtime/ids.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { event, gate, message, startRig, TRACEPARENT, type HttpRig } from "./rig.ts";

// A short queue: to fill one of thousands over HTTP takes longer than a test may on a loaded machine.
vi.mock("../../../runtime/limits.ts", async (original) => {
  const { LIMITS: real } = await original<{ readonly LIMITS: typeof LIMITS }>();
  return { LIMITS: { ...real, subscriberQueueMax: 40 } };
});

const SUCCESS = { status: "SUCCESS" };
const RETRY = { status: "RETRY" };

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => rig.host.drain());

async function post(route: string, body: unknown): Promise<unknown> {
  const answer = await rig.call("POST", `/topics/${route}`, body);
  expect(answer.status).toBe(200);
  return answer.json;
}

test("the subscriptions", async () => {
  expect((await rig.call("GET", "/dapr/subscribe")).json).toEqual([
    { pubsubname: "pubsub", topic: "party.tasks", route: "/topics/tasks", metadata: { rawPayload: "true" } },
    { pubsubname: "pubsub", topic: "party.signals", route: "/topics/signals", metadata: { rawPayload: "true" } },
    { pubsubname: "pubsub", topic: "party.decisions", route: "/topics/decisions", metadata: { rawPayload: "true" } },
    { pubsubname: "pubsub", topic: "party.manager", route: "/topics/manager", metadata: { rawPayload: "true" } },
    { pubsubname: "pubsub", topic: "party.agent.Planner", route: "/topics/agent/Planner", metadata: { rawPayload: "true" } },
  ]);
});

describe("signals", () => {
  test("go to their process, under their own id or the event's", async () => {
    expect(await post("signals", event({ processId: "p", name: "go", payload: { ok: true }, id: "s-1" }))).toEqual(SUCCESS);
    expect(await post("signals", event({ processId: "p", name: "go" }, { id: "a/b" }))).toEqual(SUCCESS);
    expect(rig.seen.events).toEqual(['signal p go {"ok":true} s-1 anonymous', `signal p go null ${encodeActorId("a/b")} anonymous`]);
  });

  test("that are none are kept as invalid messages", async () => {
    expect(await post("signals", event({ processId: "p" }))).toEqual(SUCCESS);
    expect(rig.seen.events).toEqual([]);
    expect(rig.seen.invalid).toHaveLength(1);
  });
});

describe("tasks", () => {
  test("are submitted under their own id, or under the event's", async () => {
    expect(await post("tasks", event({ id: "t-1", route: "trip", input: 1 }, { traceparent: TRACEPARENT }))).toEqual(SUCCESS);
    expect(await post("tasks", event({ route: "trip", input: null, timeoutMs: 9 }, { id: "event-2" }))).toEqual(SUCCESS);
    expect(await post("tasks", event({ route: "trip", input: 1 }, { id: "a/b c", troupetrace: TRACEPARENT }))).toEqual(SUCCESS);
    expect(rig.seen.submitted.map(({ submission }) => submission)).toEqual([
      { id: "t-1", route: "trip", input: 1 },
      { id: "event-2", route: "trip", input: null, timeoutMs: 9 },
      { id: encodeActorId("a/b c"), route: "trip", input: 1 },
    ]);
    expect(rig.seen.submitted[0]?.caller).toEqual({
      principal: { subject: "anonymous", tenant: "default", permissions: [] },
      trace: { traceparent: TRACEPARENT },
    });
    // daprd empties traceparent where tracing is off, and leaves other attributes alone.
    expect(rig.seen.submitted.slice(1).map(({ caller }) => caller.trace)).toEqual([undefined, { traceparent: TRACEPARENT }]);
    expect(rig.seen.invalid).toEqual([]);
  });

  test("a final refusal is kept, a temporary one is given back", async () => {
    const task = event({ route: "trip", input: 1 });
    for (const code of ["system.overloaded", "store.unavailable", "sidecar.unavailable", "actor.busy"] as const) {
      rig.behaviour.submit = async () => {
        throw new Fault(code, "later");
      };
      expect(await post("tasks", task)).toEqual(RETRY);
    }
    expect(rig.seen.invalid).toEqual([]);
    for (const code of ["route.unknown", "schema.task", "process.conflict"] as const) {
      rig.behaviour.submit = async () => {
        throw new Fault(code, "never");
      };
      expect(await post("tasks", task)).toEqual(SUCCESS);
    }
    rig.behaviour.submit = async () => {
      throw new TypeError("a defect");
    };
    expect(await post("tasks", task)).toEqual(SUCCESS);
    expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual(["route.unknown", "schema.task", "process.conflict", "turn.failed"]);
  });

  test("a message that cannot be stored is given back", async () => {
    rig.behaviour.invalid = async () => {
      throw new Fault("store.unavailable", "down");
    };
    expect(await post("tasks", "{oops")).toEqual(RETRY);
  });
});

describe("messages", () => {
  test("are delivered to the actor and acknowledged on its receipt", async () => {
    expect(await post("agent/Planner", event(message("m-1")))).toEqual(SUCCESS);
    expect(await post("manager", event(message("m-2", { type: "party.ProcessManager", id: "p-1" })))).toEqual(SUCCESS);
    expect(rig.seen.delivered.map(({ id }) => id)).toEqual(["m-1", "m-2"]);
  });

  test("a temporary refusal is given back, a final one is acknowledged, no answer is given back", async () => {
    rig.behaviour.deliver = async () => ({ refused: { code: "agent.busy", message: "" } });
    expect(await post("agent/Planner", event(message("m")))).toEqual(RETRY);
    for (const code of ["message.expired", "process.purged", "work.undone"] as const) {
      rig.behaviour.deliver = async () => ({ refused: { code, message: "" } });
      expect(await post("agent/Planner", event(message("m")))).toEqual(SUCCESS);
    }
    // Their senders get the refusal and retry.
    expect(rig.seen.invalid).toEqual([]);
    rig.behaviour.deliver = async () => {
      throw new Fault("sidecar.unavailable", "");
    };
    expect(await post("agent/Planner", event(message("m")))).toEqual(RETRY);
    rig.behaviour.deliver = async () => {
      throw new Error("anything");
    };
    expect(await post("agent/Planner", event(message("m")))).toEqual(RETRY);
  });

  test("a topic of an agent that is not here is unknown", async () => {
    expect((await rig.call("POST", "/topics/agent/Other", event(message("m")))).status).toBe(404);
  });
});

describe("messages when a broker must be answered at once", () => {
  beforeEach(async () => {
    await rig.host.drain();
    rig = await startRig({ answerAtOnce: true });
  });

  test("are acknowledged before the actor answers, and still delivered before the host ends", async () => {
    const answer = gate();
    rig.behaviour.deliver = async ({ id }) => {
      await answer.opened;
      rig.seen.events.push(`done ${id}`);
      return { receipt: { messageId: id, sequence: 1 } };
    };
    for (const id of ["m-1", "m-2"]) expect(await post("agent/Planner", event(message(id)))).toEqual(SUCCESS);
    const drained = rig.host.drain();
    expect(rig.seen.events).toEqual([]);
    answer.open();
    await drained;
    expect(rig.seen.events).toEqual(["done m-1", "done m-2"]);
  });

  test("are given back when the queue is full", async () => {
    const answer = gate();
    rig.behaviour.deliver = async ({ id }) => {
      await answer.opened;
      return { receipt: { messageId: id, sequence: 1 } };
    };
    const room = LIMITS.subscriberQueueMax + LIMITS.agentConcurrencyDefault;
    const body = JSON.stringify(event(message("m")));
    let taken = 0;
    for (let at = 0; at < room + 20; at += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => post("agent/Planner", body)));
      taken += answers.filter((status) => JSON.stringify(status) === JSON.stringify(SUCCESS)).length;
    }
    expect(taken).toBe(room);
    // Tasks have no queue: they are acknowledged on their receipt.
    expect(await post("tasks", event({ route: "trip", input: 1 }))).toEqual(SUCCESS);
    answer.open();
  });

  test("a failed delivery ends nothing", async () => {
    rig.behaviour.deliver = async () => {
      throw new Error("swordfish");
    };
    expect(await post("agent/Planner", event(message("m")))).toEqual(SUCCESS);
    expect(await post("agent/Planner", "nope")).toEqual(SUCCESS);
    expect(rig.seen.invalid).toHaveLength(1);
  });
});

describe("a handling that takes longer than the broker waits", () => {
  /** A clock whose timers fire when the test says so. */
  const timers: (() => void)[] = [];
  const clock = {
    nowMs: () => Date.now(),
    after: (_delayMs: number, callback: () => void) => {
      timers.push(callback);
      return () => undefined;
    },
  };

  test("is given back, goes on, and its repetition is acknowledged", async () => {
    await rig.host.drain();
    rig = await startRig({ clock });
    const { promise, resolve } = Promise.withResolvers<void>();
    const behaviour = rig.behaviour.deliver;
    rig.behaviour.deliver = async (sent) => {
      await promise;
      return behaviour(sent);
    };
    timers.length = 0;
    const first = post("agent/Planner", event(message("slow")));
    await expect.poll(() => timers.length).toBeGreaterThan(0);
    for (const fire of timers) fire();
    expect(await first).toEqual(RETRY);
    resolve();
    expect(await post("agent/Planner", event(message("slow")))).toEqual(SUCCESS);
  });

  test("on a broker that drops what is given back it takes its time", async () => {
    await rig.host.drain();
    rig = await startRig({ clock, answerAtOnce: true });
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begins } = Promise.withResolvers<void>();
    const submit = rig.behaviour.submit;
    rig.behaviour.submit = async (...args) => {
      begins();
      await promise;
      return submit(...args);
    };
    timers.length = 0;
    const slow = post("tasks", event({ id: "t-slow", route: "trip", input: 1 }));
    await begun;
    for (const fire of timers) fire();
    resolve();
    expect(await slow).toEqual(SUCCESS);
  });
});
