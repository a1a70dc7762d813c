/** @module Decisions on dead letters: who may decide when, where a new run begins, and what is pinned. */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Stop } from "../../runtime/slip.ts";
import { names, sends, T0 } from "./machine-rig.ts";
import { asksWork, call, one, ProcessRig, slipOf } from "./process-rig.ts";
import { failed, refusal, STOPS, TIMEOUT_MS } from "./redrive-rig.ts";

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

  test("where a compensation failed, and only when a person says that what it left was undone by hand", () => {
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
    const refused = rig.redrive();
    expect(refused.verdict).toMatchObject({
      kind: "refused",
      fault: {
        code: "deadletter.left",
        message: "a redrive of p:1 does again, under new keys, what compensation left standing: A at a",
        details: { left: ["A at a"] },
      },
    });
    expect([refused.events, refused.effects]).toEqual([[], []]);
    expect(asksWork(rig.redrive({ undoneByHand: true }))).toEqual(["p:2:a:0:1"]);
    // The same decision without it is the same decision.
    expect(rig.decision("redrive", { run: 1 }).verdict).toMatchObject({ kind: "received" });
  });

  test("the undo of a loser or of an optional call that failed tears nothing: its stop stands", () => {
    const rig = new ProcessRig(slipOf([{ kind: "any", name: "pick", branches: { x: call("A"), y: call("B") } }, one("c"), one("d")]));
    rig.accept();
    rig.output(rig.id("pick.x"), "won");
    rig.output(`${rig.id("pick.y")}/undo`, { undone: 1, left: [], stands: [], stateStands: false });
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
    expect(refusal(rig.redrive({ undoneByHand: true }))).toBeUndefined();
  });
});
