/** @module The laws of index entries, reminders and timers of processes on a host, each a named test. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { ProcessHolder } from "../../actors/host/process-holder.ts";
import type { Ticked } from "../../actors/host/process-rings.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { InsertResult } from "../../actors/engine/ports.ts";
import { Fault } from "../../runtime/faults.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Doer = contract("Doer", 1, { input: In, output: In });

function systemOf(handle: (n: number) => Promise<number>, backoffMs = 0): ReturnType<typeof system> {
  const doer = agent(Doer, { handle: async ({ n }) => ({ n: await handle(n) }) });
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 3, backoffMs, backoffMsMax: Math.max(backoffMs, 1), jitter: 0 } })
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer], routes: [main] });
}

const PROCESS = { type: "sys.ProcessManager", id: "p" };
const silent =
  (what: string) =>
  (asked: string): void => {
    if (asked === what) throw new Fault("sidecar.unavailable", "silent");
  };
const lines = async ({ host }: World["members"][number]): Promise<readonly IndexEntry[]> =>
  host.directory.read((await host.directory.buckets())[0] ?? "");
const journal = (world: World): readonly string[] => world.store.keys("sys/sys.ProcessManager/p/");

/** A host whose process p is in a call that ends when the gate opens. */
async function inCall(): Promise<{
  readonly world: World;
  readonly one: ReturnType<World["join"]>;
  readonly done: ReturnType<typeof gate<void>>;
}> {
  const world = new World();
  const done = gate();
  const one = world.join(
    systemOf(async (n) => done.promise.then(() => n)),
    "one",
  );
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
  return { world, one, done };
}

describe("law: an index entry that names the host exists before record 1", () => {
  test("while the index does not answer nothing is accepted and nothing recorded; a retry is accepted", async () => {
    let isAway = true;
    class AwayIndex extends MemoryStore {
      override async insert(key: string, text: string): Promise<InsertResult> {
        if (isAway && key.includes("/sys.Directory/")) throw new Fault("sidecar.unavailable", "away");
        return super.insert(key, text);
      }
    }
    const world = new World(new AwayIndex());
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    const refused = one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0).catch((error: unknown) => error);
    await world.clock.advance(10_000);
    expect(await refused).toMatchObject({ code: "sidecar.unavailable" });
    expect(journal(world)).toEqual([]);
    isAway = false;
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await lines(one)).toMatchObject([{ id: "p", open: true, facts: { host: one.host.incarnation } }]);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
  });

  test("a tick on an empty journal inserts a void record first and only then removes the reminder", async () => {
    const world = new World();
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    await world.portsOf(one, "x").reminders.set(PROCESS, "run-1", 1_000, 1_000);
    world.guard = silent("remove");
    await world.clock.advance(1_000);
    expect(journal(world)).toHaveLength(1);
    expect(world.reminders.size).toBe(1);
    world.guard = () => {};
    await world.clock.advance(1_000);
    expect(journal(world)).toHaveLength(1);
    expect(world.reminders.size).toBe(0);
    await expect(one.operations.process("p")).rejects.toMatchObject({ code: "process.unknown" });
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
  });
});

describe("law: a process sets a reminder when it has lived 3 s", () => {
  test("one that ends sooner sets none, and removes none", async () => {
    const world = new World();
    const called: string[] = [];
    world.guard = (what) => void called.push(what);
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    await world.clock.advance(60_000);
    expect(called).toEqual(["notification"]);
  });

  test("one that lives longer sets one, also when the first call fails, and removes it with its last effects", async () => {
    const { world, one, done } = await inCall();
    world.guard = silent("reminder");
    await world.clock.advance(LIMITS.reminderAfterMs + LIMITS.reminderGatherMs + 1_000);
    expect(world.reminders.size).toBe(0);
    world.guard = () => {};
    await world.clock.advance(LIMITS.askAgainMs);
    expect([...world.reminders.keys()]).toEqual([expect.stringMatching(/^p\/shared-/)]);
    done.open();
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    await world.clock.advance(1_000);
    expect(world.reminders.size).toBe(0);
  });
});

