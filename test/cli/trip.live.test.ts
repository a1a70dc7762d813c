/** @module One day with the command on a real Dapr: up --stay, tasks that complete, fail and are cancelled, down. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { freePort } from "../../cli/dapr/ports.ts";
import { processesOf, runCommand, testFolder } from "./command.ts";

const TEST_MS = 180_000;
const GOOD = '{"wish":"lake and mountains","days":3,"budget":500}';
const POOR = GOOD.replace("500", "10");
const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let dir = "";
let remove = async (): Promise<void> => undefined;
beforeEach(async () => {
  ({ dir, remove } = await testFolder());
});
afterEach(async () => {
  for (const { pid } of processesOf(dir)) process.kill(pid, "SIGKILL");
  await remove();
});

/** Runs a command line; what it printed when it ended with the code. */
async function cli(code: number, ...words: readonly string[]): Promise<string> {
  const { exit, text } = await runCommand(dir, words, { TRAVEL_DESK_MS: words[0] === "up" ? "1500" : "0" });
  expect(exit.code, `troupe ${words.join(" ")}\n${text}`).toBe(code);
  return text;
}

describe.skipIf(binaries === undefined)("a day with the command", () => {
  test("from up --stay over tasks that complete, fail and are cancelled, to down", { timeout: TEST_MS }, async () => {
    const port = String(await freePort());
    expect(await cli(0, "up", "--stay", "--port", port)).toContain("It stays up as process ");
    expect(await cli(1, "up", "--stay", "--port", port)).toContain("FOLDER_LOCKED");

    expect(await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait")).toMatch(/city: Ljubljana[\s\S]+completed in /);
    expect(await cli(0, "submit", "trip", GOOD, "--id", "good", "--wait")).toMatch(/completed in /);
    expect(await cli(1, "submit", "trip", '{"wish":"sea"}', "--id", "bad")).toContain("schema.task: ");
    expect(await cli(1, "submit", "trip", GOOD.replace("500", "501"), "--id", "good")).toContain("process.conflict: ");
    expect(await cli(1, "submit", "trip", POOR, "--id", "poor", "--follow")).toMatch(/SnarkAgent +failed[\s\S]+agent\.refused: [\s\S]+failed in /);

    const shown = await cli(0, "show", "good");
    expect(shown).toMatch(/^good: completed\nroute trip, run 1, trace [0-9a-f]{32}\n/);
    expect(shown).toMatch(/^flight +FlightAgent +answered +1 +\d+\.\d{3} +\d+\.\d{3}\n {4}in {2}\{"to":"LJU"\}\n {4}out \{/m);
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
    expect(processesOf(dir)).toEqual([]);
    expect(await cli(0, "down")).toBe("Nothing runs in .troupe.");
    expect(await cli(3, "show", "good", "--url", `http://127.0.0.1:${port}`)).toContain("NOT_REACHABLE: ");
  });
});
