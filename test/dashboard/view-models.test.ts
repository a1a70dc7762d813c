/** @module What screens make of the answers of the HTTP API. */
import { describe, expect, test } from "vitest";
import { segmentsOf, usageOf } from "../../dashboard/src/parts/context-make-up.ts";
import { bytesText, pluralText, spanText, usdText, whenText } from "../../dashboard/src/parts/format.ts";
import { decisionBody, isConflict, urgencyOf, waitingOrder } from "../../dashboard/src/parts/inbox.ts";
import { isEditable, letterShown, schemaOfInput } from "../../dashboard/src/parts/letter.ts";
import { diffCounts, linesByStop } from "../../dashboard/src/parts/run-diff.ts";
import type { InboxEntry } from "../../runtime/people/view.ts";

describe("a dead letter", () => {
  const letter = {
    code: "agent.failed",
    message: "no till sells bread",
    letter: {
      stop: "pay",
      original: { kind: "do", target: { kind: "agent", agent: "Till" }, input: { item: "bread" } },
      fault: { code: "agent.failed", message: "no", cause: "Error: no" },
      attempts: [{ attempt: 1, fault: { code: "agent.failed", message: "no" } }],
      path: ["Clerk", "Till"],
      history: [
        { atMs: 5, what: "asked", stop: "pay", agent: "Till", attempt: 1 },
        { atMs: 6, what: "nothing to undo", stop: "pay", agent: "Till", attempt: 1 },
        { atMs: 7, what: "undone", stop: "shelf", agent: "Shelf", attempt: 1 },
      ],
      principal: "ada",
    },
  };
  const schemas = {
    routes: { order: { version: 1, input: { type: "string" } } },
    agents: { Till: { version: 1, input: { type: "object" } } },
  };

  test("shows the failed work item, its attempts and its path", () => {
    const shown = letterShown(letter);
    expect(shown).toMatchObject({
      stop: "pay",
      target: "Till",
      kind: "do",
      input: { item: "bread" },
      cause: "Error: no",
      path: ["Clerk", "Till"],
      undone: ["shelf"],
    });
    expect(shown.attempts).toEqual([{ attempt: 1, code: "agent.failed", message: "no" }]);
    expect(schemaOfInput(shown, "order", schemas)).toEqual({ type: "object" });
    expect(isEditable(shown, {})).toBe(true);
    expect(isEditable(shown, { parent: "outer" })).toBe(false);
  });

  test("names what was undone in its own run, and not in an earlier one", () => {
    const at = { agent: "Till", atMs: 1, attempt: 1 };
    const history = [
      { ...at, what: "undone", stop: "shelf" },
      { ...at, what: "redriven", stop: "shelf" },
      { ...at, what: "undone", stop: "pay" },
    ];
    expect(letterShown({ ...letter, letter: { ...letter.letter, history } }).undone).toEqual(["pay"]);
  });

  test("of a whole task has the input of its route; an undo has none to edit", () => {
    const task = letterShown({ ...letter, letter: { original: { kind: "task", input: "x" } } });
    expect(schemaOfInput(task, "order", schemas)).toEqual({ type: "string" });
    const undo = letterShown({ ...letter, letter: { original: { kind: "undo", target: { agent: "Till" }, input: 1 } } });
    expect(schemaOfInput(undo, "order", schemas)).toBeUndefined();
    expect(isEditable(undo, {})).toBe(false);
  });

  test("of an unknown form, or with hidden content, is shown as far as it is known", () => {
    expect(letterShown({ code: "message.invalid", message: "not JSON", letter: { bytes: "{" } })).toMatchObject({
      kind: "other",
      code: "message.invalid",
      target: "the task",
      path: [],
    });
    expect(letterShown({ letter: null })).toMatchObject({ kind: "other", code: "unknown", attempts: [] });
  });
});

describe("the inbox", () => {
  const entry = (id: string, askedAtMs: number, escalated = 0): InboxEntry => ({
    ...{ id, askedAtMs, escalated, processId: "p", route: "r", run: 1, stop: "s", kind: "consent", state: "open", about: "", hash: "" },
    ...{ roles: [], forSubject: "ada", reminded: 0 },
  });

  test("has escalated requests first, then those that wait longest", () => {
    expect(waitingOrder([entry("c", 3), entry("a", 1), entry("b", 2, 1)]).map(({ id }) => id)).toEqual(["b", "a", "c"]);
  });

  test("tells how near a deadline is", () => {
    expect([undefined, 10, 1_000, 99_000_000].map((dueAtMs) => urgencyOf(dueAtMs === undefined ? {} : { dueAtMs }, 500))).toEqual([
      "none",
      "past",
      "pressing",
      "calm",
    ]);
  });

  test("sends a decision without what was not said, and knows what a conflict is", () => {
    expect(decisionBody({ do: "approve", reason: "", always: 0 })).toEqual({ do: "approve", always: { rule: 0 } });
    expect(decisionBody({ do: "deny", reason: "no" })).toEqual({ do: "deny", reason: "no" });
    expect([isConflict("person.changed"), isConflict("person.decided"), isConflict("schema.input")]).toEqual([true, true, false]);
  });
});

describe("the context of a model", () => {
  test("is a bar of shares, trusted sources first", () => {
    const segments = segmentsOf([
      { source: "mail", trusted: false, bytes: 60 },
      { source: "instructions", trusted: true, bytes: 30 },
      { source: "task", trusted: true, bytes: 5 },
      { source: "task", trusted: true, bytes: 5 },
    ]);
    expect(segments.map(({ source, share, from }) => [source, share, from])).toEqual([
      ["instructions", 0.3, 0],
      ["task", 0.1, 0.3],
      ["mail", 0.6, 0.4],
    ]);
    expect(segmentsOf([])).toEqual([]);
  });

  test("has a sum of tokens and cost over its exchanges", () => {
    const exchange = { call: "1", model: "m", messages: [], context: [] };
    expect(
      usageOf({
        exchanges: [
          { ...exchange, inputTokens: 3, usd: 0.5 },
          { ...exchange, inputTokens: 4, outputTokens: 1 },
        ],
      }),
    ).toEqual({
      inputTokens: 7,
      outputTokens: 1,
      usd: 0.5,
    });
  });
});

test("the lines of a difference stand under their stops, and may leave out what is the same", () => {
  const line = (stop: string, how: "same" | "changed" | "only-b") => ({ what: "tool", stop, name: "t", how }) as const;
  const lines = [line("a", "same"), line("a", "changed"), line("b", "same"), line("c", "only-b")];
  expect(linesByStop(lines, "different").map(({ stop, lines: own }) => [stop, own.length])).toEqual([
    ["a", 1],
    ["c", 1],
  ]);
  expect(diffCounts({ lines })).toEqual({ same: 2, changed: 1, "only-a": 0, "only-b": 1 });
});

test("numbers are written for people", () => {
  expect([840, 12_400, 200_000, 7_500_000, 360_000_000].map(spanText)).toEqual(["840 ms", "12.4 s", "3 min 20 s", "2 h 5 min", "4 d 4 h"]);
  expect([whenText(0, 65_000), whenText(70_000, 10_000), whenText(5, 5)]).toEqual(["1 min ago", "in 1 min", "now"]);
  expect([0, 0.00123, 12.5, 1_234.567].map(usdText)).toEqual(["$0", "$0.0012", "$12.50", "$1,234.57"]);
  expect([bytesText(90), bytesText(1_536), pluralText(1, "fact"), pluralText(2, "fact")]).toEqual(["90 B", "1.5 KiB", "1 fact", "2 facts"]);
});
