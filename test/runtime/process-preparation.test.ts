/** @module What a turn of a process manager needs before it runs, and before its record, as tables. */
import { describe, expect, test } from "vitest";
import {
  decisionPreparation,
  type HostLoad,
  isDecidedAndEnded,
  preparedEntry,
  recordEntry,
  taskPreparation,
} from "../../runtime/process/preparation.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { BodyOf } from "../../runtime/protocol/bodies.ts";
import { T0 } from "./machine-rig.ts";
import { one, ProcessRig, slipOf, type TaskParts } from "./process-rig.ts";

const IDLE: HostLoad = { open: 0, admitted: 0, openMax: 3, lagMs: 0 };
const FULL: HostLoad = { open: 2, admitted: 1, openMax: 3, lagMs: 0 };
const LATE: HostLoad = { ...IDLE, lagMs: LIMITS.admissionLagMsMax + 1 };
const PARENT = { processId: "parent", workId: "parent:1:a:0:1" };

function rig(): ProcessRig {
  return new ProcessRig(slipOf([one("a"), one("b")]));
}

function open(parts: TaskParts = {}): ProcessRig {
  const made = rig();
  made.accept(parts);
  return made;
}

function failed(parts: TaskParts = {}): ProcessRig {
  const made = open(parts);
  made.fault(made.id("a"));
  for (const id of made.open) made.output(id, { undone: 0, left: [], stands: [], stateStands: false });
  return made;
}

function voided(): ProcessRig {
  const made = rig();
  made.tick();
  return made;
}

function discarded(): ProcessRig {
  const made = failed();
  made.discard();
  return made;
}

function task(made: ProcessRig, parts: TaskParts = {}): readonly [Message, BodyOf<"task">] {
  const message = made.taskMessage(parts);
  if (message.body.kind !== "task") throw new Error("a task has the body of a task");
  return [message, message.body];
}

function decision(what: "redrive" | "discard", run = 1, decisionId = "d1"): BodyOf<"decision"> {
  return { kind: "decision", what, run, decisionId, reason: "" };
}

describe("a task", () => {
  test.each([
    ["new", rig(), {}, IDLE, 0, "run-1"],
    ["void", voided(), {}, IDLE, 0, "run-2"],
    ["open", open(), {}, IDLE, 0, "none"],
    ["ended", failed(), {}, IDLE, 0, "none"],
    ["new, expired", rig(), {}, IDLE, 3_600_000, "none"],
    ["new, host full", rig(), {}, FULL, 0, "refuse"],
    ["new child, host full", rig(), { parent: PARENT }, FULL, 0, "run-1"],
    ["open, host full", open(), {}, FULL, 0, "none"],
    ["new, host late", rig(), {}, LATE, 0, "refuse"],
    ["new child, host late", rig(), { parent: PARENT }, LATE, 0, "run-1"],
  ] as const)("of a process that is %s", (_, made, parts, load, lateMs, expected) => {
    const [message, body] = task(made, parts);
    const plan = taskPreparation(made.state, message, body, load, T0 + lateMs);
    expect(plan.kind === "run" ? `run-${plan.run}` : plan.kind).toBe(expected);
  });

  test.each([
    ["is refused with an invalid input", {}, "refuse"],
    ["of a parent is accepted with an invalid input, which its run records", { parent: PARENT }, "record"],
  ] as const)("%s", (_, parts, misfit) => {
    const made = rig();
    const [message, body] = task(made, parts);
    expect(taskPreparation(made.state, message, body, IDLE, T0)).toMatchObject({
      gate: { doer: { kind: "route", route: "main" }, code: "schema.task", absent: "pass", misfit },
    });
  });

  test("has an open index entry that names its run and its caller, accepted now", () => {
    const made = voided();
    const [message, body] = task(made);
    const plan = taskPreparation(made.state, message, body, IDLE, T0);
    if (plan.kind !== "run") throw new Error("the task opens a run");
    expect(preparedEntry("p", plan, "host", T0 + 5)).toMatchObject({
      id: "p",
      open: true,
      atMs: T0 + 5,
      facts: { route: "main", run: 2, by: "ada", acceptedAtMs: T0 + 5, host: "host" },
    });
  });
});

describe("a decision on a dead letter", () => {
  test.each([
    ["redrive", failed(), IDLE, "run-2"],
    ["discard", failed(), IDLE, "run-2"],
    ["redrive", failed(), FULL, "refuse"],
    ["discard", failed(), FULL, "run-2"],
    ["redrive", open(), IDLE, "none"],
    ["redrive", rig(), IDLE, "none"],
    ["discard", discarded(), IDLE, "none"],
    ["redrive", failed({ parent: PARENT }), IDLE, "none"],
  ] as const)("%s %#", (what, made, load, expected) => {
    const plan = decisionPreparation(made.state, decision(what), load);
    expect(plan.kind === "run" ? `run-${plan.run}` : plan.kind).toBe(expected);
  });

  test("checks a new input against the agent that failed, and keeps the bucket and the time of the task", () => {
    const made = failed();
    const plan = decisionPreparation(made.state, { ...decision("redrive"), input: { json: 1 } }, IDLE);
    expect(plan).toMatchObject({
      bucket: "b",
      gate: { doer: { kind: "agent", agent: "A" }, content: { json: 1 }, code: "schema.input", absent: "refuse", misfit: "refuse" },
    });
    if (plan.kind !== "run") throw new Error("the decision opens a run");
    expect(preparedEntry("p", plan, "host", T0 + 5).facts).toMatchObject({ run: 2, acceptedAtMs: T0 });
  });

  test.each([
    ["of a dead letter without a decision", failed(), 1, false],
    ["that is recorded", discarded(), 1, true],
    ["of another run", discarded(), 2, false],
    ["of an open process", open(), 1, false],
  ] as const)("%s may owe its last effects", (_, made, run, expected) => {
    expect(isDecidedAndEnded(made.state, decision("discard", run))).toBe(expected);
  });
});

describe("before a record", () => {
  /** The state after some inputs, and the state before the last one. */
  function step(made: ProcessRig, act: (made: ProcessRig) => unknown): readonly [ProcessState, ProcessState] {
    const before = made.state;
    act(made);
    return [before, made.state];
  }

  test.each([
    ["new to open", rig(), (made: ProcessRig) => made.accept(), undefined],
    ["new to void", rig(), (made: ProcessRig) => made.tick(), { status: "void" }],
    [
      "new to refused",
      rig(),
      (made: ProcessRig) => made.body({ kind: "undo", workId: "w:1:a:0:1", undoId: "u", attempt: 1, agent: "main", retainUntilMs: T0 + 1 }),
      { status: "refused" },
    ],
    ["void to open", voided(), (made: ProcessRig) => made.accept(), undefined],
    ["open to open", open(), (made: ProcessRig) => made.output(made.id("a")), undefined],
    ["ended to open", failed(), (made: ProcessRig) => made.redrive(), undefined],
  ] as const)("%s", (_, made, act, expected) => {
    const [before, next] = step(made, act);
    expect(next).not.toBe(before);
    expect(recordEntry(before, next)).toEqual(expected);
  });
});
