/** @module Small parts of the screens: the lines of the audit, and the hours of a chart. */
import { describe, expect, test } from "vitest";
import { targetPath } from "../../dashboard/src/parts/audit.ts";
import { hoursOf } from "../../dashboard/src/parts/hours.ts";
import { doneText } from "../../runtime/look.ts";
import { HOUR_MS } from "../../runtime/units.ts";

describe("a line of the audit", () => {
  test("a look says what was looked at", () => {
    expect(["process", "deadletter", "request", "memory"].map((kind) => doneText({ what: "looked at content", kind }))).toEqual([
      "looked at content of a process",
      "looked at content of a dead letter",
      "looked at content of a request to people",
      "looked at content of a memory",
    ]);
    expect(doneText({ what: "redrive" })).toBe("redrive");
  });

  test.each([
    ["cancel", undefined, "trip-7", "/runs/trip-7"],
    ["redrive", undefined, "trip-7:1", "/deadletters/trip-7%3A1"],
    ["discard", undefined, "invalid-1932-ab12", "/deadletters/invalid-1932-ab12"],
    ["cancel", undefined, "invalid-order-7", "/runs/invalid-order-7"],
    ["cancel", undefined, "trip.r2", "/runs/trip.r2"],
    ["looked at content", "process", "trip.r2", "/runs/trip.r2"],
    ["looked at content", "request", "trip-7.r2", "/inbox/trip-7.r2"],
    ["digest", undefined, "party", "/digest"],
    ["approve", undefined, "trip-7.r2", "/inbox/trip-7.r2"],
    ["rule revoked", undefined, "trip-7.r2", "/inbox/trip-7.r2"],
    ["looked at content", "process", "trip-7", "/runs/trip-7"],
    ["looked at content", "memory", "key.Support.ann", "/memory/key.Support.ann"],
    ["memory-forget", undefined, "key.Support.ann/4f1c", "/memory/key.Support.ann"],
    ["canary stopped", undefined, "Writer", "/releases"],
    ["sync", undefined, "handbook", "/memory"],
    ["purge", undefined, "party", "/system"],
    ["set-aside", undefined, "Directory/root", "/system"],
    ["call", undefined, "", undefined],
  ])("%s of %s leads where %s is shown", (what, kind, target, path) => {
    expect(targetPath({ what, kind, target })).toBe(path);
  });
});

describe("the hours of a chart", () => {
  const at = (hour: number): number => 500_000 * HOUR_MS + hour * HOUR_MS;
  const none = { ended: 0, failed: 0, usd: 0 };

  test("are all of the window, so that the bars stand where they belong", () => {
    const two = { atMs: at(2), ended: 3, failed: 1, usd: 0.5 };
    expect(hoursOf({ perHour: [two], sinceMs: at(0), atMs: at(3) + 1 })).toEqual([
      { atMs: at(0), ...none },
      { atMs: at(1), ...none },
      two,
      { atMs: at(3), ...none },
    ]);
  });

  test("of a very long window are only those in which something ended", () => {
    const one = { atMs: at(0), ended: 1, failed: 0, usd: 0 };
    expect(hoursOf({ perHour: [one], sinceMs: at(-24 * 90), atMs: at(1) })).toEqual([one]);
  });
});
