/** @module The digest: one page, what to do first, bounded, without contents and without the markup of others. */
import { describe, expect, test } from "vitest";
import { FAULTS } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { inboxEntry, type RequestLine } from "../../runtime/people/view.ts";
import { digestOf, lastPeriod } from "../../runtime/reports/digest.ts";
import { digestMarkdown, digestText } from "../../runtime/reports/digest-text.ts";
import type { EndedRun } from "../../runtime/reports/runs.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../runtime/units.ts";

const UNTIL_MS = Date.UTC(2026, 10, 28);
const SINCE_MS = UNTIL_MS - DAY_MS;

const run = (index: number, part: Partial<EndedRun> = {}): EndedRun => ({
  ...{
    id: `trip-${index}`,
    route: "trip",
    version: "Writer@v1/fast",
    status: "completed",
    endedAtMs: SINCE_MS + index * MINUTE_MS,
    summary: {},
  },
  ...part,
});
const letter = (id: string, code: string, atMs: number): IndexEntry => ({ id, open: true, atMs, facts: { code, route: "trip" } });
const request = (id: string, askedAtMs: number, part: Partial<RequestLine> = {}): IndexEntry =>
  inboxEntry({
    ...{ id, processId: "trip-1", route: "trip", run: 1, stop: "refund", kind: "consent", state: "open", person: "Boss", agent: "Refunds" },
    ...{ tool: "pay", about: "SECRET reason", hash: "a".repeat(64), roles: [], forSubject: "eve", askedAtMs, reminded: 0, escalated: 0 },
    ...{ silence: "deny", content: { json: null } },
    ...part,
  } as RequestLine);

const BUSY = {
  ...{ system: "party", sinceMs: SINCE_MS, untilMs: UNTIL_MS, baselineMs: SINCE_MS - 7 * DAY_MS, atLeast: false },
  runs: [
    ...Array.from({ length: 1_200 }, (_, index) =>
      run(index, {
        ...(index % 100 === 0 ? { status: "failed" as const } : {}),
        ...{ summary: { usd: 0.0025, retries: 2, ...(index % 3 === 0 ? { slowestStop: "book", slowestMs: 4_000 + index } : {}) } },
      }),
    ),
    run(1_300, { id: "dear", route: "party", version: "", summary: { usd: 1.5, slowestStop: "wait", slowestMs: 3 * HOUR_MS } }),
    ...Array.from({ length: 5_000 }, (_, index) => run(index, { endedAtMs: SINCE_MS - HOUR_MS })),
  ],
  letters: [
    letter("trip-0:1", "agent.failed", SINCE_MS + 1),
    letter("trip-100:1", "agent.failed", SINCE_MS + 9),
    letter("old:1", "agent.failed", SINCE_MS - 1),
    letter("trip-200:1", "shop.sold-out", SINCE_MS + 1),
  ],
  requests: [request("trip-1.r1", UNTIL_MS - 2 * DAY_MS), request("trip-2.r1", UNTIL_MS - HOUR_MS, { escalated: 1 })],
  stopped: [
    {
      id: "s",
      open: false,
      atMs: SINCE_MS + HOUR_MS,
      facts: { what: "canary stopped", target: "Writer", who: "rule", why: "repairs 1.2" },
    },
  ],
} as const;

