/** @module The history of a process: bounded, and an event keeps its number after earlier ones were dropped. */
import { expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { one, ProcessRig, slipOf } from "./process-rig.ts";

test("dropped history events are counted", () => {
  const stops = Array.from({ length: LIMITS.historyMax }, (_, index) => `s${index}`);
  const rig = new ProcessRig(slipOf(stops.map((name) => one(name, {}, "A"))));
  rig.accept();
  for (const [index, stop] of stops.entries()) {
    rig.output(rig.id(stop));
    const lines = 2 * index + 3 - (index === stops.length - 1 ? 1 : 0);
    expect(rig.state.history.length + (rig.state.historyGone ?? 0)).toBe(lines);
    expect(rig.state.history.length).toBeLessThanOrEqual(LIMITS.historyMax);
  }
  expect(rig.state).toMatchObject({ phase: "ended", historyGone: LIMITS.historyMax });
  expect(rig.state.history[0]).toMatchObject({ stop: `s${LIMITS.historyMax / 2}`, what: "asked" });
});