test("a child that only answers its parent after its end is looked at once more, or its host would hold it for ever", async () => {
  const world = new World();
  const one = world.join(
    systemOf(async (n) => n),
    "one",
  );
  const ticked: string[] = [];
  const parts = { ports: world.portsOf(one, "x"), watch: one.host.watch, directory: one.host.directory, log: SILENT, type: PROCESS.type };
  const state = { ...processMachine.initial("p"), phase: "ended", run: 1 } as const;
  const answers = { effects: [{ kind: "stop", workId: "w", token: "t" }], verdict: { kind: "received" } } as const;
  const result = { state, before: state, sequence: 9, writer: one.host.incarnation, wrote: true, ...answers } as const;
  const tick = async (id: string): Promise<Ticked> => {
    ticked.push(id);
    return { result, settled: Promise.resolve(true) };
  };
  const holder = new ProcessHolder({ ...parts, tick });
  holder.expect("p");
  holder.took("p", result, { isTick: false });
  holder.performed("p", true, false);
  await world.clock.advance(2 * LIMITS.askAgainMs);
  // That turn owes all last effects again, and after them the process is let go.
  expect(ticked).toContain("p");
});

describe("law: the index entry stays open until the last effects are performed", () => {
  test("while a notification cannot be sent the entry stays open, and the process tries again", async () => {
    const world = new World();
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    world.guard = silent("notification");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await world.until(one, "p");
    await world.clock.advance(10_000);
    expect(await lines(one)).toMatchObject([{ id: "p", open: true }]);
    world.guard = () => {};
    await world.clock.advance(LIMITS.askAgainMs);
    expect(world.notifications).toEqual(["sys.results p:1"]);
    expect(await lines(one)).toMatchObject([{ id: "p", open: false }]);
    expect(world.reminders.size).toBe(0);
  });

  test("a host that died right after the last record leaves it to the next", async () => {
    const world = new World();
    const result = gate<number>();
    const one = world.join(
      systemOf(() => result.promise),
      "one",
    );
    const two = world.join(
      systemOf(() => result.promise),
      "two",
    );
    world.guard = silent("notification");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    result.open(1);
    await flush();
    one.kill();
    world.guard = () => {};
    expect(await world.until(two, "p")).toMatchObject({ status: "completed" });
    await world.clock.advance(LIMITS.hostDeadMs + 2 * LIMITS.askAgainMs);
    expect(world.notifications).toEqual(["sys.results p:1"]);
    expect(world.reminders.size).toBe(0);
    expect(await lines(two)).toMatchObject([{ id: "p", open: false }]);
  });
});

describe("law: a process asks again, the less often the longer its receivers say that they have the work", () => {
  const MINUTES_5 = 300_000;
  const requests = (world: World): number => world.sent.filter((line) => line.endsWith("p:1:doer:0:1:1")).length;

  test("a call of 5 minutes is asked for a few times only, and its end is known at once", async () => {
    const { world, one, done } = await inCall();
    const before = LIMITS.stopTimeoutMsDefault - 1_000;
    await world.clock.advance(before);
    expect(requests(world)).toBeGreaterThan(2);
    expect(requests(world)).toBeLessThan(8);
    done.open();
    expect(await world.until(one, "p", 1_000)).toMatchObject({ status: "completed" });
  });

  test("a lost answer is asked for within 3 s of a short work, and no later than its work took", async () => {
    const world = new World();
    world.broker = (message) => (message.body.kind === "result" ? 0 : 1);
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await world.until(one, "p", LIMITS.askAgainMs + 500)).toMatchObject({ status: "completed" });
  });

  test("a process that sleeps asks for nothing, and its timer fires although its actor was deactivated", async () => {
    const world = new World();
    const main = route("main", 1, In)
      .sleep("nap", MINUTES_5)
      .to("doer", Doer, ({ task }) => task)
      .output(({ doer: done }) => done);
    const doer = agent(Doer, { handle: ({ n }) => ({ n }) });
    const one = world.join(system("sys", { agents: [doer], routes: [main] }), "one");
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    one.host.deactivate(PROCESS);
    // Its index entry tells when it is due.
    await world.clock.advance(LIMITS.quietLineMs + LIMITS.takenLingerMs);
    const [line] = await one.host.directory.read(bucketOf(world.clock.nowMs(), 0));
    expect(line?.facts["dueAtMs"]).toBeGreaterThan(world.clock.nowMs());
    const [shown] = (await one.operations.processes({}, undefined, 1)).entries;
    for (const name of ["dueAtMs", "host", "at"]) expect(shown).not.toHaveProperty(name);
    world.sent.length = 0;
    await world.clock.advance(MINUTES_5 - 1_000 - LIMITS.quietLineMs - LIMITS.takenLingerMs);
    expect(world.sent).toEqual([]);
    expect(await world.until(one, "p", 2_000)).toMatchObject({ status: "completed" });
  });
});

