/** @module Decisions on dead letters: who may decide when, where a new run begins, what is pinned, what is reported. */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { purgeDueMs } from "../../runtime/process/purge.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Effect } from "../../runtime/protocol.ts";
import type { Stop } from "../../runtime/slip.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksUndo, asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const STOPS = [one("a"), one("b"), one("c")];
const TIMEOUT_MS = 3_600_000;

/** A process of stops a, b and c that failed at b; `hadEffect` tells which undos had something to undo. */
function failed(hadEffect: (workId: string) => boolean = () => false, stops: readonly Stop[] = STOPS): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, { output: { from: ["c"] } }));
  rig.accept();
  rig.output(rig.id("a"), "first");
  rig.undoAll(rig.fault(rig.id("b")), hadEffect);
  expect(rig.state.outcome?.status).toBe("failed");
  return rig;
}

function refusal(decision: Decision<ProcessEvent>): string | undefined {
  return decision.verdict.kind === "refused" ? decision.verdict.fault.code : undefined;
}

function lines(effects: readonly Effect[]): unknown[] {
  return effects.flatMap((effect) =>
    effect.kind === "index"
      ? [[effect.index, effect.entry.id, effect.entry.open, effect.entry.facts["decision"] ?? effect.entry.facts["what"]]]
      : [],
  );
}

describe("when a dead letter can be decided on", () => {
  const phases: readonly (readonly [string, () => ProcessRig, string])[] = [
    ["never was", () => new ProcessRig(slipOf(STOPS)), "deadletter.unknown"],
    [
      "void",
      () => {
        const rig = new ProcessRig(slipOf(STOPS));
        rig.tick();
        return rig;
      },
      "deadletter.unknown",
    ],
    [
      "open",
      () => {
        const rig = new ProcessRig(slipOf(STOPS));
        rig.accept();
        return rig;
      },
      "deadletter.unknown",
    ],
    [
      "being undone",
      () => {
        const rig = new ProcessRig(slipOf(STOPS));
        rig.accept();
        rig.fault(rig.id("a"));
        return rig;
      },
      "deadletter.unknown",
    ],
    [
      "completed",
      () => {
        const rig = new ProcessRig(slipOf([one("a")]));
        rig.accept();
        rig.output(rig.id("a"));
        return rig;
      },
      "deadletter.unknown",
    ],
    [
      "cancelled",
      () => {
        const rig = new ProcessRig(slipOf(STOPS));
        rig.accept();
        rig.undoAll(rig.cancel());
        return rig;
      },
      "deadletter.unknown",
    ],
    [
      "discarded",
      () => {
        const rig = failed();
        rig.discard({ decisionId: "other" });
        return rig;
      },
      "deadletter.decided",
    ],
    [
      "redriven and open",
      () => {
        const rig = failed();
        rig.redrive({ decisionId: "other" });
        return rig;
      },
      "deadletter.decided",
    ],
    [
      "purged",
      () => {
        const rig = failed();
        rig.discard({ decisionId: "other" });
        rig.nowMs += 10 * LIMITS.retentionMsDefault;
        rig.give({ kind: "purge", retentionMs: 0, entryAtMs: T0 });
        return rig;
      },
      "process.purged",
    ],
  ];
  for (const what of ["redrive", "discard"] as const) {
    test.each(phases)(`${what} of a process that is %s is refused and changes nothing`, (_phase, make, code) => {
      const rig = make();
      const decision = rig.decision(what, { run: 1 });
      expect([refusal(decision), decision.events, decision.effects]).toEqual([code, [], []]);
    });

    test(`${what} of a failed process is recorded once; the same decision again writes nothing, another one is refused`, () => {
      const rig = failed();
      const first = rig.decision(what);
      expect(names(first)[0]).toBe(what === "redrive" ? "reopened" : "acted");
      const again = rig.decision(what, { run: 1 });
      expect([again.verdict.kind, again.events]).toEqual(["received", []]);
      const other = rig.decision(what, { run: 1, decisionId: "d2" });
      expect([refusal(other), other.events]).toEqual(["deadletter.decided", []]);
      const turned = rig.decision(what === "redrive" ? "discard" : "redrive", { run: 1 });
      expect([refusal(turned), turned.events]).toEqual(["deadletter.decided", []]);
    });
  }

  test("a run that does not exist has no dead letter, and a process cannot be decided on in advance", () => {
    expect(refusal(failed().redrive({ run: 2 }))).toBe("deadletter.unknown");
  });

  test("a decision that comes after it has expired is refused", () => {
    const rig = failed();
    const late = rig.give({
      kind: "message",
      message: rig.message("d", { kind: "decision", what: "discard", run: 1, decisionId: "d", reason: "" }, rig.nowMs),
      prepared: 2,
    });
    expect([refusal(late), late.events]).toEqual(["message.expired", []]);
  });

  test("a nested route's letter belongs to its parent: a redrive names the parent's letter, a discard is taken", () => {
    const rig = new ProcessRig(slipOf(STOPS), "child-1");
    rig.accept({ parent: { processId: "above", workId: "above:3:s:0:1" }, nesting: ["above"] });
    rig.fault(rig.id("a"));
    rig.output(`${rig.id("a")}/undo`, null);
    const refused = rig.redrive();
    expect(refused.verdict).toMatchObject({ kind: "refused", fault: { code: "deadletter.nested", details: { letter: "above:3" } } });
    expect(refusal(rig.discard())).toBeUndefined();
  });

  test("a run without its index entry is not opened: the shell prepares it and retries", () => {
    const rig = failed();
    const decision = rig.redrive({ prepared: 1 });
    expect([refusal(decision), decision.events]).toEqual(["journal.contended", []]);
  });
});

