/** @module Two hosts on one store: takeover after three missed heartbeats, frozen hosts refused, recovery, and bounds. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { recover } from "../../actors/host/recovery.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Out = z.object({ by: z.string() });
const Slow = contract("Slow", 1, { input: In, output: Out });

type Handle = (name: string, n: number) => Promise<string>;

/** The same system for each host, whose handler knows where it runs. */
function systemOf(name: string, handle: Handle): ReturnType<typeof system> {
  const slow = agent(Slow, { handle: async ({ n }) => ({ by: await handle(name, n) }) });
  const main = route("main", 1, In)
    .to("slow", Slow, ({ task }) => task)
    .output(({ slow: result }) => result);
  return system("sys", { agents: [slow], routes: [main] });
}

const processAt =
  (index: number) =>
  (actor: { readonly type: string }): number | undefined =>
    actor.type === "sys.Slow" ? index : undefined;

describe("law: three missed heartbeats allow a takeover: one record, new token, one attempt more", () => {
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
    const silence = LIMITS.heartbeatMs * LIMITS.heartbeatsMissedMax;
    expect(world.clock.nowMs() - before).toBeGreaterThanOrEqual(silence);
    expect(world.clock.nowMs() - before).toBeLessThanOrEqual(silence + 2 * LIMITS.reminderNearMs);
  });

  test("a host that sends heartbeats keeps its work, however long it takes", async () => {
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
    await world.clock.advance(40_000);
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
    expect([...world.reminders.keys()]).toEqual(["p2/run-1"]);
    expect(await world.until(two, "p2", 10_000)).toMatchObject({ output: { by: "two" } });
  });

  test("a host that is asked about a process takes it up, even if its reminder is late and no host searched the index", async () => {
    const world = new World();
    const one = world.join(
      systemOf("one", () => new Promise<never>(() => {})),
      "one",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    const two = world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    one.freeze();
    for (const cancel of world.reminders.values()) cancel();
    world.reminders.clear();
    expect(await two.operations.process("p")).toMatchObject({ phase: "open" });
    await flush();
    expect([...world.reminders.keys()]).toContain("p/run-1");
    expect(await world.until(two, "p")).toMatchObject({ status: "completed", output: { by: "two" } });
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

describe("operations: bad input gets a clear error and changes nothing", () => {
  const world = (): { readonly world: World; readonly one: ReturnType<World["join"]> } => {
    const made = new World();
    return {
      world: made,
      one: made.join(
        systemOf("one", () => gate<string>().promise),
        "one",
        2,
      ),
    };
  };

  test.each<[string, { readonly id?: string; readonly route: string; readonly input: unknown; readonly timeoutMs?: number }, string]>([
    ["unknown route", { id: "p", route: "nope", input: { n: 1 } }, "route.unknown"],
    ["an input that does not fit", { id: "p", route: "main", input: { n: "1" } }, "schema.task"],
    ["an unknown key", { id: "p", route: "main", input: { n: 1, extra: 1 } }, "schema.task"],
    ["an id that is none", { id: "a/b", route: "main", input: { n: 1 } }, "id.invalid"],
    ["no time", { id: "p", route: "main", input: { n: 1 }, timeoutMs: 0 }, "body.invalid"],
    ["too much time", { id: "p", route: "main", input: { n: 1 }, timeoutMs: LIMITS.taskTimeoutMsMax + 1 }, "body.invalid"],
  ])("%s", async (_what, submission, code) => {
    const { world: made, one } = world();
    await expect(one.operations.submit(submission, CALLER, 0)).rejects.toMatchObject({ code });
    expect(made.store.keys()).toEqual([]);
    expect(made.reminders.size).toBe(0);
  });

  test("the same id and input is the same process; another input is a conflict", async () => {
    const { one } = world();
    const first = await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    const again = await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(again.receipt).toMatchObject({ id: "p", traceId: first.receipt.traceId });
    await expect(one.operations.submit({ id: "p", route: "main", input: { n: 2 } }, CALLER, 0)).rejects.toMatchObject({
      code: "process.conflict",
    });
  });

  test("above the bound of open processes a task is refused, retryable, with nothing recorded; also in a burst", async () => {
    const { world: made, one } = world();
    const burst = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0)),
    );
    expect(burst.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    for (const one of burst) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "system.overloaded" });
    expect(new Set(made.store.keys("sys/sys.ProcessManager/").map((key) => key.split("/")[2])).size).toBe(2);
    expect(made.reminders.size).toBe(2);
    await expect(one.operations.submit({ id: "p0", route: "main", input: { n: 0 } }, CALLER, 0)).resolves.toMatchObject({
      receipt: { id: "p0" },
    });
  });

  test("an unknown process is process.unknown; an ended one cannot be cancelled", async () => {
    const made = new World();
    const one = made.join(
      systemOf("one", async (name) => name),
      "one",
    );
    await expect(one.operations.process("none")).rejects.toMatchObject({ code: "process.unknown" });
    await expect(one.operations.cancel("none", "x", CALLER)).rejects.toMatchObject({ code: "process.unknown" });
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await made.until(one, "p");
    await expect(one.operations.cancel("p", "x", CALLER)).rejects.toMatchObject({ code: "process.ended" });
  });

  test("waiting returns the outcome as soon as it exists, and only the receipt when time is up first", async () => {
    const made = new World();
    const result = gate<string>();
    const one = made.join(
      systemOf("one", () => result.promise),
      "one",
    );
    const short = one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 1_000);
    await made.clock.advance(1_500);
    expect((await short).outcome).toBeUndefined();
    const long = one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 60_000);
    await flush();
    result.open("now");
    await flush();
    expect((await long).outcome).toMatchObject({ status: "completed", output: { by: "now" } });
    expect(made.clock.nowMs()).toBe(1_001_500);
  });

  test("a cancelled process ends cancelled, also when its handler hangs forever, and leaves no reminder", async () => {
    const { world: made, one } = world();
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    expect(await one.operations.cancel("p", "enough", CALLER)).toMatchObject({ id: "p", route: "main" });
    expect(await made.until(one, "p", LIMITS.stopGraceMs + 4 * LIMITS.reminderNearMs)).toMatchObject({ status: "cancelled" });
    await made.clock.advance(10_000);
    expect(made.reminders.size).toBe(0);
    expect(one.host.running).toBe(0);
  });

  test("dead letters are listed newest first, page by page", async () => {
    const made = new World();
    const one = made.join(
      systemOf("one", () => Promise.reject(new TypeError("broken"))),
      "one",
    );
    for (const n of [1, 2, 3]) {
      await one.operations.submit({ id: `p${n}`, route: "main", input: { n } }, CALLER, 0);
      await made.until(one, `p${n}`, 900_000);
    }
    await made.clock.advance(10_000);
    const first = await one.operations.deadLetters({}, undefined, 2);
    const second = await one.operations.deadLetters({}, first.cursor, 2);
    expect([...first.entries, ...second.entries].map((entry) => (entry as { readonly id: Json }).id)).toEqual(["p3:1", "p2:1", "p1:1"]);
    expect(first.entries[0]).toMatchObject({ open: true, code: "agent.failed" });
    expect(await one.operations.deadLetter("p3:1")).toMatchObject({
      code: "agent.failed",
      letter: { processId: "p3", original: { kind: "do" } },
    });
    await expect(one.operations.deadLetters({}, "x/y", 2)).rejects.toMatchObject({ code: "body.invalid" });
  });

  test("an invalid message without a process is in the dead letter queue once, for any number of redeliveries", async () => {
    const made = world();
    const { one } = made;
    const lines = async (topic: string): Promise<readonly Json[]> =>
      (await one.operations.deadLetters({}, undefined, 50)).entries.filter((entry) => (entry as { readonly topic: Json }).topic === topic);
    const fault = { code: "message.invalid", message: "no JSON" } as const;
    const publishedAtMs = made.world.clock.nowMs() - 1_000;
    const [binary, large] = [Uint8Array.of(0, 255, 10), Buffer.alloc(LIMITS.invalidBytesMax + 5, "ab")];
    for (const afterMs of [0, 0, LIMITS.indexBucketMs, LIMITS.indexBucketMs]) {
      await made.world.clock.advance(afterMs);
      await one.operations.invalid({ bytes: Buffer.from("{"), size: 1, publishedAtMs }, fault, "sys.tasks");
      // What tells no moment is found in the slice before.
      if (afterMs === 0)
        for (const bytes of [binary, large]) await one.operations.invalid({ bytes, size: bytes.length }, fault, "sys.agent.A");
    }
    await one.operations.invalid({ bytes: Buffer.from("{"), size: 1, publishedAtMs }, fault, "sys.manager");
    expect([await lines("sys.tasks"), await lines("sys.manager"), await lines("sys.agent.A")].map(({ length }) => length)).toEqual([
      1, 1, 2,
    ]);
    const [task] = await lines("sys.tasks");
    expect(task).toMatchObject({ topic: "sys.tasks", code: "message.invalid", open: true });
    const letters = await Promise.all(
      [...(await lines("sys.tasks")), ...(await lines("sys.agent.A"))].map((entry) =>
        one.operations.deadLetter((entry as { readonly id: string }).id),
      ),
    );
    const sorted = letters
      .map((letter) => (letter as { readonly letter: { readonly [key: string]: Json } }).letter)
      .sort((a, b) => Number(a["size"]) - Number(b["size"]));
    expect(sorted).toMatchObject([
      { bytes: "{", encoding: "utf8", size: 1, cut: false },
      { bytes: Buffer.from(binary).toString("base64"), encoding: "base64", size: 3, cut: false },
      {
        bytes: large.toString("utf8", 0, LIMITS.invalidBytesMax),
        encoding: "utf8",
        size: large.length,
        sha256: createHash("sha256").update(large).digest("hex"),
        cut: true,
      },
    ]);
  });
});
