/**
 * @module Decisions in combination with other events: reminders that fire in between, the purge, tasks that cannot be accepted, old
 * operator actions.
 */
import { describe, expect, test } from "vitest";
import { SILENT } from "../../actors/engine/log.ts";
import { Retention } from "../../actors/retention/retention.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ADA, failed, ids, made, settle } from "./dead-letters-rig.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, gate, type World } from "./world-rig.ts";

type Member = ReturnType<World["join"]>;

function retentionOf(world: World, member: Member, retentionMs = LIMITS.retentionMsDefault): Retention {
  return new Retention({ system: "sys", host: member.host, ports: world.portsOf(member, "sweep"), log: SILENT, retentionMs });
}

describe("a decision while the process is nudged", () => {
  test("is prepared again until it is recorded, and leaves no stale entries", async () => {
    const { world, one, behaviour } = await failed();
    behaviour.second = () => "two";
    // A starting host finds the entry of the prepared run before the run has its record.
    let isNudged = false;
    const read = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      if (isNudged || !text.includes('"reopened"')) return read(key, text);
      isNudged = true;
      const other = world.portsOf(one, "other");
      await other.store.insert(
        key,
        text.replace(/"events":\[.*\],"effects"/, '"events":[{"e":"run-voided","run":2}],"effects"').replace(one.host.incarnation, "other"),
      );
      return read(key, text);
    };
    expect(await one.operations.redrive("p:1", {}, ADA)).toMatchObject({ id: "p", run: 3 });
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    await settle(world);
    expect([world.reminders.size, ids(await one.operations.processes({ state: "open" }, undefined, 10))]).toEqual([0, []]);
  });
});

test.each([true, false])(
  "a decision whose host died before its effects were performed performs them when it is repeated, or when the host is found dead",
  async (isRepeated) => {
    const { world, one, join } = await failed();
    const insert = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      const result = await insert(key, text);
      if (text.includes('"e":"acted"')) one.kill();
      return result;
    };
    void one.operations.discard("p:1", "d1", ADA);
    await flush();
    expect(one.reachable).toBe(false);
    for (const end of world.reminders.values()) end();
    world.reminders.clear();
    const two = join("two");
    await flush();
    expect([ids(await two.operations.deadLetters({}, undefined, 10)), ids(await two.operations.audit(undefined, 10))]).toEqual([
      ["p:1"],
      [],
    ]);
    if (isRepeated) await two.operations.discard("p:1", "d1", ADA);
    await (isRepeated ? flush() : settle(world));
    expect([
      ids(await two.operations.deadLetters({}, undefined, 10)),
      ids(await two.operations.audit(undefined, 10)),
      world.reminders.size,
    ]).toEqual([[], ["p:1:discard"], 0]);
  },
);

test("a new input that is too large is refused, and nothing is recorded or prepared", async () => {
  const { world, one } = await failed();
  const before = world.store.keys();
  await expect(one.operations.redrive("p:1", { input: "x".repeat(LIMITS.valueBytesMax) }, ADA)).rejects.toMatchObject({
    code: "value.too-large",
  });
  expect([world.store.keys(), world.reminders.size]).toEqual([before, 0]);
});

describe("a nested route that failed", () => {
  test(
    "has a dead letter beside its parent's: the parent's is redriven, the child's discarded, and each keeps " + "its process until then",
    async () => {
      const { world, join, behaviour } = made();
      const one = join("one");
      const retention = retentionOf(world, one);
      await one.operations.submit({ id: "p", route: "nesting", input: { n: 1 } }, CALLER, 0);
      expect(await world.until(one, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
      await settle(world);
      const { entries } = await one.operations.deadLetters({ route: "outer" }, undefined, 10);
      expect(entries).toMatchObject([{ parent: "p", open: true }]);
      const [child = ""] = ids({ entries }) as string[];
      await expect(one.operations.redrive(child, {}, ADA)).rejects.toMatchObject({ code: "deadletter.nested", details: { letter: "p:1" } });

      behaviour.second = () => "two";
      await one.operations.redrive("p:1", {}, ADA);
      expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: "two" });
      await settle(world);
      // The new run has its own child; the old child's dead letter still exists.
      expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual([child]);
      const weeks = async (): Promise<void> => {
        for (let sweep = 0; sweep < 3; sweep += 1) {
          await world.clock.advance(LIMITS.retentionMsDefault + LIMITS.compensationMsMax);
          await retention.sweep({ whole: true });
        }
      };
      await weeks();
      await expect(one.operations.process("p")).rejects.toMatchObject({ code: "process.unknown" });
      expect(await one.operations.deadLetter(child)).toMatchObject({ open: true, letter: { fault: { code: "agent.refused" } } });
      await one.operations.discard(child, "its parent was redriven", ADA);
      await settle(world);
      await weeks();
      expect(ids(await one.operations.deadLetters({ decided: true }, undefined, 10))).toEqual([]);
      expect([world.reminders.size, world.store.keys().filter((key) => key.includes("child-"))]).toEqual([0, []]);
    },
  );
});

