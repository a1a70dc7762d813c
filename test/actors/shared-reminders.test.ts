/** @module The reminders that processes share, over several hosts, a clock that the test drives, and reminders that can be counted. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ReminderContent, reminderContent } from "../../runtime/process/reminder.ts";
import type { Address } from "../../runtime/protocol.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Doer = contract("Doer", 1, { input: In, output: In });
const Failing = contract("Failing", 1, { input: In, output: In });
const HOUR_MS = 3_600_000;
/** Age at which each process of a crowd has its reminder. */
const COVERED_MS = LIMITS.reminderAfterMs + LIMITS.reminderGatherMs + 1_000;

/** A process waits for an hour in `nap`, and for the gate of its number in `main`. */
function systemOf(done: (n: number) => Promise<void> = async () => {}): ReturnType<typeof system> {
  const doer = agent(Doer, { handle: async ({ n }) => done(n).then(() => ({ n })) });
  const nap = route("nap", 1, In)
    .sleep("nap", HOUR_MS)
    .to("doer", Doer, ({ task }) => task)
    .output(({ doer: last }) => last);
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task, { timeoutMs: HOUR_MS })
    .output(({ doer: last }) => last);
  return system("sys", { agents: [doer], routes: [nap, main] });
}

/** A world that knows what its reminders carry, and counts the calls about them and the reads of the store. */
class CountedWorld extends World {
  readonly carried = new Map<string, ReminderContent>();
  readonly calls: string[] = [];

  constructor(store = new MemoryStore()) {
    super(store);
    this.guard = (what) => {
      if (what === "reminder" || what === "remove") this.calls.push(what);
    };
  }

  override setReminder(actor: Address, name: string, dueMs: number, periodMs: number, carried?: Json): void {
    this.carried.set(`${actor.id}/${name}`, reminderContent(actor.id, name, carried));
    super.setReminder(actor, name, dueMs, periodMs, carried);
  }

  /** The reminders that remind of a run, by name. */
  of(id: string, run = 1): readonly string[] {
    return [...this.reminders.keys()].filter((key) => this.carried.get(key)?.runs.some((one) => one.id === id && one.run === run));
  }

  async submit(member: ReturnType<World["join"]>, routeName: string, from: number, to: number): Promise<void> {
    for (let n = from; n <= to; n += 1) await member.operations.submit({ id: `p${n}`, route: routeName, input: { n } }, CALLER, 0);
    await flush();
  }
}

/** Three processes wait on a host, with a reminder of this name. */
async function napping(): Promise<{ readonly world: CountedWorld; readonly one: ReturnType<World["join"]>; readonly first: string }> {
  const world = new CountedWorld();
  const one = world.join(systemOf(), "one");
  await world.submit(one, "nap", 1, 3);
  await world.clock.advance(COVERED_MS);
  return { world, one, first: world.of("p1")[0] ?? "none" };
}