describe("timers", () => {
  test("a long backoff ends on time, by a timer here, or by that of the host that takes over", async () => {
    for (const kill of [false, true]) {
      const world = new World();
      let attempts = 0;
      const handle = async (n: number): Promise<number> => {
        if ((attempts += 1) === 1) throw new TypeError("later");
        return n;
      };
      const one = world.join(systemOf(handle, 120_000), "one");
      const two = world.join(systemOf(handle, 120_000), "two");
      await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
      await flush();
      if (kill) one.kill();
      await world.clock.advance(119_000);
      expect(attempts).toBe(1);
      expect(await world.until(kill ? two : one, "p", 10_000)).toMatchObject({ status: "completed" });
    }
  });

  test("ticks that are late, repeated or of an old run are cheap: nothing is written", async () => {
    const world = new World();
    const one = world.join(
      systemOf(async (n) => n),
      "one",
    );
    await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await world.until(one, "p");
    const before = journal(world);
    for (const name of ["run-1", "run-1", "run-0", "run-7"]) await one.host.tick(PROCESS, name);
    expect(journal(world)).toEqual(before);
  });
});

test(
  "a task that ends with its first record, as the run after one that became void in the meantime, closes " +
    "its entry although the first try fails",
  async () => {
    const index = gate();
    let waits = false;
    class SlowIndex extends MemoryStore {
      override async insert(key: string, text: string): Promise<InsertResult> {
        if (waits && key.includes("/sys.Directory/")) await index.promise;
        return super.insert(key, text);
      }
    }
    const world = new World(new SlowIndex());
    const doer = agent(Doer, { handle: async ({ n }) => ({ n }) });
    const none = route("none", 1, z.object({ all: z.array(In) }))
      .forEach(
        "done",
        ({ task }) => task.all,
        (stop) => stop(Doer, ({ item }) => item),
      )
      .output(({ done }) => ({ done }));
    const one = world.join(system("sys", { agents: [doer], routes: [none] }), "one");
    waits = true;
    const accepted = one.operations.submit({ id: "p", route: "none", input: { all: [] } }, CALLER, 0);
    // A tick arrives while the task waits for the index, and makes run 1 void as soon as that answers.
    void one.host.tick(PROCESS, "run-1").catch(() => {});
    await world.clock.advance(LIMITS.askAgainMs);
    let silences = 1;
    world.guard = (what) => {
      if (what === "notification" && silences-- > 0) throw new Fault("sidecar.unavailable", "silent");
    };
    waits = false;
    index.open();
    await flush();
    expect(await accepted).toMatchObject({ receipt: { id: "p", run: 2 } });
    await world.clock.advance(2 * LIMITS.askAgainMs);
    expect([world.notifications.length, world.reminders.size]).toEqual([1, 0]);
    expect((await one.operations.processes({}, undefined, 10)).entries).toMatchObject([{ id: "p", open: false, run: 2 }]);
  },
);