describe("a digest", () => {
  test("is one page that begins with what there is to do", () => {
    const view = digestOf(BUSY);
    expect(digestText(view).split("\n")).toEqual([
      "party: 2026-11-27 00:00 to 2026-11-28 00:00 UTC",
      "",
      "1,201 processes ended, 12 failed (1.0 %), $4.5000 spent.",
      "",
      "TO DO",
      "  4 dead letters to decide, 3 new",
      `    agent.failed 3, 2 new: troupe dead show trip-100:1. ${FAULTS["agent.failed"].fix}`,
      "    shop.sold-out 1: troupe dead show trip-200:1. The code is one of your own: see where the system defines it.",
      "  2 requests wait for people",
      "    Boss, 1 h, escalated: call of pay by Refunds at refund of trip: troupe inbox trip-2.r1",
      "    Boss, 2 d: call of pay by Refunds at refund of trip: troupe inbox trip-1.r1",
      "  Writer: canary stopped by rule at 2026-11-27 01:00 UTC: repairs 1.2: troupe releases list",
      "  Drift, means per process: troupe drift",
      "    trip (Writer@v1/fast): failed 1.0 %, before 0.0 %; retries 2.00, before 0.00; cost $0.0025, before $0.0000",
      "",
      "COST",
      "  by route: trip $3.0000, party $1.5000",
      "  dearest: dear $1.5000, trip-0 $0.0025, trip-1 $0.0025, trip-2 $0.0025, trip-3 $0.0025",
      "",
      "SLOWEST STOPS",
      "  party / wait: 3 h",
      "  trip / book: 400 times, half over 4.6 s, at most 5.2 s",
      "",
      "ROUTES",
      "  trip: 1,200 ended, 12 failed",
      "  party: 1 ended",
    ]);
  });

  test("of a quiet day says that there is nothing to do, in four lines", () => {
    const view = digestOf({ ...BUSY, runs: [run(1)], letters: [], requests: [], stopped: [] });
    expect(digestText(view).split("\n")).toEqual([
      "party: 2026-11-27 00:00 to 2026-11-28 00:00 UTC",
      "",
      "1 process ended, none failed, $0.0000 spent.",
      "Nothing to do.",
      "",
      "ROUTES",
      "  trip: 1 ended",
    ]);
    expect(digestText(digestOf({ ...BUSY, runs: [], letters: [], requests: [], stopped: [] }))).toContain(
      "No process ended.\nNothing to do.",
    );
  });

  test("as Markdown has headings, lists and commands", () => {
    const text = digestMarkdown(digestOf(BUSY));
    expect(text.split("\n").slice(0, 10)).toEqual([
      "# party: 2026-11-27 00:00 to 2026-11-28 00:00 UTC",
      "",
      "1,201 processes ended, **12 failed** (1.0 %), $4.5000 spent.",
      "",
      "## To do",
      "",
      "- **4 dead letters to decide**, 3 new",
      expect.stringContaining("  - `agent.failed` 3, 2 new: `troupe dead show trip-100:1`. Read the error"),
      expect.stringContaining("  - `shop.sold-out` 1: `troupe dead show trip-200:1`"),
      "- **2 requests wait for people**",
    ]);
  });

  test("holds no content, and no markup of users and models", () => {
    const evil = "](http://evil)<img src=x>`# *x*";
    const view = digestOf({
      ...BUSY,
      runs: [run(1, { route: evil, version: evil, summary: { usd: 1, slowestStop: `${evil}\n# heading`, slowestMs: 2_000 } })],
      requests: [request("r.r1", SINCE_MS, { person: evil, stop: `${evil}\n- item` })],
      stopped: [
        { id: "s", open: false, atMs: SINCE_MS, facts: { what: "canary stopped", target: evil, who: evil, why: `${evil}\n\n# x` } },
      ],
    });
    const text = digestMarkdown(view);
    expect(text).not.toContain("SECRET");
    expect(text).not.toMatch(/\]\(|<img|\*x\*|http:/);
    expect(text.split("\n").filter((line) => line.startsWith("#"))).toEqual([
      "# party: 2026-11-27 00:00 to 2026-11-28 00:00 UTC",
      "## To do",
      "## Cost",
      "## Slowest stops",
      "## Routes",
    ]);
  });

  test("counts what a nested route spent once, with its parent", () => {
    const runs = [run(1, { summary: { usd: 3 } }), run(2, { id: "child-1", route: "inner", summary: { usd: 2 }, isNested: true })];
    const { usd, dearest, processes } = digestOf({ ...BUSY, runs });
    expect([usd, dearest.map(({ id }) => id)]).toEqual([3, ["trip-1"]]);
    expect(processes.map(({ route, usd: of }) => [route, of])).toEqual([
      ["trip", 3],
      ["inner", 2],
    ]);
  });

  test("is bounded", () => {
    const many = Array.from({ length: 300 }, (_, index) => index);
    const view = digestOf({
      ...BUSY,
      runs: many.map((index) =>
        run(index, { route: `route-${index}`, summary: { usd: index, slowestStop: `s${index}`, slowestMs: 5_000 } }),
      ),
      letters: many.map((index) => letter(`p${index}:1`, `own.code-${index}`, SINCE_MS)),
      requests: many.map((index) => request(`p.r${index + 1}`, SINCE_MS)),
    });
    for (const list of [view.processes, view.people, view.deadLetters, view.slowest, view.dearest])
      expect(list).toHaveLength(LIMITS.digestLinesMax);
    expect(view.processes.at(-1)).toMatchObject({ route: "others", ended: 296 });
    expect(view).toMatchObject({ waiting: 300, dead: 300 });
    expect(digestText(view)).toContain("295 more: troupe inbox");
    expect(digestText(view)).toContain("295 of other causes");
    expect(digestText(view).split("\n").length).toBeLessThan(45);
  });
});

test("dates are those of the calendar, also in leap years", () => {
  for (const text of ["2026-02-28", "2024-02-29", "2028-12-31", "2100-02-28", "2100-03-01", "2000-02-29", "1970-01-01"]) {
    const untilMs = Date.parse(`${text}T23:59:00Z`);
    const view = digestOf({ ...BUSY, runs: [], letters: [], requests: [], stopped: [], sinceMs: untilMs - MINUTE_MS, untilMs });
    expect(digestText(view)).toContain(`party: ${text} 23:58 to ${text} 23:59 UTC`);
  }
});

describe("the periods of digests", () => {
  const at = (text: string): number => Date.parse(text);
  test.each([
    ["hourly", "2026-11-28T07:30:00Z", "2026-11-28T06:00:00Z", "2026-11-28T07:00:00Z"],
    ["daily", "2026-11-28T07:30:00Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"],
    ["daily", "2026-11-28T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"],
    ["weekly", "2026-11-28T07:30:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"],
  ] as const)("%s at %s: from %s to %s", (period, nowText, since, until) => {
    expect(lastPeriod(period, at(nowText))).toEqual({ sinceMs: at(since), untilMs: at(until) });
  });
});