describe("processes that live longer than some seconds share a reminder", () => {
  test("one for 64 of them; it goes when the last has ended, and those that have ended cost no call", async () => {
    const world = new CountedWorld();
    const gates = Array.from({ length: 71 }, () => gate());
    const one = world.join(
      systemOf(async (n) => gates[n]?.promise),
      "one",
    );
    await world.submit(one, "main", 1, 70);
    await world.clock.advance(COVERED_MS);
    const sizes = [...world.reminders.keys()].map((key) => world.carried.get(key)?.runs.length);
    expect([sizes, world.calls]).toEqual([
      [LIMITS.remindedTogetherMax, 70 - LIMITS.remindedTogetherMax],
      ["reminder", "reminder"],
    ]);
    for (let n = 1; n <= 70; n += 1) expect(world.of(`p${n}`)).toHaveLength(1);
    for (let n = 2; n <= 70; n += 1) gates[n]?.open();
    for (let n = 2; n <= 70; n += 1) await world.until(one, `p${n}`);
    await world.clock.advance(1_000);
    // 64, 32, 16, ... of the first one; what ends at once is one call.
    expect([world.of("p1").length, world.reminders.size]).toEqual([1, 1]);
    expect(world.calls.length).toBeLessThan(2 + 2 * Math.log2(LIMITS.remindedTogetherMax) + 2);
    gates[1]?.open();
    await world.until(one, "p1");
    await world.clock.advance(1_000);
    expect(world.reminders.size).toBe(0);
  });

  test("a ring of one whose processes only wait is one read for all of them", async () => {
    const reads: number[] = [];
    class Counted extends MemoryStore {
      override async read(keys: readonly string[]): ReturnType<MemoryStore["read"]> {
        if (keys.some((key) => key.includes("/sys.ProcessManager/"))) reads.push(keys.length);
        return super.read(keys);
      }
    }
    const world = new CountedWorld(new Counted());
    const one = world.join(systemOf(), "one");
    await world.submit(one, "nap", 1, 40);
    await world.clock.advance(COVERED_MS);
    reads.length = 0;
    world.calls.length = 0;
    await world.clock.advance(LIMITS.reminderMs);
    expect([reads.every((keys) => keys === 80), world.calls]).toEqual([true, []]);
    expect(reads.length).toBeGreaterThan(0);
    expect(world.of("p7")).toHaveLength(1);
  });

  test("a ring takes out the processes that have ended, on another host too", async () => {
    const world = new CountedWorld();
    const gates = [gate(), gate(), gate()];
    const doing = async (n: number): Promise<void> => gates[n]?.promise;
    const one = world.join(systemOf(doing), "one");
    const two = world.join(systemOf(doing), "two");
    // Reminders ring at the other host.
    world.place = () => 1;
    await world.submit(one, "main", 1, 2);
    await world.clock.advance(COVERED_MS);
    world.guard = (what) => {
      if (what === "remove") throw new Error("away");
    };
    gates[1]?.open();
    await world.until(two, "p1");
    expect(world.of("p1")).toHaveLength(1);
    await world.clock.advance(LIMITS.reminderMs);
    expect([world.of("p1").length, world.of("p2").length]).toEqual([0, 1]);
    gates[2]?.open();
    await world.until(two, "p2");
    world.guard = () => {};
    await world.clock.advance(2 * LIMITS.reminderMs);
    expect(world.reminders.size).toBe(0);
  });
});

