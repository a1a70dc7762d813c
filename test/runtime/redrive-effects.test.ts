/** @module What a decision on a dead letter sends, and what late messages of an earlier run change. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { purgeDueMs } from "../../runtime/process/purge.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, asksWork, one, ProcessRig, slipOf } from "./process-rig.ts";
import { failed, lines, refusal, STOPS } from "./redrive-rig.ts";

describe("what is told of a decision", () => {
  test("a redrive: the letter's line is closed and the act is in the audit, at once, when asking again, and at the end", () => {
    const rig = failed();
    const told = [
      ["DeadLetterQueue", "p:1", false, "redriven"],
      ["Audit", "p:1:redrive", false, "redrive"],
    ];
    expect(lines(rig.redrive().effects)).toEqual(told);
    expect(lines(rig.give({ kind: "tick", run: 2 }).effects)).toEqual(told);
    expect(lines(rig.give({ kind: "tick", asks: "none" }).effects)).toEqual([]);
    rig.output(rig.id("b"));
    expect(lines(rig.output(rig.id("c")).effects)).toEqual([["Directory", "p", false, undefined], ...told]);
  });

  test("a discard: the same, with the line in the index closed for every run that could have been opened", () => {
    const rig = failed();
    const decision = rig.discard({ reason: "test data" });
    expect(lines(decision.effects)).toEqual([
      ["Directory", "p", false, undefined],
      ["DeadLetterQueue", "p:1", false, "discarded"],
      ["Audit", "p:1:discard", false, "discard"],
    ]);
    // And the notifications, since it is unknown whether those of the end were sent.
    expect(decision.effects.flatMap((effect) => (effect.kind === "notify" ? [effect.topic] : []))).toEqual(["deadletters", "results"]);
    expect(decision.effects[3]).toMatchObject({
      entry: { content: rig.state.outcome?.deadLetter, facts: { by: "ada", reason: "test data", decidedAtMs: rig.nowMs } },
    });
    expect(decision.effects[4]).toMatchObject({ entry: { facts: { who: "ada", what: "discard", target: "p:1", why: "test data" } } });
    expect(decision.effects[0]).toMatchObject({ entry: { facts: { voided: 2 } } });
    expect(rig.state.history.at(-1)).toMatchObject({ what: "discarded" });
  });

  test("a cancellation is in the audit with who and why, once", () => {
    const rig = new ProcessRig(slipOf(STOPS));
    rig.accept();
    expect(lines(rig.cancel("enough").effects)).toEqual([["Audit", "p:1:cancel", false, "cancel"]]);
    expect(names(rig.cancel("enough"))).toEqual([]);
    expect(rig.state.acts).toHaveLength(1);
  });

  test("a second letter of the same process is decided on its own, and the first decision stays told", () => {
    const rig = failed();
    rig.redrive();
    rig.undoAll(rig.fault(rig.id("b")));
    expect(refusal(rig.redrive({ run: 1, decisionId: "d9" }))).toBe("deadletter.decided");
    expect(lines(rig.redrive({ decisionId: "d2" }).effects).map((line) => (line as string[])[1])).toEqual([
      "p:1",
      "p:1:redrive",
      "p:2",
      "p:2:redrive",
    ]);
    expect(rig.state.runs?.map(({ run }) => run)).toEqual([1, 2]);
  });

  test("what a process remembers of its runs is bounded", () => {
    const rig = failed();
    for (let run = 2; run < LIMITS.runsKeptMax + 10; run += 1) {
      rig.redrive({ decisionId: `d${run}` });
      rig.undoAll(rig.fault(rig.id("b")));
    }
    expect(rig.state.runs).toHaveLength(LIMITS.runsKeptMax);
    expect(rig.state.acts?.length).toBeLessThanOrEqual(LIMITS.actsKeptMax);
    expect(refusal(rig.redrive({ run: 2, decisionId: "late" }))).toBe("deadletter.decided");
  });
});

describe("law: a run that was prepared and has no record is void before its reminder and its line go", () => {
  test("its reminder rings: the number is used up, the line is closed for it too, and the decision must be prepared anew", () => {
    const rig = failed();
    const rung = rig.give({ kind: "tick", run: 2 });
    expect(names(rung)).toEqual(["run-voided"]);
    expect(rung.effects[0]).toMatchObject({ index: "Directory", entry: { open: false, facts: { run: 1, voided: 2 } } });
    expect(names(rig.give({ kind: "tick", run: 2 }))).toEqual([]);
    expect(refusal(rig.redrive({ prepared: 2 }))).toBe("journal.contended");
    rig.redrive({ prepared: 3 });
    expect(rig.state.run).toBe(3);
    expect(rig.open).toEqual(["p:3:b:0:1"]);
  });

  test("ticks of the run that ended, and of any run once the letter is decided, write nothing", () => {
    const rig = failed();
    expect(names(rig.give({ kind: "tick", run: 1 }))).toEqual([]);
    rig.discard();
    expect(names(rig.give({ kind: "tick", run: 2 }))).toEqual([]);
  });

  test("a late tick of the old run, and results and undos of its works, change nothing of the new one", () => {
    const rig = failed();
    rig.redrive();
    const before = rig.state;
    for (const late of [
      rig.give({ kind: "tick", run: 1 }),
      rig.output("p:1:b:0:1"),
      rig.output("p:1:a:0:1/undo", { undone: 1, left: [], stands: [], stateStands: false }),
      rig.fault("p:1:b:0:1"),
    ])
      expect(late.events).toEqual([]);
    expect(rig.state).toEqual(before);
  });
});

test("an ask or answer of a handler of the first run, while the second is open, changes nothing; its agents are no longer new", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")], { agents: { B: { asks: ["C"] } } }));
  rig.accept();
  rig.output(rig.id("a"));
  rig.question(rig.id("b"), 0, "C");
  rig.undoAll(rig.fault(rig.id("b")));
  const again = rig.redrive();
  expect(asksWork(again)).toEqual(["p:2:b:0:1"]);
  const before = rig.state;
  for (const late of [
    rig.question("p:1:b:0:1", 0, "C"),
    rig.question("p:1:b:0:1", 1, "C"),
    rig.output("p:1:b:0:1/ask0:1"),
    rig.fault("p:1:b:0:1"),
  ])
    expect([late.events, late.effects]).toEqual([[], []]);
  expect(rig.state).toEqual(before);
  // The same ask in the new run is another work item, of an agent that was called before.
  const asked = rig.question(rig.id("b"), 0, "C");
  expect(asksWork(asked)).toEqual(["p:2:b:0:1/ask0:1"]);
  for (const decision of [again, asked]) for (const { body } of sends(decision.effects)) expect(body).not.toHaveProperty("first");
  expect(rig.state.met).toEqual(["A", "B", "C"]);
});

test("a new run can fail, be undone and be cancelled like the first: pinned work is not requested again", () => {
  const rig = failed();
  rig.redrive();
  rig.output(rig.id("b"), "second");
  const cancelled = rig.cancel();
  expect(asksUndo(cancelled)).toEqual(["p:2:c:0:1"]);
  expect(rig.undoAll(cancelled).order).toEqual(["p:2:c:0:1", "p:2:b:0:1"]);
  expect(rig.state.outcome?.status).toBe("cancelled");
});

test("a process whose letter waits is never purged; once it is decided its time counts from the decision", () => {
  const rig = failed();
  expect(purgeDueMs(rig.state, { retentionMs: 0, entryAtMs: T0 })).toBeUndefined();
  rig.after(30 * LIMITS.retentionMsDefault).discard();
  expect(purgeDueMs(rig.state, { retentionMs: 1_000_000, entryAtMs: T0 })).toBe(rig.nowMs + 1_000_000);
  expect(purgeDueMs(rig.state, { retentionMs: 0, entryAtMs: T0 })).toBe(rig.nowMs + LIMITS.clockDriftMsMax);
});
