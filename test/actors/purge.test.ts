/** @module The purge on real hosts: what is purged, what stays, and when; a crash at every write; redelivered old messages. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { JournalPurge } from "../../actors/retention/journal-purge.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { withLimits } from "../../simulation/world/limits.ts";
import { HandClock } from "./engine-rig.ts";
import { begun, FragileStore, PurgeWorld } from "./purge-rig.ts";
import { CALLER } from "./world-rig.ts";

/** After this, no valid message references a task of the default lifetime. */
const HORIZON_MS = LIMITS.taskTimeoutMsDefault + LIMITS.compensationMsMax + LIMITS.clockDriftMsMax;
const SETTLE_MS = 2 * LIMITS.indexBucketMs;
const TEST_MS = 120_000;

/** Each settled work item leaves the state of its actor with the next record. */
let restore: () => void = () => {};
beforeAll(() => {
  restore = withLimits({ agentSettledMax: 0, agentLeavingMax: 1 });
});
afterAll(() => restore());

beforeEach(() => void begun.splice(0));

describe("law: purge only what ended, after the retention and the expiry horizon", () => {
  test(
    "a process is purged with its children, agents, values, entries and buckets; what lives on stays",
    { timeout: TEST_MS },
    async () => {
      const rig = new PurgeWorld();
      const one = rig.join();
      await rig.run(one, "p");
      expect(begun.filter((line) => line.endsWith(" p"))).toHaveLength(2);
      const retention = rig.retention(one);
      const passing = rig.passing;
      expect(passing.length).toBeGreaterThan(20);
      // The keyed agent has settled two work items of the process, and one has left its state.
      expect(passing.filter((key) => key.includes("/settled-"))).toHaveLength(1);
      expect(await retention.sweep({ whole: true })).toEqual({ purged: 0, waiting: 2, more: false });
      await rig.world.clock.advance(LIMITS.retentionMsDefault - LIMITS.askAgainMs - 60_000);
      expect(await retention.sweep()).toMatchObject({ purged: 0 });
      expect(rig.passing).toEqual(passing);

      await rig.world.clock.advance(SETTLE_MS);
      const lasting = rig.lasting;
      expect(await retention.sweep({ whole: true, dryRun: true })).toMatchObject({ purged: 1, waiting: 1 });
      expect(rig.passing).toEqual(passing);
      // The parent reads its child's output where it stands, so it goes first.
      expect(await retention.sweep()).toMatchObject({ purged: 1 });
      await rig.world.clock.advance(SETTLE_MS);
      expect(await retention.sweep()).toMatchObject({ purged: 1, waiting: 0 });
      // A tombstone and the last record of each process, and of the agent that lived for it.
      expect(rig.passing.filter((key) => !key.includes("sys.Directory"))).toHaveLength(8);
      expect(rig.passing.filter((key) => key.includes("/value/"))).toEqual([]);

      await expect(one.operations.process("p")).rejects.toMatchObject({ code: "process.purged" });
      await expect(one.operations.submit({ id: "p", route: "outer", input: { text: "p" } }, CALLER, 0)).rejects.toMatchObject({
        code: "process.purged",
      });
      await expect(one.operations.cancel("p", "late", CALLER)).rejects.toMatchObject({ code: "process.purged" });

      for (let day = 0; day < 3; day += 1) {
        await rig.world.clock.advance(LIMITS.tombstoneMs + SETTLE_MS);
        await retention.sweep();
      }
      expect(rig.passing).toEqual([]);
      // The roots have noted that the bucket left; nothing else of what lives on has changed.
      expect(rig.lasting.filter((key) => !key.includes("/root/"))).toEqual(lasting.filter((key) => !key.includes("/root/")));
      expect(await one.host.directory.buckets()).toEqual([]);
      // The id is free again.
      await rig.run(one, "p");
      expect(begun.filter((line) => line.endsWith(" p"))).toHaveLength(4);
    },
  );

  test("however short the retention, a process that a valid message may reference stays", { timeout: TEST_MS }, async () => {
    const rig = new PurgeWorld();
    const one = rig.join();
    await rig.run(one, "p");
    const retention = rig.retention(one, 0);
    await rig.world.clock.advance(HORIZON_MS - 60_000);
    expect(await retention.sweep()).toMatchObject({ purged: 0, waiting: 2 });
    await rig.world.clock.advance(120_000);
    expect((await retention.sweep({ whole: true })).purged).toBeGreaterThan(0);
  });

  test(
    "an open process and one whose dead letter waits stay forever; an entry without a process is purged",
    { timeout: TEST_MS },
    async () => {
      const rig = new PurgeWorld();
      const one = rig.join();
      await rig.run(one, "p", "fail");
      await one.host.tick({ type: "sys.ProcessManager", id: "absent" }, "run-1");
      const kept = rig.passing.filter((key) => key.includes("/p/"));
      for (let week = 0; week < 8; week += 1) {
        await rig.world.clock.advance(LIMITS.retentionMsDefault);
        await rig.retention(one).sweep();
      }
      expect(rig.passing.filter((key) => key.includes("/p/"))).toEqual(kept);
      expect(rig.passing.filter((key) => key.includes("absent"))).toEqual([]);
      const { entries } = await one.operations.deadLetters({}, undefined, 10);
      expect(entries).toMatchObject([{ id: "p:1", open: true }]);
    },
  );
});

