/**
 * @module One day with the command on a real Dapr: up --stay, tasks that complete, fail and are cancelled, lists, a dead letter that is
 * fixed, another that is discarded, and down; and what the records are good for.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { eachInFolder, processesOf, runCommand } from "./command.ts";

const TEST_MS = 180_000;
const GOOD = '{"wish":"lake and mountains","days":3,"budget":500}';
const POOR = GOOD.replace("500", "10");
const SYSTEM = fileURLToPath(new URL("../../examples/01-travel/system.ts", import.meta.url));
const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
eachInFolder((made) => (dir = made));

/** How long a reservation takes, in milliseconds. */
const DESK_MS = 1_500;
/** Longer than a busy machine takes to start the command that cancels the process. */
const SLOW_DESK_MS = 6_000;

/** Starts a system that stays up, with reservations that take so long; what was printed. */
async function up(port: string, deskMs = DESK_MS): Promise<string> {
  return run(0, { TRAVEL_DESK_MS: String(deskMs) }, "up", "--stay", "--port", port);
}

/** Runs a command line; what it printed when it ended with the code. */
async function cli(code: number, ...words: readonly string[]): Promise<string> {
  return run(code, {}, ...words);
}

async function run(code: number, env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<string> {
  const { exit, text } = await runCommand(dir, words, { TRAVEL_DESK_MS: "0", ...env });
  expect(exit.code, `troupe ${words.join(" ")}\n${text}`).toBe(code);
  return text;
}

describe.skipIf(binaries === undefined)("a day with the command", () => {
  test("from up --stay over tasks that complete, fail and are cancelled, to down", { timeout: TEST_MS }, async () => {
    const port = String(await appPort());
    expect(await up(port, SLOW_DESK_MS)).toContain("It stays up as process ");
    expect(await cli(1, "up", "--stay", "--port", port)).toContain("FOLDER_LOCKED");

    expect(await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait")).toMatch(/city: Ljubljana[\s\S]+completed in /);
    expect(await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait")).toMatch(/completed in /);
    expect(await cli(1, "submit", "trip", '{"wish":"sea"}', "--id", "bad")).toContain("schema.task: ");
    expect(await cli(1, "submit", "trip", GOOD.replace("500", "501"), "--id", "good")).toContain("process.conflict: ");
    expect(await cli(1, "submit", "trip", POOR, "--id", "poor", "--follow")).toMatch(
      /CashierAgent +failed[\s\S]+agent\.refused: [\s\S]+failed in /,
    );

    const shown = await cli(0, "show", "good");
    expect(shown).toMatch(/^good: completed\nroute trip, run 1, trace [0-9a-f]{32}\n/);
    expect(shown).toMatch(
      /^flight +FlightAgent +answered +1 +\d+\.\d{3} +\d+\.\d{3}\n {4}in {2}\{"to":"LJU"\}\n {4}tool book: ended\n {4}out \{/m,
    );
    expect(shown).toMatch(/^snark +PlannerAgent +answered \(ask\)/m);
    expect(shown).toMatch(/^path: PlannerAgent -> .+ -> SnarkAgent -> PlannerAgent$/m);
    expect(await cli(0, "show", "good", "--follow")).toMatch(/PlannerAgent +asked[\s\S]+completed in /);
    expect(await cli(0, "show", "poor")).toMatch(/^flight +FlightAgent +undone \(undo\)/m);

    expect(await cli(0, "submit", "trip", GOOD, "--id", "slow")).toContain("Task slow is accepted");
    expect(await cli(0, "cancel", "slow", "--reason", "changed my mind")).toContain("Process slow is being cancelled.");
    expect(await cli(1, "show", "slow", "--follow")).toMatch(/cancelled in /);
    expect(await cli(1, "cancel", "good")).toContain("process.ended: ");
    expect(await cli(0, "purge", "--dry-run")).toMatch(/^Would purge \d+ process/);

    expect(await cli(0, "down")).toContain("Everything is stopped.");
    // The command of `up` itself ends a moment later: it closes its log last.
    await expect.poll(() => processesOf(dir)).toEqual([]);
    expect(await cli(0, "down")).toBe("Nothing runs in .troupe.");
    expect(await cli(3, "show", "good", "--url", `http://127.0.0.1:${port}`)).toContain("NOT_REACHABLE: ");
  });
});

describe.skipIf(binaries === undefined)("lists and the dead letter queue", () => {
  test("ps with pages and filters, dead letters fixed and discarded, the graph", { timeout: TEST_MS }, async () => {
    await up(String(await appPort()));
    await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait");
    for (const id of ["poor", "poorer"]) await cli(1, "submit", "trip", POOR, "--id", id, "--wait");
    const listed = await cli(0, "ps");
    for (const part of ["app", "daprd troupe", "placement", "scheduler"]) expect(listed).toMatch(new RegExp(`^${part} +\\d+$`, "m"));
    for (const row of [/^good +trip +completed/m, /^poor +trip +failed .*agent\.refused/m]) expect(listed).toMatch(row);
    expect(await cli(0, "ps", "--status", "completed")).not.toContain("poor");
    const first = JSON.parse(await cli(0, "ps", "--limit", "1", "--json")) as { entries: { id: string }[]; cursor: string };
    const second = JSON.parse(await cli(0, "ps", "--limit", "1", "--json", "--cursor", first.cursor)) as { entries: { id: string }[] };
    expect([first.entries.length, second.entries.length, first.entries[0]?.id === second.entries[0]?.id]).toEqual([1, 1, false]);

    expect(await cli(0, "dead", "list")).toMatch(/^poor:1 +trip .+agent\.refused/m);
    expect(await cli(0, "dead", "show", "poor:1")).toContain("Redrive: troupe dead redrive poor:1");
    const { letter } = JSON.parse(await cli(0, "dead", "show", "poor:1", "--json")) as {
      letter: { original: { input: { budget: number } } };
    };
    expect(await cli(1, "dead", "redrive", "poor:1", "--input", "{}")).toContain("schema.input: ");
    const fixed = { ...letter.original.input, budget: 5_000 };
    await writeFile(join(dir, "fixed.json"), JSON.stringify(fixed));
    expect(await cli(0, "dead", "redrive", "poor:1", "--input", "@fixed.json", "--reason", "a typo")).toContain(
      "Process poor runs again, run 2.",
    );
    expect(await cli(0, "show", "poor", "--follow")).toMatch(/completed in /);
    expect(await cli(1, "dead", "redrive", "poor:1")).toContain("deadletter.decided: ");
    expect(await cli(0, "dead", "discard", "poorer:1", "--reason", "test data")).toBe("Dead letter poorer:1 is discarded.");
    expect(await cli(0, "dead", "list")).toBe("No such dead letters.");
    expect(await cli(0, "dead", "list", "--decided")).toMatch(/^poorer:1 .*discarded .*test data$/m);
    expect(await cli(0, "graph", "show")).toContain("agent SnarkAgent\n  asks -> agent PlannerAgent");
    expect(await cli(0, "submit", "trip", GOOD, "--id", "by-topic", "--dapr")).toContain(
      'dapr publish --publish-app-id troupe --pubsub pubsub --topic party.tasks --data \'{"id":"by-topic"',
    );
    expect(await cli(0, "down")).toContain("Everything is stopped.");
  });
});

describe.skipIf(binaries === undefined)("what was recorded", () => {
  test("is replayed, exported, forked, compared and evaluated, also of a redriven process", { timeout: TEST_MS }, async () => {
    await up(String(await appPort()));
    await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait");
    await cli(1, "submit", "trip", POOR, "--id", "poor", "--wait");
    const shown = JSON.parse(await cli(0, "dead", "show", "poor:1", "--json")) as { letter: { original: { input: object } } };
    await cli(0, "dead", "redrive", "poor:1", "--input", JSON.stringify({ ...shown.letter.original.input, budget: 5_000 }));
    await cli(0, "show", "poor", "--follow");

    for (const id of ["good", "poor"]) expect(await cli(0, "replay", id)).toMatch(/^\w+: \d+ work items ran again.*\nNothing differs\.$/);
    expect(await cli(0, "export", "good", "--contents", "--out", "good.json")).toContain("It holds all contents");
    expect(await cli(0, "replay", "good.json", SYSTEM)).toContain("Nothing differs.");
    expect(await cli(0, "export", "good", "--out", "bare.json")).toContain("It holds no contents");
    expect(await cli(1, "replay", "bare.json", SYSTEM)).toContain("cassette.invalid: ");
    expect(await readFile(join(dir, "bare.json"), "utf8")).not.toContain("lake and mountains");

    expect(await cli(0, "fork", "good", "--at", "start")).toMatch(
      /^Forked good at start: completed\. 6 model calls[\s\S]+did the same: \d+ things/,
    );
    expect(await cli(0, "fork", "good.json", "--at", "flight", "--system", SYSTEM, "--out", "forked.json")).toContain(
      "completed. 4 model calls",
    );
    expect(await cli(1, "diff", "good", "poor")).toMatch(/\$\.input\.trip\.budget\s+- 500\s+\+ 10/);
    expect(await cli(0, "dataset", "add", "trips", "good")).toContain("version 1: 1 item in");
    expect(await cli(0, "eval", "trips", "--system", SYSTEM)).toMatch(/Gates: 1 passed, 0 failed, 0 unscored\.\nPassed\./);
    expect(await cli(0, "down")).toContain("Everything is stopped.");
  });
});