describe("where a new run begins", () => {
  test("at the stop that failed, with the outputs of finished stops, under works of its own", () => {
    const rig = failed();
    const decision = rig.redrive();
    expect(asksWork(decision)).toEqual(["p:2:b:0:1"]);
    expect(rig.state).toMatchObject({
      phase: "open",
      run: 2,
      cursor: 1,
      outputs: { a: { json: "first" } },
      runs: [{ run: 1, status: "failed", fault: { code: "agent.refused" } }],
      task: { deadlineAtMs: T0 + TIMEOUT_MS },
    });
    rig.output(rig.id("b"), "second");
    rig.output(rig.id("c"), "third");
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "third" } });
    expect(rig.ends).toHaveLength(2);
  });

  test("earlier, at the first stop whose compensation had something to undo: its effect no longer stands", () => {
    const rig = failed((workId) => workId === "p:1:a:0:1");
    expect(asksWork(rig.redrive())).toEqual(["p:2:a:0:1"]);
    expect(rig.state.outputs).toEqual({});
  });

  test("where a compensation failed, as what it left must be taken to be undone by hand", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")]));
    rig.accept();
    rig.output(rig.id("a"));
    rig.fault(rig.id("b"));
    rig.output(`${rig.id("b")}/undo`, null);
    const undo = `${rig.id("a")}/undo`;
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault(undo, "agent.failed", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "compensation.failed" } });
    expect(asksWork(rig.redrive())).toEqual(["p:2:a:0:1"]);
  });

  test("the undo of a loser or of an optional call that failed tears nothing: its stop stands", () => {
    const rig = new ProcessRig(slipOf([{ kind: "any", name: "pick", branches: { x: call("A"), y: call("B") } }, one("c"), one("d")]));
    rig.accept();
    rig.output(rig.id("pick.x"), "won");
    rig.output(`${rig.id("pick.y")}/undo`, { undone: 1, left: [], stateStands: false });
    rig.undoAll(rig.fault(rig.id("c")));
    expect(asksWork(rig.redrive())).toEqual(["p:2:c:0:1"]);
    expect(rig.state.outputs).toEqual({ pick: { json: "won" } });
  });

  test("what a handler had asked for belongs to its stop: where that was undone, the stop is asked again", () => {
    const rig = new ProcessRig(slipOf([one("a"), one("b")], { agents: { A: { asks: ["C"] } } }));
    rig.accept();
    rig.question(rig.id("a"), 0, "C");
    rig.output(`${rig.id("a")}/ask0:1`);
    rig.output(rig.id("a"));
    rig.undoAll(rig.fault(rig.id("b")), (workId) => workId.includes("/ask"));
    expect(asksWork(rig.redrive())).toEqual(["p:2:a:0:1"]);
  });

  test("at the beginning, where the task itself was at fault", () => {
    const rig = new ProcessRig(slipOf(STOPS));
    rig.give({ kind: "message", message: rig.taskMessage(), bucket: "b", fault: { code: "schema.task", message: "no" } });
    expect(rig.state.outcome?.status).toBe("failed");
    const decision = rig.redrive({ input: { n: 2 } });
    expect(asksWork(decision)).toEqual(["p:2:a:0:1"]);
    expect(rig.state.task?.input).toEqual({ json: { n: 2 } });
    expect(sends(decision.effects).flatMap(({ body }) => (body.kind === "work" ? [body.input] : []))).toEqual([{ json: { n: 2 } }]);
  });
});

