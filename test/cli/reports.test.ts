/** @module `drift` and `digest` on a pretended system: what is asked for, what is printed, and the exit codes. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DigestView, DriftLine, DriftView } from "../../client/index.ts";
import { DRIFT_KINDS } from "../../runtime/reports/runs.ts";
import { runLine, startStub, type Stub } from "./stub.ts";

let stub: Stub;
beforeEach(async () => {
  stub = await startStub();
});
afterEach(() => stub.close());

const DIGEST: DigestView = {
  ...{
    system: "party",
    sinceMs: 0,
    untilMs: 86_400_000,
    processes: [{ route: "trip", ended: 3, failed: 1, redriven: 0, usd: 0 }],
    waiting: 0,
    people: [],
  },
  ...{ dead: 1, deadLetters: [{ code: "agent.failed", count: 1, fresh: 1, example: "p:1", fix: "Read it." }], releases: [], drift: [] },
  ...{ slowest: [], usd: 0, dearest: [], atLeast: false },
};
const steady = { now: 1, before: 1, drifted: false };
const LINE: DriftLine = {
  ...{ route: "trip", version: "Writer@v2/fast", against: "route", processes: 30, processesBefore: 300, comparable: true },
  ...(Object.fromEntries(DRIFT_KINDS.map((kind) => [kind, steady])) as Record<(typeof DRIFT_KINDS)[number], typeof steady>),
};
const drift = (lines: DriftLine[]): DriftView => ({ sinceMs: 86_400_000, baselineMs: 0, lines, atLeast: false });
const line = (...words: readonly string[]) => runLine(...words, "--url", stub.url, "--token", "t");

test("digest prints text, Markdown or JSON of the time that is asked for", async () => {
  stub.answers["GET /digest"] = { json: DIGEST };
  const text = await line("digest");
  expect([text.code, text.out]).toEqual([
    0,
    expect.stringMatching(/^party: 1970-01-01 00:00 to 1970-01-02 00:00 UTC\n[^]*TO DO\n {2}1 dead letter/),
  ]);
  const markdown = await line("digest", "--since", "2h", "--markdown");
  expect(markdown.out).toContain(
    "## To do\n\n- **1 dead letter to decide**, 1 new\n  - `agent.failed` 1: `troupe dead show p:1`. Read it.",
  );
  expect(JSON.parse((await line("digest", "--json")).out)).toEqual(DIGEST);
  expect(stub.seen.map(({ path }) => path)).toEqual(["/digest", expect.stringMatching(/^\/digest\?sinceMs=\d{13}$/), "/digest"]);
});

test("drift shows what has drifted, and ends with 1 if something has", async () => {
  stub.answers["GET /drift"] = { json: drift([{ ...LINE, repairs: { now: 1.25, before: 0.1, drifted: true } }]) };
  const found = await line("drift");
  expect(found.code).toBe(1);
  expect(found.out).toMatch(/trip +Writer@v2\/fast +repairs +1\.25 +0\.10 +30 +300 of the route/);
  expect(found.out).not.toContain("retries");
  expect((await line("drift", "--all")).out).toMatch(/retries +1\.00 +1\.00[^]*repairs +1\.25 +0\.10 +30 +300 of the route +DRIFTED/);
});

test("drift ends with 0 if all is steady, and asks for the window and the baseline", async () => {
  stub.answers["GET /drift"] = { json: drift([LINE]) };
  const calm = await line("drift", "--window", "1h", "--baseline", "1d");
  expect([calm.code, calm.out]).toEqual([0, expect.stringContaining("Nothing drifted.")]);
  const asked = new URLSearchParams(stub.seen[0]?.path.split("?")[1]);
  expect(Number(asked.get("sinceMs")) - Number(asked.get("baselineMs"))).toBe(86_400_000);
  stub.answers["GET /drift"] = { json: drift([]) };
  expect((await line("drift")).out).toContain("No process ended in the window.");
});
