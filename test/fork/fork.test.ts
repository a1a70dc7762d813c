/** @module Forks: what a model would have done in a recorded run, without doing it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FIRST, Recorded, says } from "./rig.ts";

const recorded = new Recorded();
beforeEach(() => recorded.record().then(() => undefined));
afterEach(() => recorded.outside.stop());

describe("a fork", () => {
  test("with a model that says the same does the same, and calls nothing", async () => {
    const { report } = await recorded.fork(FIRST, { at: "start", model: undefined });
    expect(report).toMatchObject({ status: "completed", output: { text: "bought: true" }, modelCalls: 3 });
    expect(report.diff.lines.filter(({ how }) => how !== "same")).toEqual([]);
    expect(recorded.outside.calls).toEqual([]);
  });

  test("makes the same run again as a cassette that can be forked", async () => {
    const { cassette } = await recorded.fork(FIRST);
    recorded.cassette = cassette;
    const { report } = await recorded.fork(FIRST);
    expect(report.diff.lines.filter(({ how }) => how !== "same")).toEqual([]);
  });

  test("of a call asks only from that call on", async () => {
    const works = recorded.cassette?.processes.flatMap((process) => process.works) ?? [];
    const second = works.find(({ work }) => work.id === recorded.buy)?.work.modelCalls?.[1];
    const { report } = await recorded.fork(says({ bought: true, note: "none" }), { at: second?.key ?? "" });
    expect(report).toMatchObject({ status: "unrecorded", modelCalls: 1, unrecorded: { agent: "Ship", what: "tool", name: "carry" } });
  });
});

describe("a fork writes nothing, when the other model", () => {
  const cases = [
    ["asks for a write with other arguments", [{ name: "pay", arguments: { amount: 8 } }], "pay"],
    ["asks for a tool that the run did not call", [{ name: "mail", arguments: { text: "hi" } }], "mail"],
    ["asks for the same write twice at once", [1, 2].map(() => ({ name: "pay", arguments: { amount: 7 } })), "pay"],
    ["asks another agent for another write", [{ name: "ask_Stock", arguments: { amount: 2 } }], "move"],
    ["leads a nested route to another write", { bought: true, note: "coffee" }, "carry"],
  ] as const;
  for (const [what, said, tool] of cases)
    test(what, async () => {
      const { report } = await recorded.fork(says(said, { bought: true, note: "tea" }));
      expect(report).toMatchObject({ status: "unrecorded", unrecorded: { what: "tool", name: tool } });
      expect(recorded.outside.calls).toEqual([]);
    });

  test("lets the run fail, so that it is compensated", async () => {
    const { report } = await recorded.fork(says([{ name: "pay", arguments: { amount: 7 } }], { bought: false, note: "tea" }));
    expect(report).toMatchObject({ status: "unrecorded", unrecorded: { what: "undo", name: "pay" } });
    expect(recorded.outside.calls).toEqual([]);
  });
});
