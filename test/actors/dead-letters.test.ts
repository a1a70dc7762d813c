/** @module The dead letter queue over hosts, a store and reminders: new runs, decisions that race or are interrupted, the audit, pages. */
import { describe, expect, test } from "vitest";
import { Fault } from "../../agents/index.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { recover } from "../../actors/host/recovery.ts";
import { entriesOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { ADA, failed, ids, made, settle } from "./dead-letters-rig.ts";
import { flush } from "./engine-rig.ts";
import { CALLER } from "./world-rig.ts";

describe("a redrive", () => {
  test("opens a new run at the stop that failed; its end is notified, and the dead letter says who decided and why", async () => {
    const { world, one, behaviour, ran } = await failed();
    behaviour.second = () => "two";
    expect(await one.operations.redrive("p:1", { reason: "the dead letter queue is open again" }, ADA)).toMatchObject({
      id: "p",
      route: "main",
      run: 2,
    });
    expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: { first: "one", second: "two" } });
    await settle(world);
    // Not for the undo of the first run: an undo runs no handler.
    expect(ran).toEqual(["first 1", "second 1", "second 1"]);
    expect(world.reminders.size).toBe(0);
    expect(await one.operations.deadLetters({}, undefined, 10)).toEqual({ entries: [] });
    expect((await one.operations.deadLetters({ decided: true }, undefined, 10)).entries).toMatchObject([
      { id: "p:1", open: false, decision: "redriven", by: "ada", reason: "the dead letter queue is open again", opened: 2 },
    ]);
    expect((await one.operations.processes({}, undefined, 10)).entries).toMatchObject([
      { id: "p", open: false, status: "completed", run: 2 },
    ]);
    expect(await one.operations.process("p")).toMatchObject({ run: 2, runs: [{ run: 1, status: "failed", code: "agent.refused" }] });
    expect(await one.operations.deadLetter("p:1")).toMatchObject({ letter: { run: 1, fault: { code: "agent.refused" } } });
    expect(world.notifications).toEqual(["sys.deadletters p:1", "sys.results p:1", "sys.results p:2"]);
    expect((await one.operations.audit(undefined, 10)).entries).toMatchObject([
      { id: "p:1:redrive", who: "ada", what: "redrive", target: "p:1", why: "the dead letter queue is open again" },
    ]);
  });

  test(
    "a repeated decision gets the same receipt, another decision gets deadletter.decided, and a failed run " + "has its own dead letter",
    async () => {
      const { world, one } = await failed();
      const first = await one.operations.redrive("p:1", { decisionId: "ticket-1" }, ADA);
      await world.until(one, "p");
      await settle(world);
      expect(await one.operations.redrive("p:1", { decisionId: "ticket-1" }, ADA)).toEqual(first);
      await expect(one.operations.redrive("p:1", { decisionId: "ticket-2" }, ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
      await expect(one.operations.discard("p:1", "no", ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
      expect(ids(await one.operations.deadLetters({}, undefined, 10))).toEqual(["p:2"]);
      await expect(one.operations.redrive("p:3", {}, ADA)).rejects.toMatchObject({ code: "deadletter.unknown" });
      for (const id of ["unknown:1", "p", "p:0", "p:x", "a b:1", "invalid-000001-00"])
        await expect(one.operations.redrive(id, {}, ADA)).rejects.toMatchObject({ code: "deadletter.unknown" });
    },
  );

  test("without a decision id, the same request of the same person is the same decision", async () => {
    const { one } = await failed();
    const first = await one.operations.redrive("p:1", { input: { n: 7 }, reason: "typo" }, ADA);
    expect(await one.operations.redrive("p:1", { input: { n: 7 }, reason: "typo" }, ADA)).toEqual(first);
    await expect(one.operations.redrive("p:1", { input: { n: 8 }, reason: "typo" }, ADA)).rejects.toMatchObject({
      code: "deadletter.decided",
    });
  });

  test("an edited input is checked against the failed agent's schema, with path and expectation, before anything is decided", async () => {
    const { world, one, behaviour, ran } = await failed();
    behaviour.second = (n) => `two ${n}`;
    for (const input of [{ n: "seven" }, { n: 7, more: 1 }, null, 7])
      await expect(one.operations.redrive("p:1", { input }, ADA)).rejects.toMatchObject({ code: "schema.input" });
    await expect(one.operations.redrive("p:1", { input: { n: "seven" } }, ADA)).rejects.toThrow(/at n: expected number/);
    expect(await one.operations.process("p")).toMatchObject({ phase: "ended", run: 1 });
    await one.operations.redrive("p:1", { input: { n: 7 } }, ADA);
    expect(await world.until(one, "p")).toMatchObject({ output: { first: "one", second: "two 7" } });
    expect(ran.at(-1)).toBe("second 7");
  });

  test("of two hosts that decide at once one opens a run; the other is refused, and leaves no stale entries", async () => {
    const { world, join, one, behaviour } = await failed();
    const two = join("two");
    behaviour.second = () => "two";
    // Each host runs the turn itself, as after a move of the actor.
    let turn = 0;
    world.place = (actor) => (actor.type === "sys.ProcessManager" ? (turn += 1) % 2 : 0);
    const decided = await Promise.allSettled(
      ["a", "b"].map((decisionId, index) => [one, two][index]?.operations.redrive("p:1", { decisionId }, ADA)),
    );
    expect(decided.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(decided.find((one_) => one_.status === "rejected")).toMatchObject({ reason: { code: "deadletter.decided" } });
    world.place = () => undefined;
    expect(await world.until(one, "p")).toMatchObject({ status: "completed" });
    await settle(world);
    expect(await one.operations.process("p")).toMatchObject({ run: 2 });
    expect([world.reminders.size, ids(await one.operations.processes({ state: "open" }, undefined, 10))]).toEqual([0, []]);
  });
});

describe("law: the entry of a new run is open before its record", () => {
  test("a host that dies before the record leaves an entry that another host closes again; the dead letter still waits", async () => {
    const { world, join, one } = await failed();
    const record = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      if (!text.includes('"reopened"')) return record(key, text);
      one.kill();
      return new Promise(() => {});
    };
    void one.operations.redrive("p:1", {}, ADA);
    await flush();
    world.store.insert = record;
    const two = join("two");
    expect(ids(await two.operations.processes({ state: "open" }, undefined, 10))).toEqual(["p"]);
    await settle(world);
    expect([world.reminders.size, ids(await two.operations.processes({ state: "open" }, undefined, 10))]).toEqual([0, []]);
    expect(ids(await two.operations.deadLetters({}, undefined, 10))).toEqual(["p:1"]);
    // The number of the run that was never recorded is used up.
    expect(await two.operations.redrive("p:1", {}, ADA)).toMatchObject({ run: 3 });
  });

  test("also if every reminder was lost: the next start finds the entry and closes it", async () => {
    const { world, join, one } = await failed();
    const record = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => (text.includes('"reopened"') ? (one.kill(), new Promise(() => {})) : record(key, text));
    void one.operations.redrive("p:1", {}, ADA);
    await flush();
    for (const cancel of world.reminders.values()) cancel();
    world.reminders.clear();
    world.store.insert = record;
    const two = join("two");
    const recovered = recover({
      system: "sys",
      ports: world.portsOf(two, "recovery"),
      directory: two.host.directory,
      log: SILENT,
      stopped: () => false,
    });
    await flush(100);
    expect(await recovered).toBe(1);
    await settle(world);
    expect([world.reminders.size, ids(await two.operations.processes({ state: "open" }, undefined, 10))]).toEqual([0, []]);
  });

  test("a run whose host dies right after the record continues on another host by its reminder", async () => {
    const { world, join, one, behaviour } = await failed();
    behaviour.second = () => "two";
    const record = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      const result = await record(key, text);
      if (text.includes('"reopened"')) one.kill();
      return result;
    };
    void one.operations.redrive("p:1", {}, ADA);
    await flush();
    const two = join("two");
    expect(await world.until(two, "p")).toMatchObject({ status: "completed" });
    await settle(world);
    expect(ids(await two.operations.deadLetters({}, undefined, 10))).toEqual([]);
    expect((await two.operations.audit(undefined, 10)).entries).toHaveLength(1);
  });

  test("late ticks of the old run's reminder are harmless to the new run", async () => {
    const { world, one } = await failed();
    await one.operations.redrive("p:1", {}, ADA);
    for (const name of ["run-1", "run-1", "run-0"]) await one.host.tick({ type: "sys.ProcessManager", id: "p" }, name);
    await world.until(one, "p");
    await settle(world);
    expect(world.reminders.size).toBe(0);
  });
});

describe("a discard", () => {
  test("is recorded in the process, closes the entry with who and why, and leaves an audit record", async () => {
    const { world, one } = await failed();
    expect(await one.operations.discard("p:1", "test data", ADA)).toMatchObject({
      id: "p:1",
      open: false,
      decision: "discarded",
      by: "ada",
      reason: "test data",
    });
    await settle(world);
    expect(world.reminders.size).toBe(0);
    expect(await one.operations.deadLetters({}, undefined, 10)).toEqual({ entries: [] });
    expect(await one.operations.discard("p:1", "test data", ADA)).toMatchObject({ open: false, reason: "test data" });
    await expect(one.operations.redrive("p:1", {}, ADA)).rejects.toMatchObject({ code: "deadletter.decided" });
    expect((await one.operations.audit(undefined, 10)).entries).toMatchObject([
      { who: "ada", what: "discard", target: "p:1", why: "test data" },
    ]);
  });

  test("whose effects are not performed is performed again by the reminder", async () => {
    const { world, join, one } = await failed();
    const record = world.store.insert.bind(world.store);
    world.store.insert = async (key, text) => {
      const result = await record(key, text);
      if (text.includes('"discard"') && key.includes("ProcessManager")) one.kill();
      return result;
    };
    void one.operations.discard("p:1", "x", ADA);
    await flush();
    world.store.insert = record;
    const two = join("two");
    expect(ids(await two.operations.deadLetters({}, undefined, 10))).toEqual(["p:1"]);
    await settle(world);
    expect([
      ids(await two.operations.deadLetters({}, undefined, 10)),
      ids(await two.operations.audit(undefined, 10)),
      world.reminders.size,
    ]).toEqual([[], ["p:1:discard"], 0]);
  });
});

describe("pages", () => {
  test("of processes: newest first, by state, status and route, each once over all pages", async () => {
    const { world, join, behaviour } = made();
    const one = join("one");
    behaviour.second = (n) => {
      if (n % 3 === 0) throw new Fault("agent.refused", "no");
      return "two";
    };
    for (let n = 0; n < 12; n += 1) {
      await one.operations.submit({ id: `p${n}`, route: n % 2 === 0 ? "main" : "outer", input: { n } }, CALLER, 0);
      await world.until(one, `p${n}`);
      await world.clock.advance(n === 5 ? LIMITS.indexBucketMs : 1_000);
    }
    await settle(world);
    const all: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await one.operations.processes({}, cursor, 5);
      all.push(...ids(page));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(all).toEqual(Array.from({ length: 12 }, (_, index) => `p${11 - index}`));
    expect(ids(await one.operations.processes({ status: "failed" }, undefined, 50))).toEqual(["p9", "p6", "p3", "p0"]);
    expect(ids(await one.operations.processes({ route: "outer", status: "failed" }, undefined, 50))).toEqual(["p9", "p3"]);
    expect(ids(await one.operations.processes({ state: "open" }, undefined, 50))).toEqual([]);
    expect(ids(await one.operations.deadLetters({ route: "main" }, undefined, 50))).toEqual(["p6:1", "p0:1"]);
    expect(ids(await one.operations.deadLetters({ code: "stop.timeout" }, undefined, 50))).toEqual([]);
    for (const bad of ["x", "1/2", "1.1/x/", ""])
      await expect(one.operations.processes({}, bad, 5)).rejects.toMatchObject({ code: "body.invalid" });
  });

  test("another host's page contains the entries of this one, also in a bucket that it had read before", async () => {
    const { world, join } = made();
    const [one, two] = [join("one"), join("two")];
    for (const id of ["p", "q"]) {
      await one.operations.submit({ id, route: "main", input: { n: 1 } }, CALLER, 0);
      expect(ids(await two.operations.processes({}, undefined, 5))).toContain(id);
      await world.until(one, id);
    }
    await settle(world);
    expect(ids(await two.operations.processes({ state: "ended" }, undefined, 5)).sort()).toEqual(["p", "q"]);
  });

  test("a full bucket is followed by the next: each dead letter and action is in one, however often it is filed", async () => {
    const { world, join } = made();
    const one = join("one");
    const acts = Array.from({ length: LIMITS.indexBucketEntriesMax + 20 }, (_, number) => ({
      id: `act-${number}`,
      open: false,
      atMs: 1,
      facts: { who: "ada", what: "x", target: "y", why: "" },
    }));
    for (let round = 0; round < 2; round += 1) await Promise.all(acts.map((entry) => one.host.audit.file("000001666.0000", entry)));
    const sizes = await Promise.all(
      ["000001666.0000", "000001666.0001"].map(
        async (bucket) => entriesOf((await one.host.indexEngine("Audit").fresh(bucket)).state).length,
      ),
    );
    expect(sizes).toEqual([LIMITS.indexBucketEntriesMax, 20]);
    expect(world.clock.nowMs()).toBe(1_000_000);
  });
});

test("an operator action over HTTP or the command is in the audit: a cancellation, and a purge", async () => {
  const { world, join } = made();
  const one = join("one");
  await one.operations.submit({ id: "p", route: "main", input: { n: 1 } }, { principal: { ...ANONYMOUS, subject: "bob" } }, 0);
  await one.operations.cancel("p", "enough", ADA);
  await world.until(one, "p");
  await world.clock.advance(1);
  await one.operations.purge({}, ADA);
  await one.operations.purge({ dryRun: true }, ADA);
  await settle(world);
  expect((await one.operations.audit(undefined, 10)).entries).toMatchObject([
    { what: "purge", who: "ada", target: "sys" },
    { what: "cancel", who: "ada", target: "p", why: "enough" },
  ]);
  expect((await one.operations.processes({}, undefined, 10)).entries).toMatchObject([{ id: "p", by: "bob", status: "cancelled" }]);
  expect(one.operations.graph()).toMatchObject({ system: "sys", agents: [{ name: "First" }, { name: "Second" }] });
});
