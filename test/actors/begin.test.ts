/** @module When an agent's acceptance waits for what its handler records: where the host is alone, and has just recorded the request. */
import { describe, expect, test } from "vitest";
import { agent, route, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Message } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { In, Slow } from "./slow-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

interface Rig {
  readonly world: World;
  readonly one: World["members"][number];
  readonly two: World["members"][number] | undefined;
  /** The request, recorded by its process and not delivered yet. */
  readonly request: Message;
  readonly result: ReturnType<typeof gate<string>>;
  /** The events of each record of the agent's actor. */
  readonly records: () => Promise<readonly (readonly string[])[]>;
}

function slowSystem(work: () => Promise<string>, hasUndo: boolean): ReturnType<typeof system> {
  const slow = agent(Slow, {
    handle: async () => ({ by: await work() }),
    ...(hasUndo ? { undo: async () => {} } : {}),
  });
  const main = route("main", 1, In)
    .to("slow", Slow, ({ task }) => task)
    .output(({ slow: output }) => output);
  return system("sys", { agents: [slow], routes: [main] });
}

async function rigOf({ hasUndo = false, isAlone = true } = {}): Promise<Rig> {
  const world = new World();
  const result = gate<string>();
  const requests: Message[] = [];
  world.broker = (message) => {
    if (message.body.kind !== "work") return 1;
    requests.push(message);
    return 0;
  };
  const one = world.join(
    slowSystem(() => result.promise, hasUndo),
    "one",
  );
  const two = isAlone
    ? undefined
    : world.join(
        slowSystem(async () => "two", hasUndo),
        "two",
      );
  await world.clock.advance(2 * LIMITS.hostLeaseMs);
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await flush();
  const [request] = requests;
  if (request === undefined) throw new Error("no request was sent");
  const records = async (): Promise<readonly (readonly string[])[]> => {
    const keys = world.store.keys("sys/sys.Slow/");
    const found = await world.store.read(keys);
    return keys.map((key) => (found.get(key) as { readonly events: { readonly e: string }[] }).events.map(({ e }) => e));
  };
  return { world, one, two, request: structuredClone(request), result, records };
}

describe("an acceptance", () => {
  test("is one record with the end of a handler that is fast", async () => {
    const { world, one, request, result, records } = await rigOf();
    await one.host.begin(request);
    await flush();
    expect(one.host.running).toBe(1);
    expect(await records()).toEqual([]);
    result.open("one");
    await flush();
    expect(await records()).toEqual([["work-accepted", "begun", "work-done"]]);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { by: "one" } });
  });

  test("is written by itself while a handler is slow", async () => {
    const { world, one, request, records } = await rigOf();
    await one.host.begin(request);
    await world.clock.advance(LIMITS.firstRecordWaitMs);
    expect(await records()).toEqual([["work-accepted", "begun"]]);
  });

  test.each<[string, { readonly hasUndo?: boolean; readonly isAlone?: boolean }, "begin" | "receive"]>([
    ["of a request that is sent again", {}, "receive"],
    ["where another host lives, which would find nothing", { isAlone: false }, "begin"],
    ["of an agent with an undo of its own, which has to know that it began", { hasUndo: true }, "begin"],
  ])("%s is written before the handler begins", async (_what, options, way) => {
    const { one, request, records } = await rigOf(options);
    await one.host[way](request);
    await flush();
    expect(one.host.running).toBe(1);
    expect(await records()).toEqual([["work-accepted", "begun"]]);
  });

  test("that waits is there for the cancellation of its process: the handler is stopped, and nothing of it counts", async () => {
    const { world, one, request, result, records } = await rigOf();
    await one.host.begin(request);
    await flush();
    await one.operations.cancel("p", "enough", CALLER);
    await flush();
    result.open("too late");
    expect(await world.until(one, "p")).toMatchObject({ status: "cancelled" });
    expect((await records())[0]?.slice(0, 3)).toEqual(["work-accepted", "begun", "undo-asked"]);
    expect((await records()).flat()).not.toContain("work-done");
  });

  test("that waits is asked for again by its process, and the answer is a record", async () => {
    const { one, request, records } = await rigOf();
    await one.host.begin(request);
    await flush();
    expect(await one.host.receive(request)).toMatchObject({ receipt: { sequence: 1 }, work: { state: "running" } });
    expect(await records()).toEqual([["work-accepted", "begun"]]);
    expect(one.host.running).toBe(1);
  });
});
