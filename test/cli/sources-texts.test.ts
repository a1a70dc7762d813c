/** @module What `troupe sources sync` and `troupe memory` print. */
import { describe, expect, test } from "vitest";
import { memoryText } from "../../cli/commands/memory.ts";
import { syncText } from "../../cli/commands/sources.ts";

const ANSWER = {
  ...{ source: "handbook", comparison: 3, listed: 9, added: 1, changed: 2, vanished: 3, unread: [], derived: 0 },
  ...{ readers: [], readersDropped: 0 },
};

describe("a comparison as text", () => {
  test("says what changed, and nothing of what did not happen", () => {
    expect(syncText(ANSWER)).toBe("handbook: 9 documents; 1 added, 2 changed, 3 vanished.");
  });

  test("names what fell with it, what could not be read, and who had read what is gone", () => {
    const readers = Array.from({ length: 22 }, (_, index) => ({ agent: "Desk", processId: `t${index}`, workId: "w", atMs: 1 }));
    const again = { agent: "Desk", processId: "t0", workId: "w2", atMs: 2 };
    const lines = syncText({ ...ANSWER, derived: 1, unread: ["a.md", "b.md"], readers: [...readers, again] }).split("\n");
    expect(lines.slice(1, 5)).toEqual([
      "1 fact derived from what is gone went with it.",
      "Not readable, and read again next time: a.md, b.md.",
      "Work that had read what is gone:",
      "  t0 (Desk)",
    ]);
    expect(lines.at(-1)).toBe("  and 2 more; see --json");
    expect(
      syncText({ ...ANSWER, readersDropped: 3 })
        .split("\n")
        .at(-1),
    ).toBe("3 older reads are no longer named.");
  });
});

test("a memory names the work that had read what is no longer the newest", () => {
  const stale = [{ agent: "Desk", processId: "t1", workId: "w", atMs: 1, facts: [{ id: "4f1c", version: 2, why: "replaced" as const }] }];
  expect(memoryText({ id: "key.Desk.ann", total: 0, facts: [], gone: [], stale, readersDropped: 0 })).toBe(
    "No facts.\nWork that had read what is no longer the newest:\n  t1 (Desk): 4f1c v2 replaced",
  );
});