describe("law: a purge that is killed between any two steps is continued, and resurrects nothing", () => {
  test.each(["before", "after", "half"] as const)(
    "killed %s each write, then everything comes again",
    { timeout: TEST_MS },
    async (kind) => {
      let crashes = 0;
      for (let at = 1; ; at += 1) {
        const rig = new PurgeWorld();
        const one = rig.join();
        await rig.run(one, "p");
        await rig.world.clock.advance(LIMITS.retentionMsDefault + SETTLE_MS);
        const old = [...rig.seen];
        const isDead = await purgeUntil(rig, one, at, kind);
        const two = rig.join();
        const ran = begun.length;
        await rig.resend(two, old);
        // The dead host's caches are gone with it; the second one goes on with what it finds.
        for (let pass = 0; pass < 4; pass += 1) {
          await rig.retention(two).sweep();
          await rig.resend(two, old);
          await rig.world.clock.advance(pass === 0 ? SETTLE_MS : LIMITS.tombstoneMs + SETTLE_MS);
        }
        await rig.retention(two).sweep();
        expect(begun.slice(ran), `crash ${kind} write ${at}`).toEqual([]);
        expect(rig.passing, `crash ${kind} write ${at}`).toEqual([]);
        await rig.resend(two, old);
        expect(begun.slice(ran)).toEqual([]);
        expect(rig.passing, `resent after crash ${kind} write ${at}`).toEqual([]);
        if (!isDead) break;
        crashes += 1;
      }
      process.stdout.write(`purge killed ${kind} each of its writes: ${crashes} runs\n`);
      expect(crashes).toBeGreaterThan(15);
    },
  );

  test("two hosts that purge at once do no more than one", { timeout: TEST_MS }, async () => {
    const rig = new PurgeWorld();
    const [one, two] = [rig.join(), rig.join()];
    await rig.run(one, "p");
    for (let pass = 0; pass < 6; pass += 1) {
      await rig.world.clock.advance(pass === 0 ? LIMITS.retentionMsDefault + SETTLE_MS : LIMITS.tombstoneMs + SETTLE_MS);
      await Promise.all([rig.retention(one).sweep(), rig.retention(two).sweep()]);
    }
    expect(rig.passing).toEqual([]);
  });

  test("a host with a cached actor that was purged checks before it writes", { timeout: TEST_MS }, async () => {
    const rig = new PurgeWorld();
    const [one, two] = [rig.join(), rig.join()];
    await rig.run(one, "p");
    expect(one.host.processes.engine.peek("p")?.phase).toBe("ended");
    await rig.world.clock.advance(LIMITS.retentionMsDefault + SETTLE_MS);
    await rig.retention(two).sweep();
    await expect(one.operations.submit({ id: "p", route: "outer", input: { text: "p" } }, CALLER, 0)).rejects.toMatchObject({
      code: "process.purged",
    });
  });
});

test("the entries of a settled work item are removed first one first, also where a removal was killed", async () => {
  const removed: string[] = [];
  class NotingStore extends FragileStore {
    override remove(some: readonly string[]): Promise<void> {
      removed.push(...some.map((key) => key.slice(-1)));
      return super.remove(some);
    }
  }
  const store = new NotingStore();
  for (const count of [2, 3, 4, 5]) await store.insert(`sys/value/A~one/settled-w-${count}`, "{}");
  await new JournalPurge(store, new HandClock(), "sys").forgetSettled("A~one", ["w"], "p");
  expect(removed).toEqual(["2", "3", "4", "5"]);
  expect(store.keys()).toEqual([]);
});

/** Runs passes until everything is purged, or until the write at which the host dies; returns whether it died. */
async function purgeUntil(
  rig: PurgeWorld,
  one: ReturnType<PurgeWorld["join"]>,
  at: number,
  kind: "before" | "after" | "half",
): Promise<boolean> {
  const store: FragileStore = rig.store;
  let isDead = false;
  const died = new Promise<void>((resolve) => {
    const from = store.writes;
    store.onWrite = (write) =>
      write !== from + at
        ? undefined
        : {
            kind,
            die: () => {
              isDead = true;
              one.kill();
              resolve();
            },
          };
  });
  const whole = async (): Promise<void> => {
    const retention = rig.retention(one);
    for (let pass = 0; pass < 5 && !isDead; pass += 1) {
      await retention.sweep();
      await rig.world.clock.advance(pass === 0 ? SETTLE_MS : LIMITS.tombstoneMs + SETTLE_MS);
    }
  };
  await Promise.race([whole(), died]);
  store.onWrite = () => undefined;
  one.kill();
  return isDead;
}