describe("a process has a reminder although its host dies", () => {
  test("who takes it over sets its own, and the one of the dead host goes when it rings where the later one is known", async () => {
    const { world, one, first } = await napping();
    world.join(systemOf(), "two");
    await world.clock.advance(10_000);
    one.kill();
    for (let minutes = 0; minutes < 25; minutes += 1) {
      await world.clock.advance(60_000);
      for (const id of ["p1", "p2", "p3"]) expect(world.of(id).length).toBeGreaterThan(0);
    }
    expect([world.reminders.has(first), world.of("p1").length]).toEqual([false, 1]);
  });

  test("also when two hosts hold it, and their reminders ring at each other", async () => {
    const world = new CountedWorld();
    const one = world.join(systemOf(), "one");
    world.join(systemOf(), "two");
    await world.submit(one, "nap", 1, 3);
    await world.clock.advance(COVERED_MS);
    one.kill();
    world.place = () => 1;
    await world.clock.advance(LIMITS.hostDeadMs + LIMITS.reminderSpreadMs + 10_000);
    // The third host is nudged for processes whose writer is dead, which the second one holds without a record.
    const three = world.join(systemOf(), "three");
    world.place = () => 2;
    await three.host.recover();
    await world.clock.advance(LIMITS.reminderSpreadMs + 10_000);
    expect(world.members.filter(({ host }) => host.processes.isOpen("p1"))).toHaveLength(3);
    expect(world.of("p1").length).toBeGreaterThan(1);
    for (let minute = 0; minute < 45; minute += 1) {
      const turn = minute;
      world.place = () => 1 + (Math.floor(turn / 11) % 2);
      await world.clock.advance(60_000);
      for (const id of ["p1", "p2", "p3"]) expect(world.of(id).length).toBeGreaterThan(0);
    }
    expect(world.of("p1").length).toBe(1);
  });

  test("a ring gives each process its turn where it is placed, and makes no second holder", async () => {
    const world = new CountedWorld();
    const one = world.join(systemOf(), "one");
    world.join(systemOf(), "two");
    world.join(systemOf(), "three");
    await world.submit(one, "nap", 1, 3);
    await world.clock.advance(COVERED_MS);
    // The reminder rings at the actor of p1, on the second host; the others are placed on the third.
    world.place = ({ id }) => (id === "p1" ? 1 : 2);
    one.kill();
    for (let minute = 0; minute < 15; minute += 1) await world.clock.advance(60_000);
    const holders = ["p1", "p2", "p3"].map((id) => world.members.map(({ host }) => host.processes.isOpen(id)));
    expect(holders.map((hosts) => hosts.slice(1))).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
  });

  test("over hosts that come and go, one that waits long has no more reminders than hosts were there since a ring", async () => {
    const world = new CountedWorld();
    let last = world.join(systemOf(), "host 0");
    await world.submit(last, "nap", 1, 1);
    let at = 0;
    for (let turn = 1; turn <= 12; turn += 1) {
      world.join(systemOf(), `host ${turn}`);
      at += 1;
      const now = at;
      world.place = () => now;
      await world.clock.advance(5_000);
      last.kill();
      last = world.members[at] ?? last;
      for (let minute = 0; minute < 4; minute += 1) await world.clock.advance(60_000);
      expect(world.of("p1").length).toBeGreaterThan(0);
    }
    expect(world.of("p1").length).toBeLessThanOrEqual(4);
  });

  test("a child that is opened again has one again, also while its host still owes its last effects", async () => {
    for (const lifeMs of [0, COVERED_MS]) {
      const world = new CountedWorld();
      const done = gate();
      const doer = agent(Doer, { handle: async ({ n }) => done.promise.then(() => ({ n })), undo: async () => new Promise(() => {}) });
      const failing = agent(Failing, { handle: () => Promise.reject(new TypeError("no")) });
      const child = route("child", 1, In)
        .to("doer", Doer, ({ task }) => task)
        .output(({ doer: last }) => last);
      const parent = route("parent", 1, In)
        .to("child", child, ({ task }) => task)
        .to("failing", Failing, ({ task }) => task, { retry: { attemptsMax: 1, backoffMs: 1, backoffMsMax: 1, jitter: 0 } })
        .output(({ failing: last }) => last);
      const one = world.join(system("sys", { agents: [doer, failing], routes: [child, parent] }), "one");
      await one.operations.submit({ id: "p", route: "parent", input: { n: 1 } }, CALLER, 0);
      await world.clock.advance(lifeMs);
      done.open();
      // The child ends, its parent fails and undoes it before the child's entry in the index is closed.
      await flush(200);
      await world.clock.advance(COVERED_MS);
      const ids = world.store.keys("sys/sys.ProcessManager/").map((key) => key.split("/")[2] ?? "");
      const open = [...new Set(ids)].filter((id) => one.host.processes.isOpen(id));
      expect(open).toHaveLength(2);
      for (const id of open) expect([id, world.of(id).length]).not.toEqual([id, 0]);
    }
  });

  test("one whose first record takes long has one all the same", async () => {
    let slow = false;
    let world: CountedWorld | undefined;
    class SlowStore extends MemoryStore {
      override async insert(key: string, text: string): ReturnType<MemoryStore["insert"]> {
        if (slow && key.includes("/sys.ProcessManager/")) await new Promise<void>((resolve) => world?.clock.after(4_000, resolve));
        return super.insert(key, text);
      }
    }
    world = new CountedWorld(new SlowStore());
    const one = world.join(systemOf(), "one");
    slow = true;
    const accepted = one.operations.submit({ id: "p1", route: "nap", input: { n: 1 } }, CALLER, 0);
    await world.clock.advance(4_100);
    await accepted;
    slow = false;
    await world.clock.advance(COVERED_MS);
    expect(world.of("p1")).toHaveLength(1);
  });

  test("a broken process takes nothing from the others of its reminder", async () => {
    const { world, one, first } = await napping();
    one.kill();
    await world.store.insert("sys/sys.ProcessManager/p1/2", JSON.stringify({ broken: true }));
    world.join(systemOf(), "two");
    world.place = () => 1;
    for (let minute = 0; minute < 22; minute += 1) await world.clock.advance(60_000);
    // The others have left it for the later one of their new host.
    expect(world.carried.get(first)?.runs).toEqual([{ id: "p1", run: 1 }]);
    for (const id of ["p2", "p3"]) expect(world.of(id)).toHaveLength(1);
  });

  test("one that a host of another version has set is left alone", async () => {
    const world = new CountedWorld();
    const one = world.join(systemOf(), "one");
    world.setReminder({ type: "sys.ProcessManager", id: "q" }, "shared-x", 1_000, 1_000, { later: true });
    await world.clock.advance(5_000);
    expect([world.reminders.size, world.store.keys("sys/sys.ProcessManager/q/")]).toEqual([1, []]);
    await expect(one.operations.process("q")).rejects.toMatchObject({ code: "process.unknown" });
  });
});
