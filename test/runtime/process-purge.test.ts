/** @module When a process may be purged, as a table, and what a purged one answers. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import type { Body } from "../../runtime/protocol/bodies.ts";
import { newProcess, type ProcessState } from "../../runtime/process/state.ts";
import { purgeDueMs } from "../../runtime/process/purge.ts";
import { one, ProcessRig, slipOf } from "./process-rig.ts";

const DAY_MS = 86_400_000;
const LINE_AT_MS = 50_000;

function completed(): ProcessRig {
  const rig = new ProcessRig(slipOf([one("a")]));
  rig.accept({ timeoutMs: 10_000 });
  rig.output(rig.id("a"), 1);
  expect(rig.state.phase).toBe("ended");
  return rig;
}

describe("law: purge only what ended, after the retention and the expiry horizon", () => {
  const due = (state: ProcessState, retentionMs: number): number | undefined => purgeDueMs(state, { retentionMs, entryAtMs: LINE_AT_MS });
  const ended = completed().state;
  const task = ended.task;
  if (task === undefined) throw new Error("an ended process has a task");
  const horizonMs = task.deadlineAtMs + LIMITS.compensationMsMax + LIMITS.clockDriftMsMax;
  const endedAtMs = Math.max(ended.outcome?.atMs ?? 0, LINE_AT_MS);

  const cases: readonly (readonly [string, ProcessState, number, number | undefined])[] = [
    ["ended, kept for a week", ended, 7 * DAY_MS, endedAtMs + 7 * DAY_MS],
    ["ended, kept for nothing: the horizon holds", ended, 0, horizonMs],
    [
      "ended, and a parent may undo it for longer",
      { ...ended, task: { ...task, retainUntilMs: horizonMs + 5 * DAY_MS } },
      0,
      horizonMs + 5 * DAY_MS + LIMITS.clockDriftMsMax,
    ],
    ["ended, with a dead letter that waits", { ...ended, outcome: { status: "failed", deadLetter: { json: {} }, atMs: 1 } }, 0, undefined],
    ["open", { ...ended, phase: "open" }, 0, undefined],
    ["never asked", newProcess("p"), 0, undefined],
    ["purged", { ...ended, phase: "purged" }, 0, undefined],
    ["void", { ...newProcess("p"), phase: "void" }, 0, LINE_AT_MS + LIMITS.messageLifetimeMsDefault + LIMITS.clockDriftMsMax],
    ["void, kept for a week", { ...newProcess("p"), phase: "void" }, 7 * DAY_MS, LINE_AT_MS + 7 * DAY_MS],
    [
      "undone before it was asked",
      { ...newProcess("p"), phase: "refused", refuseUntilMs: 9 * DAY_MS },
      0,
      9 * DAY_MS + LIMITS.clockDriftMsMax,
    ],
  ];
  test.each(cases)("%s", (_name, state, retentionMs, dueMs) => expect(due(state, retentionMs)).toBe(dueMs));

  test("it is one record at the moment it is due, and none before", () => {
    const rig = completed();
    const purge = { kind: "purge", retentionMs: 0, entryAtMs: LINE_AT_MS } as const;
    rig.nowMs = (rig.state.task?.deadlineAtMs ?? 0) + LIMITS.compensationMsMax + LIMITS.clockDriftMsMax - 1;
    expect(rig.give(purge).events).toEqual([]);
    rig.nowMs += 1;
    expect(rig.give(purge)).toMatchObject({ events: [{ e: "purged" }], effects: [] });
    expect(rig.give(purge).events).toEqual([]);
  });
});

describe("law: a purged process accepts nothing", () => {
  test("requests are refused for good, reports are received, and nothing is recorded", () => {
    const rig = completed();
    rig.state = { ...rig.state, phase: "purged" };
    const bodies: readonly (readonly [Body, "refused" | "received"])[] = [
      [{ kind: "task", route: "main", slip: { json: null }, input: { json: 1 }, timeoutMs: 1_000, nesting: [] }, "refused"],
      [{ kind: "cancel", reason: "late" }, "refused"],
      [{ kind: "undo", workId: "w", undoId: "w/undo", attempt: 1, agent: "main", retainUntilMs: 0 }, "refused"],
      [{ kind: "result", workId: "w", attempt: 1, result: { output: { json: 1 } } }, "received"],
      [{ kind: "wait", workId: "w", index: 0, for: { kind: "agent", agent: "B", input: { json: 1 } } }, "received"],
    ];
    for (const [body, kind] of bodies) {
      const decision = rig.give({ kind: "message", message: rig.message("late", body), bucket: "b" });
      expect(decision).toMatchObject({ events: [], effects: [], stored: [], verdict: { kind } });
    }
    expect(rig.give({ kind: "tick", run: 1 })).toMatchObject({ events: [], effects: [] });
  });

  test("an undo that has expired leaves no refusal behind where nothing ever was", () => {
    const rig = new ProcessRig(slipOf([one("a")]));
    const undo: Body = { kind: "undo", workId: "w", undoId: "w/undo", attempt: 1, agent: "main", retainUntilMs: 0 };
    const late = rig.message("late", undo, rig.nowMs - LIMITS.clockDriftMsMax);
    expect(rig.give({ kind: "message", message: late })).toMatchObject({ events: [], verdict: { fault: { code: "message.expired" } } });
    const inTime = rig.message("in time", undo, rig.nowMs - LIMITS.clockDriftMsMax + 1);
    expect(rig.give({ kind: "message", message: inTime }).events).toMatchObject([{ e: "refused-for-ever" }]);
  });
});