describe("what is finished of the stop that failed", () => {
  const all: Stop = { kind: "all", name: "both", branches: { x: call("A"), y: call("B"), z: call("C") } };
  const each: Stop = {
    kind: "forEach",
    name: "each",
    over: { from: ["task", "list"] },
    concurrency: 2,
    call: call("A", { input: { from: ["item"] } }),
  };

  test("branches that stand are not asked again, those that were undone are", () => {
    const rig = new ProcessRig(slipOf([all], { output: { from: ["x"] } }));
    rig.accept();
    rig.output(rig.id("x"), "x1");
    rig.output(rig.id("y"), "y1");
    rig.undoAll(rig.fault(rig.id("z")), (workId) => workId.includes(":y:"));
    // A torn branch means that the stop's effect does not stand, and the others of it do.
    expect(asksWork(rig.redrive())).toEqual(["p:2:y:0:1", "p:2:z:0:1"]);
    rig.output(rig.id("y"), "y2");
    rig.output(rig.id("z"), "z2");
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "x1" } });
  });

  test("of an earlier parallel stop the branches whose effect stands are not asked again beside the one that was undone", () => {
    const rig = new ProcessRig(
      slipOf([{ ...all, branches: { x: call("A"), y: call("B"), z: call("C", { optional: true }) } }, one("d")], {
        output: { from: ["x"] },
      }),
    );
    rig.accept();
    rig.output(rig.id("x"), "x1");
    rig.output(rig.id("y"), "y1");
    rig.fault(rig.id("z"));
    rig.output(`${rig.id("z")}/undo`, null);
    rig.undoAll(rig.fault(rig.id("d")), (workId) => workId.includes(":y:"));
    expect(asksWork(rig.redrive())).toEqual(["p:2:y:0:1", "p:2:z:0:1"]);
    rig.output(rig.id("y"), "y2");
    rig.output(rig.id("z"), "z2");
    rig.output(rig.id("d"));
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "x1" } });
  });

  test("items that stand are not asked again, and the list keeps its order", () => {
    const rig = new ProcessRig(slipOf([each], { output: { from: ["each"] } }));
    rig.accept({ input: { list: ["p", "q", "r", "s"] } });
    rig.output(rig.id("each[]", 0), 0);
    rig.output(rig.id("each[]", 2), 2);
    rig.output(rig.id("each[]", 1), 1);
    rig.undoAll(rig.fault(rig.id("each[]", 3)), (workId) => workId.includes("[]:1:"));
    expect(asksWork(rig.redrive())).toEqual(["p:2:each[]:1:1", "p:2:each[]:3:1"]);
    rig.output(rig.id("each[]", 1), 11);
    rig.output(rig.id("each[]", 3), 33);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: [0, 11, 2, 33] } });
  });

  test("an outcome is partial for what the run lacks, not for what an earlier run lacked and this one has", () => {
    const rig = new ProcessRig(
      slipOf([{ kind: "all", name: "both", branches: { x: call("A", { optional: true }), y: call("B") } }, one("c")]),
    );
    rig.accept();
    rig.fault(rig.id("x"));
    rig.undoAll(rig.fault(rig.id("y")));
    rig.redrive();
    for (const path of ["x", "y", "c"]) rig.output(rig.id(path));
    expect(rig.state.outcome?.status).toBe("completed");
    const lacking = new ProcessRig(slipOf([one("a", { optional: true }), one("b")]));
    lacking.accept();
    lacking.fault(lacking.id("a"));
    lacking.output(`${lacking.id("a")}/undo`, null);
    lacking.undoAll(lacking.fault(lacking.id("b")));
    lacking.redrive();
    lacking.output(lacking.id("b"));
    expect(lacking.state.outcome?.status).toBe("partial");
  });
});

