/** @module `ps` against a pretended system: filters, pages, and what the rows say. */
import { expect, test } from "vitest";
import { run, stub, useParty } from "./party.ts";

useParty();

test("ps lists processes with filters and the next page", async () => {
  const { code, out } = await run("ps", "--only", "ended", "--status", "completed", "--route", "trip", "--limit", "1");
  expect(code).toBe(0);
  expect(out).toMatch(/process +route +status +since +fault\ntrip-7 +trip +completed +\d+ d\n\nMore: --cursor next\n$/);
  expect(stub.seen[0]?.path).toBe("/processes?state=ended&status=completed&route=trip&limit=1");
  expect(JSON.parse((await run("ps", "--json")).out)).toMatchObject({ parts: [], entries: [{ id: "trip-7" }], cursor: "next" });
  stub.answers["GET /processes"] = [{ json: { entries: [], cursor: "next" } }, { json: { entries: [] } }];
  expect((await run("ps")).out).toContain("None on this page; more may follow.\n\nMore: --cursor next\n");
  expect((await run("ps", "--cursor", "next")).out).toContain("No such processes.\n");
  expect(await run("ps", "--status", "gone")).toMatchObject({ code: 2 });
  expect(await run("ps", "--limit", "0")).toMatchObject({ code: 2 });
});

test("ps has the filters of the HTTP API: times as spans before now, cost, paused, version", async () => {
  const nowMs = Date.now();
  const used = ["--used", "Planner@v1/large", "--text", "trip", "--by", "ann", "--code", "agent.failed"];
  const times = ["--since", "3h", "--until", "2h", "--ended-since", "1h"];
  expect(await run("ps", ...times, "--min-usd", "0.5", "--paused", "--waiting", ...used)).toMatchObject({ code: 0 });
  const { searchParams } = new URL(stub.seen[0]?.path ?? "", "http://stub");
  const { sinceMs, untilMs, endedSinceMs, ...rest } = Object.fromEntries(searchParams);
  expect(rest).toEqual({
    ...{ minUsd: "0.5", paused: "true", waiting: "true", version: "Planner@v1/large", text: "trip", by: "ann", code: "agent.failed" },
    limit: "20",
  });
  expect(Number(untilMs) - Number(sinceMs)).toBe(3_600_000);
  expect(Number(endedSinceMs) - Number(untilMs)).toBe(3_600_000);
  expect(Number(untilMs)).toBeGreaterThanOrEqual(nowMs - 2 * 3_600_000);
  for (const amount of ["-1", "much", "1e9", ""]) expect((await run("ps", "--min-usd", amount)).code).toBe(2);
});

test("ps says that a process is paused", async () => {
  const entry = { id: "trip-7", open: true, atMs: 1, route: "trip", run: 1, paused: true };
  stub.answers["GET /processes"] = { json: { entries: [entry] } };
  expect((await run("ps")).out).toMatch(/\ntrip-7 +trip +paused +\d+ d\n/);
});

test("ps counts the time of an open process from its acceptance, though a host that took it over has written its line anew", async () => {
  const nowMs = Date.now();
  const line = { id: "p", route: "trip", open: true, acceptedAtMs: nowMs - 7_200_000, atMs: nowMs - 1_000 };
  stub.answers["GET /processes"] = { json: { entries: [line, { ...line, id: "q", paused: true }] } };
  const { out } = await run("ps");
  expect(out).toMatch(/^p +trip +open +2 h\b/m);
  expect(out).toMatch(/^q +trip +paused +[12] s\b/m);
});