describe("redriven invalid message", () => {
  const bytes = { bytes: Buffer.from("{"), size: 1 };
  const fault = { code: "message.invalid", message: "no JSON" } as const;

  async function filedInvalid(): Promise<ReturnType<typeof made> & { readonly one: Member; readonly id: string }> {
    const rig = made();
    rig.behaviour.second = () => "two";
    const one = rig.join("one");
    await one.operations.invalid(bytes, fault, "sys.tasks");
    return { ...rig, one, id: ids(await one.operations.deadLetters({}, undefined, 10))[0] as string };
  }

  test("whose task is refused for good still waits, for any decision", async () => {
    const { world, one, id } = await filedInvalid();
    await one.operations.submit({ id: "taken", route: "main", input: { n: 1 } }, CALLER, 0);
    await world.until(one, "taken");
    await expect(one.operations.redrive(id, { input: { id: "taken", route: "main", input: { n: 2 } } }, ADA)).rejects.toMatchObject({
      code: "process.conflict",
    });
    await expect(one.operations.redrive(id, { input: { route: "main", input: { n: 2 }, timeoutMs: 0 } }, ADA)).rejects.toMatchObject({
      code: "body.invalid",
    });
    expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual([id]);
    const input = { id: "free", route: "main", input: { n: 2 } };
    expect(await one.operations.redrive(id, { input }, ADA)).toMatchObject({ id: "free" });
    expect(await one.operations.redrive(id, { input }, ADA)).toMatchObject({ id: "free" });
    expect(await world.until(one, "free")).toMatchObject({ status: "completed" });
    expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual([]);
    await expect(one.operations.discard(id, "no", ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
  });

  test("whose task is refused temporarily stays with its decision", async () => {
    const { join, id, world } = await filedInvalid();
    const full = join("two");
    world.place = (actor) => (actor.type === "sys.ProcessManager" ? 2 : 1);
    const input = { route: "main", input: { n: 2 } };
    const silent = full.operations.redrive(id, { input }, ADA).catch((error: unknown) => error);
    await world.clock.advance(1_000);
    expect(await silent).toMatchObject({ code: "sidecar.unavailable" });
    await expect(full.operations.discard(id, "no", ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
    world.place = () => undefined;
    expect(await full.operations.redrive(id, { input }, ADA)).toMatchObject({ route: "main" });
  });

  test("that was decided reports so, for any next decision", async () => {
    const { one, id } = await filedInvalid();
    await one.operations.discard(id, "noise", ADA);
    await expect(one.operations.redrive(id, {}, ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
    await expect(one.operations.redrive(id, { input: { route: "none", input: 1 } }, ADA)).rejects.toMatchObject({
      code: "deadletter.decided",
    });
  });
});

describe("a decision and the purge", () => {
  test("an undecided dead letter keeps its process, a decided one frees it, and a run that failed again keeps it again", async () => {
    const { world, one } = await failed();
    const retention = retentionOf(world, one);
    const week = async (): Promise<void> => {
      await world.clock.advance(LIMITS.retentionMsDefault + LIMITS.compensationMsMax);
      await retention.sweep({ whole: true });
    };
    await week();
    expect(await one.operations.process("p")).toMatchObject({ run: 1, phase: "ended" });
    await one.operations.redrive("p:1", {}, ADA);
    expect(await world.until(one, "p")).toMatchObject({ status: "failed" });
    await settle(world);
    for (let weeks = 0; weeks < 3; weeks += 1) await week();
    expect(await one.operations.process("p")).toMatchObject({ run: 2, outcome: { status: "failed" } });
    expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual(["p:2"]);
    await one.operations.discard("p:2", "enough", ADA);
    await settle(world);
    await retention.sweep({ whole: true });
    // Its retention counts from the decision.
    expect(await one.operations.process("p")).toMatchObject({ run: 2 });
    await week();
    await expect(one.operations.process("p")).rejects.toMatchObject({ code: "process.purged" });
    for (let days = 0; days < 4; days += 1) {
      await world.clock.advance(LIMITS.tombstoneMs + LIMITS.indexBucketMs);
      await retention.sweep({ whole: true });
    }
    expect(world.store.keys().filter((key) => key.includes("/p/") || key.includes("DeadLetterQueue/0"))).toEqual([]);
  });

  test(
    "dead letters that wait for weeks are not read again in every pass, and their processes are purged in " + "time once they are decided",
    async () => {
      const { world, one } = await failed();
      const retention = retentionOf(world, one);
      await world.clock.advance(LIMITS.retentionMsDefault);
      await retention.sweep();
      let looks = 0;
      const read = world.store.read.bind(world.store);
      world.store.read = (keys) => {
        if (keys.some((key) => key.includes("/p/"))) looks += 1;
        return read(keys);
      };
      for (let sweeps = 0; sweeps < 24 * 6; sweeps += 1) {
        await world.clock.advance(LIMITS.sweepMs);
        await retention.sweep();
      }
      expect(looks).toBeLessThan(10);
      await one.operations.discard("p:1", "enough", ADA);
      for (let days = 0; days < 8; days += 1) {
        await world.clock.advance(LIMITS.compensationMsMax);
        await retention.sweep();
      }
      // Seven days after the decision it was purged, and a day later its tombstone went.
      expect(world.store.keys().filter((key) => key.includes("/p/"))).toEqual([]);
    },
  );

  test("a run that outlives the audit entry of its redrive is still closed at its end", async () => {
    const { world, join, behaviour } = made();
    const [one, two] = [join("one"), join("two")];
    await one.operations.submit({ id: "p", route: "slow", input: { n: 1 }, timeoutMs: LIMITS.taskTimeoutMsMax }, CALLER, 0);
    expect(await world.until(one, "p")).toMatchObject({ status: "failed" });
    await settle(world);
    const answer = gate<string>();
    behaviour.second = () => answer.promise;
    await one.operations.redrive("p:1", {}, ADA);
    await settle(world);
    // A machine sleeps for days: nothing of this process happens in the meantime.
    one.freeze();
    for (const cancel of world.reminders.values()) cancel();
    await world.clock.advance(LIMITS.auditMsMin - LIMITS.compensationMsMax / 2);
    await world.clock.advance(LIMITS.compensationMsMax);
    await retentionOf(world, two).sweep({ whole: true });
    expect(await two.operations.audit(undefined, 10)).toEqual({ entries: [] });
    one.thaw();
    answer.open("two");
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    await settle(world);
    expect(ids(await one.operations.processes({ state: "open" }, undefined, 10))).toEqual([]);
    expect(await one.operations.audit(undefined, 10)).toEqual({ entries: [] });
  });
});

describe("a purge requested by a person", () => {
  test("continues past the limit of one pass, to the end", { timeout: 60_000 }, async () => {
    const { world, join } = made();
    const one = join("one");
    const line = (number: number): Promise<string> =>
      one.host.directory.open({ id: `never-${number}`, open: true, atMs: world.clock.nowMs(), facts: {} });
    // Entries of tasks that were never created, over two buckets.
    const counts = [LIMITS.sweepProcessesMax, 5];
    for (const count of counts) {
      await Promise.all(Array.from({ length: count }, (_, number) => line(number)));
      await world.clock.advance(LIMITS.indexBucketMs);
    }
    await world.clock.advance(LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax);
    await one.operations.purge({ olderThanMs: 0 }, ADA);
    await flush();
    const left = await Promise.all((await one.host.directory.buckets()).map((bucket) => one.host.directory.read(bucket)));
    expect(left.flat()).toEqual([]);
  });
});

test(
  "a waiting invalid message is found as long as it waits, even if its slice had several buckets and the first is empty",
  { timeout: 60_000 },
  async () => {
    const { world, join } = made();
    const one = join("one");
    const invalid = (number: number, open: boolean): Promise<void> =>
      one.host.desk.file("000000001.0000", { id: `invalid-000000001-${number.toString(16)}`, open, atMs: world.clock.nowMs(), facts: {} });
    await Promise.all(Array.from({ length: LIMITS.indexBucketEntriesMax }, (_, number) => invalid(number, false)));
    await invalid(LIMITS.indexBucketEntriesMax, true);
    const [id] = ids(await one.operations.deadLetters({}, undefined, 10)) as string[];
    await world.clock.advance(LIMITS.retentionMsDefault + LIMITS.compensationMsMax);
    const retention = retentionOf(world, one);
    for (let days = 0; days < 3; days += 1) {
      await retention.sweep({ whole: true });
      await world.clock.advance(LIMITS.tombstoneMs + LIMITS.indexBucketMs);
    }
    expect(await one.operations.deadLetter(id ?? "")).toMatchObject({ id, open: true });
    await one.operations.discard(id ?? "", "noise", ADA);
    for (let days = 0; days < 12; days += 1) {
      await world.clock.advance(LIMITS.tombstoneMs + LIMITS.indexBucketMs);
      await retention.sweep({ whole: true });
    }
    expect(world.store.keys().filter((key) => key.includes("DeadLetterQueue/0"))).toEqual([]);
  },
);