describe("an edited input", () => {
  function inputs(decision: Decision<ProcessEvent>): unknown[] {
    return sends(decision.effects).flatMap(({ body, to }) => (body.kind === "work" ? [[body.workId, to.type, body.input]] : []));
  }

  test("takes the place of the failed work's, and of no other's", () => {
    const rig = failed();
    expect(inputs(rig.redrive({ input: { n: 2 } }))).toEqual([["p:2:b:0:1", "sys.B", { json: { n: 2 } }]]);
    expect(inputs(rig.output(rig.id("b")))).toEqual([["p:2:c:0:1", "sys.C", { json: { n: 1 } }]]);
    expect(rig.state.task?.input).toEqual({ json: { n: 1 } });
  });

  test("of a stop that was handed off goes to the agent that failed", () => {
    const rig = new ProcessRig(slipOf([one("a")], { agents: { A: { handsOffTo: ["B"] } } }));
    rig.accept();
    rig.result(rig.id("a"), { handOff: { agent: "B", input: { json: "bad" } } });
    rig.undoAll(rig.fault(rig.id("a", 0, 2)));
    expect(inputs(rig.redrive({ input: "good" }))).toEqual([["p:2:a:0:1", "sys.B", { json: "good" }]]);
  });

  test("of a compensation that failed is refused: it has no input", () => {
    const rig = new ProcessRig(
      slipOf([{ kind: "any", name: "pick", branches: { x: call("A"), y: call("B") } }, one("c", { timeoutMs: TIMEOUT_MS })]),
    );
    rig.accept();
    rig.output(rig.id("pick.x"));
    const undo = `${rig.id("pick.y")}/undo`;
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault(undo, "agent.failed", attempt);
      rig.after(LIMITS.undoBackoffMsMax).tick();
    }
    rig.undoAll(rig.tick());
    for (const work of rig.open) rig.output(work, null);
    expect(rig.state.outcome?.status).toBe("failed");
    expect(refusal(rig.redrive({ input: 1 }))).toBe("body.invalid");
    expect(refusal(rig.redrive())).toBeUndefined();
  });
});

describe("what is told of a decision", () => {
  test("a redrive: the letter's line is closed and the act is in the audit, at once, with each reminder, and at the end", () => {
    const rig = failed();
    const told = [
      ["DeadLetterQueue", "p:1", false, "redriven"],
      ["Audit", "p:1:redrive", false, "redrive"],
    ];
    expect(lines(rig.redrive().effects)).toEqual(told);
    expect(lines(rig.give({ kind: "tick", run: 2 }).effects)).toEqual(told);
    expect(lines(rig.tick().effects)).toEqual([]);
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
      rig.output("p:1:a:0:1/undo", { undone: 1, left: [], stateStands: false }),
      rig.fault("p:1:b:0:1"),
    ])
      expect(late.events).toEqual([]);
    expect(rig.state).toEqual(before);
    expect(rig.machine.reminder(rig.state, rig.nowMs)).toMatchObject({ kind: "near", name: "run-2" });
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
