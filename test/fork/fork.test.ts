/** @module Forks: what a model would have done in a recorded run, without doing it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { diffOf } from "../../runtime/cassette/diff.ts";
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

describe("the difference of a fork", () => {
  test("names every difference, and only those", async () => {
    const { report } = await recorded.fork(
      says([{ name: "pay", arguments: { amount: 7 } }], [{ name: "ask_Stock", arguments: { amount: 1 } }], { bought: true, note: "tea" }),
    );
    const differ = report.diff.lines.filter(({ how }) => how !== "same");
    // Written by hand: the other model does not search, and pays first; it asks the same agent for the same, one call later.
    expect(differ.map(({ what, stop, name, how, was, paths }) => ({ what, stop, name, how, was, paths }))).toEqual([
      {
        what: "model",
        stop: "buy",
        name: "other",
        how: "changed",
        was: "first",
        paths: ["$.calls[0].arguments.amount", "$.calls[0].arguments.item", "$.calls[0].name"],
      },
      { what: "tool", stop: "buy", name: "search", how: "only-a", was: undefined, paths: undefined },
      {
        what: "model",
        stop: "buy",
        name: "other",
        how: "changed",
        was: "first",
        paths: ["$.calls[0].arguments.amount", "$.calls[0].name", "$.calls[1]"],
      },
      { what: "model", stop: "buy", name: "other", how: "changed", was: "first", paths: [] },
    ]);
    expect(report).toMatchObject({ status: "completed", modelCalls: 3 });
    expect(report.diff).toMatchObject({
      same: false,
      outcome: { a: "completed", b: "completed" },
      cost: { a: { modelCalls: 3, toolCalls: 5 }, b: { modelCalls: 3, toolCalls: 4 } },
    });
    expect(report.diff.lines).toHaveLength(23);
  });

  test("of two separate runs is not one of times and ids", async () => {
    const other = new Recorded();
    const second = await other.record("order-2");
    await other.outside.stop();
    const first = recorded.cassette;
    expect(first === undefined ? [] : diffOf(first, second).lines.filter(({ how }) => how !== "same")).toEqual([]);
  });
});

describe("where a fork begins", () => {
  test("may be named by the stop of one work item", async () => {
    const [{ report }, byId] = [await recorded.fork(FIRST, { at: "buy" }), await recorded.fork(FIRST, { at: recorded.buy })];
    expect({ ...report, at: byId.report.at }).toEqual(byId.report);
    expect(report.modelCalls).toBeGreaterThan(0);
  });

  test("is told, where it is not in the record", async () => {
    const fault = recorded.fork(FIRST, { at: "bye" });
    await expect(fault).rejects.toThrow(`has no stop, work item or call bye; its work items are `);
    await expect(fault).rejects.toThrow(recorded.buy);
  });
});

describe("a fork spends its own budget", () => {
  test("and stops where it is used up", async () => {
    const few = await recorded.fork(FIRST, { budget: { modelCalls: 2 } });
    expect(few.report).toMatchObject({ status: "stopped", code: "fork.budget", modelCalls: 2 });
    const cheap = await recorded.fork(FIRST, { budget: { usd: 0.0000001 } });
    expect(cheap.report).toMatchObject({ status: "stopped", code: "fork.budget", modelCalls: 0 });
    const slow = await recorded.fork(() => new Promise(() => {}), { budget: { timeMs: 50 } });
    expect(slow.report).toMatchObject({ status: "stopped", code: "fork.budget", modelCalls: 1 });
  });
});

describe("a fork is refused", () => {
  const cases = [
    ["at a call that is not recorded", { at: "pay/0000/0" }, "fork.unknown"],
    ["with a model that the system does not have", { model: "none" }, "model.unknown"],
    ["with a version of a prompt that no agent has", { prompt: "v9" }, "prompt.unknown"],
    ["with an input that does not fit", { at: "start", input: { item: 1 } }, "schema.task"],
  ] as const;
  for (const [what, options, code] of cases)
    test(what, async () => {
      await expect(recorded.fork(FIRST, options)).rejects.toMatchObject({ code });
    });
});
