/** @module The works of a process as its events tell them: inputs, outputs, attempts, and how each stands. */
import { expect, test } from "vitest";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { WorkHistoryReader } from "../../runtime/process/work-history.ts";
import { RETRY_DEFAULT } from "../../runtime/slip.ts";
import { one, ProcessRig, slipOf } from "./process-rig.ts";

/** Everything that the rig's process decided, told again. */
function told(rig: { readonly events: readonly ProcessEvent[] }, max = 100): WorkHistoryReader {
  const works = new WorkHistoryReader(max);
  for (const event of rig.events) works.take(event);
  return works;
}

/** A rig that remembers its events. */
function remembering(rig: ProcessRig): ProcessRig & { readonly events: ProcessEvent[] } {
  const events: ProcessEvent[] = [];
  const give = rig.give.bind(rig);
  return Object.assign(rig, {
    events,
    give: (...given: Parameters<ProcessRig["give"]>) => {
      const decision = give(...given);
      events.push(...decision.events);
      return decision;
    },
  });
}

test("what went in, what came out, and when", () => {
  const rig = remembering(new ProcessRig(slipOf([one("a"), one("b")])));
  rig.accept();
  rig.output(rig.id("a"), "from a");
  expect(told(rig).works).toEqual([
    expect.objectContaining({
      stop: "a",
      agent: "A",
      kind: "do",
      state: "answered",
      attempts: 1,
      input: { json: { n: 1 } },
      output: { json: "from a" },
      endedAtMs: rig.nowMs,
    }),
    expect.objectContaining({ stop: "b", state: "asked", attempts: 1 }),
  ]);
});

test("an attempt that failed shows its fault until an answer is there", () => {
  const rig = remembering(new ProcessRig(slipOf([one("a", { retry: { ...RETRY_DEFAULT, attemptsMax: 3, jitter: 0 } })])));
  rig.accept();
  const id = rig.id("a");
  rig.fault(id, "agent.failed");
  expect(told(rig).works).toEqual([
    expect.objectContaining({ state: "retrying", attempts: 1, fault: expect.objectContaining({ code: "agent.failed" }) }),
  ]);
  rig.nowMs += 60_000;
  rig.tick();
  rig.output(id, "at last", 2);
  const [work] = told(rig).works;
  expect(work).toMatchObject({ state: "answered", attempts: 2, output: { json: "at last" } });
  expect(work).not.toHaveProperty("fault");
});

test("a failed work item is listed with its undo, and one whose answer is no longer needed is dropped", () => {
  const rig = remembering(new ProcessRig(slipOf([one("a"), one("b")])));
  rig.accept();
  rig.output(rig.id("a"));
  rig.cancel();
  expect(told(rig).works.map(({ stop, kind, state }) => [stop, kind, state])).toEqual([
    ["a", "do", "answered"],
    ["b", "do", "dropped"],
    ["b", "undo", "asked"],
  ]);
});

test("a redriven run tells its own works: those of the run before, and what was pinned, are no longer there", () => {
  const rig = remembering(new ProcessRig(slipOf([one("a"), one("b")])));
  rig.accept();
  rig.output(rig.id("a"));
  rig.undoAll(rig.fault(rig.id("b")));
  rig.redrive();
  expect(told(rig).works).toEqual([expect.objectContaining({ work: "p:2:b:0:1", stop: "b", state: "asked", attempts: 1 })]);
  // Also where the works of the first run were too many to be kept.
  expect(told(rig, 1)).toMatchObject({ left: 0, works: [{ work: "p:2:b:0:1" }] });
});

test("of too many the newest are kept and the others counted", () => {
  const stops = Array.from({ length: 9 }, (_, index) => `s${index}`);
  const rig = remembering(new ProcessRig(slipOf(stops.map((name) => one(name, {}, "A")))));
  rig.accept();
  for (const stop of stops) rig.output(rig.id(stop));
  const { works, left } = told(rig, 4);
  expect([works.map(({ stop }) => stop), left]).toEqual([["s5", "s6", "s7", "s8"], 5]);
});
