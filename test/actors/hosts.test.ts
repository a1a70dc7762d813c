/** @module Two hosts on one store: takeover of the work of a dead one, frozen hosts refused, and recovery. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { recover } from "../../actors/host/recovery.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";
import { type Handle, In, Out, Slow, systemOf } from "./slow-rig.ts";

const processAt =
  (index: number) =>
  (actor: { readonly type: string }): number | undefined =>
    actor.type === "sys.Slow" ? index : undefined;

describe("law: work of a dead host is taken over: one record, a new token, the same attempt", () => {
  test("a host dies during work, and the other executes the work again and completes it", async () => {
    const world = new World();
    const never = gate<string>();
    const handle: Handle = async (name) => (name === "one" ? never.promise : name);
    const one = world.join(systemOf("one", handle), "one");
    const two = world.join(systemOf("two", handle), "two");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    expect(one.host.running).toBe(1);
    one.kill();
    const before = world.clock.nowMs();
    expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { by: "two" } });
    expect(world.clock.nowMs() - before).toBeGreaterThanOrEqual(LIMITS.hostDeadMs);
    expect(world.clock.nowMs() - before).toBeLessThanOrEqual(LIMITS.hostDeadMs + 4 * LIMITS.hostLeaseMs);
  });

  test("a host that lives keeps its work, however long it takes: its rare heartbeats reach the host that has the actor now", async () => {
    const world = new World();
    const works: string[] = [];
    const result = gate<string>();
    const handle: Handle = async (name) => {
      works.push(name);
      return result.promise;
    };
    const one = world.join(systemOf("one", handle), "one");
    world.join(systemOf("two", handle), "two");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    // The actor moves to the other host while the handler continues.
    world.place = processAt(1);
    await world.clock.advance(2 * LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax);
    expect(works).toEqual(["one"]);
    result.open("first");
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { by: "first" } });
  });

  test("a frozen host that resumes after the takeover is refused: its result has no effect", async () => {
    const world = new World();
    const frozenResult = gate<string>();
    const handle: Handle = async (name) => (name === "one" ? frozenResult.promise : name);
    const one = world.join(systemOf("one", handle), "one");
    const two = world.join(systemOf("two", handle), "two");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    one.freeze();
    expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { by: "two" } });
    const records = (): readonly string[] => [...world.store.keys("sys/sys.Slow/"), ...world.store.keys("sys/sys.ProcessManager/")];
    const before = records();
    one.thaw();
    frozenResult.open("too late");
    await world.clock.advance(10_000);
    expect(records()).toEqual(before);
    expect(await world.until(two, "p")).toMatchObject({ output: { by: "two" } });
    expect(world.reminders.size).toBe(0);
  });
});

test("the requests that are repeated after a crash write nothing that the store has to refuse", async () => {
  const world = new World();
  const handle: Handle = async (name) => (name === "one" ? new Promise<never>(() => {}) : name);
  const one = world.join(systemOf("one", handle), "one");
  const two = world.join(systemOf("two", handle), "two");
  for (const n of [1, 2, 3]) await one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0);
  await flush();
  const refused: string[] = [];
  const insert = world.store.insert.bind(world.store);
  world.store.insert = async (key, text) => {
    const result = await insert(key, text);
    if (result === "refused") refused.push(key);
    return result;
  };
  one.kill();
  for (const id of ["p1", "p2", "p3"]) expect(await world.until(two, id)).toMatchObject({ status: "completed", output: { by: "two" } });
  expect(refused).toEqual([]);
});

test("a handler whose work was taken over makes no more external calls, also when it catches what its step threw", async () => {
  const world = new World();
  const woken = gate();
  const effects: string[] = [];
  const steps = (name: string): ReturnType<typeof system> => {
    const slow = agent(Slow, {
      handle: async (_input, ctx) => {
        if (name === "one") await woken.promise;
        await ctx.step("first", () => void effects.push(`${name} first`)).catch(() => {});
        await ctx.step("second", () => void effects.push(`${name} second`));
        return { by: name };
      },
    });
    return system("sys", {
      agents: [slow],
      routes: [
        route("main", 1, In)
          .to("slow", Slow, ({ task }) => task)
          .output(({ slow: result }) => result),
      ],
    });
  };
  const one = world.join(steps("one"), "one");
  const two = world.join(steps("two"), "two");
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  await flush();
  one.freeze();
  expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { by: "two" } });
  one.thaw();
  woken.open();
  await world.clock.advance(10_000);
  expect(effects).toEqual(["two first", "two second", "one first"]);
});

test(
  "a handler whose ask is refused because its work is being undone makes no more external calls, also when " + "it catches the refusal",
  async () => {
    const world = new World();
    const asks = gate();
    const effects: string[] = [];
    const Other = contract("Other", 1, { input: In, output: Out });
    const act = tool("act", {
      effect: "write",
      input: z.null(),
      output: z.null(),
      run: () => (effects.push("act"), null),
      undo: () => void effects.push("undo"),
    });
    const steps = (name: string): ReturnType<typeof system> => {
      const other = agent(Other, { handle: () => ({ by: name }) });
      const slow = agent(Slow, {
        tools: [act],
        asks: [Other],
        handle: async (input, ctx) => {
          if (name === "one") await asks.promise;
          await ctx.ask(Other, input).catch(() => {});
          await ctx.call(act, null);
          return { by: name };
        },
      });
      return system("sys", {
        agents: [slow, other],
        routes: [
          route("main", 1, In)
            .to("slow", Slow, ({ task }) => task)
            .output(({ slow: result }) => result),
        ],
      });
    };
    const one = world.join(steps("one"), "one");
    const two = world.join(steps("two"), "two");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    // The undo goes to the other host, so this handler is not cancelled.
    world.place = processAt(1);
    await two.operations.cancel("p", "enough", CALLER);
    await flush();
    asks.open();
    expect(await world.until(two, "p")).toMatchObject({ status: "cancelled" });
    await world.clock.advance(10_000);
    expect(effects).toEqual([]);
  },
);

describe("law: no broker is trusted", () => {
  test.each([
    ["loses every message", 0],
    ["delivers everything three times", 3],
  ])("a broker that %s changes only the time it takes", async (_what, copies) => {
    const world = new World();
    world.broker = () => copies;
    let runs = 0;
    const one = world.join(
      systemOf("one", async () => `run ${(runs += 1)}`),
      "one",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { by: "run 1" } });
    expect(runs).toBe(1);
    expect(world.notifications).toEqual(["sys.results p:1"]);
  });
});

describe("law: a starting host finds open processes and nudges them", () => {
  test("also when every reminder was lost, within moments; ended processes are left alone", async () => {
    const world = new World();
    const never = gate<string>();
    const one = world.join(
      systemOf("one", async (_name, n) => (n === 1 ? "done" : never.promise)),
      "one",
    );
    for (const n of [1, 2]) await one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0);
    await world.until(one, "p1");
    await world.clock.advance(5_000);
    one.kill();
    for (const cancel of world.reminders.values()) cancel();
    world.reminders.clear();
    const two = world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    const recovered = recover({
      system: "sys",
      ports: world.portsOf(two, "recovery"),
      directory: two.host.directory,
      log: SILENT,
      stopped: () => false,
    });
    await flush(100);
    expect(await recovered).toBe(1);
    expect(await world.until(two, "p2", 10_000)).toMatchObject({ output: { by: "two" } });
  });

  test("a host that finds another one dead takes its processes over, though no reminder is left and no host starts", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", () => new Promise<never>(() => {})),
      "one",
    );
    const two = world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await world.clock.advance(10_000);
    one.freeze();
    for (const cancel of world.reminders.values()) cancel();
    world.reminders.clear();
    expect(await world.until(two, "p", 15_000)).toMatchObject({ status: "completed", output: { by: "two" } });
  });

  test("an index entry without a process is closed when it is old, and kept when it is young", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", async (name) => name),
      "one",
    );
    const bucket = await one.host.directory.open({ id: "ghost", open: true, atMs: world.clock.nowMs(), facts: {} });
    const look = async (): Promise<boolean | undefined> => {
      const recovered = recover({
        system: "sys",
        ports: world.portsOf(one, "recovery"),
        directory: one.host.directory,
        log: SILENT,
        stopped: () => false,
      });
      await flush(100);
      await recovered;
      return (await one.host.directory.read(bucket)).find((entry) => entry.id === "ghost")?.open;
    };
    expect(await look()).toBe(true);
    await world.clock.advance(LIMITS.clockDriftMsMax + 1);
    expect(await look()).toBe(false);
  });
});
