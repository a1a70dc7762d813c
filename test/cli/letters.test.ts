/** @module `dead` and `graph` against a pretended system. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { AT_MS, LETTER, INPUT, RECEIPT, stub, dir, useParty, run } from "./party.ts";

useParty();

describe("dead", () => {
  test("list shows what waits, with filters", async () => {
    const { out } = await run("dead", "list", "--route", "trip", "--code", "agent.refused");
    expect(out).toMatch(/^letter +route +since +fault +what\ntrip-7:1 +trip +\d+ d +agent\.refused +too dear\n$/);
    expect(stub.seen[0]?.path).toBe("/deadletters?route=trip&code=agent.refused&limit=20");
  });

  test("show shows what it is, and what can be done", async () => {
    const { out } = await run("dead", "show", "trip-7:1");
    expect(out).toContain("trip-7:1: agent.refused, 2025-10-09 08:53:20 UTC\ntoo dear\nWhat to do: ");
    expect(out).toContain("  attempts:\n    - attempt: 1\n");
    expect(out).toContain("troupe dead redrive trip-7:1");
  });

  test("show prints a dead letter: input as JSON, attempts, history with times from its first line, and how to fix it", async () => {
    const original = { kind: "do", target: { kind: "agent", agent: "SnarkAgent" }, input: { budget: 10 } };
    const history = [
      { atMs: AT_MS, what: "asked", stop: "snark", agent: "SnarkAgent", attempt: 1 },
      { atMs: AT_MS + 1_250, what: "failed", stop: "snark", agent: "", attempt: 0, code: "agent.refused" },
    ];
    const letter = {
      stop: "snark",
      traceId: "abc",
      principal: "ann",
      path: ["Sales", "SnarkAgent"],
      original,
      attempts: [{ attempt: 1, fault: { code: "agent.failed", message: "busy" } }],
      history,
    };
    stub.answers["GET /deadletters/trip-7:1"] = { json: { ...LETTER, letter } };
    expect((await run("dead", "show", "trip-7:1")).out.split("\n").slice(3)).toEqual([
      "",
      "route trip, stop snark, by ann, trace abc",
      "path: Sales -> SnarkAgent",
      "the input of SnarkAgent:",
      "  {",
      '    "budget": 10',
      "  }",
      "attempt 1 failed: agent.failed: busy",
      "",
      "  seconds  stop      agent         what happened",
      "    0.000  snark     SnarkAgent    asked",
      "    1.250  snark     (process)     failed (agent.refused)",
      "",
      "Fix:     troupe dead show trip-7:1 --json | jq .letter.original.input > fixed.json, and edit it",
      "Redrive: troupe dead redrive trip-7:1 [--input @fixed.json]",
      'Discard: troupe dead discard trip-7:1 --reason "..."',
      "",
    ]);
    const undone = history.map((one) => ({ ...one, what: "undone", stop: "hotel" }));
    const own = { ...letter, history: [...history, ...undone] };
    stub.answers["GET /deadletters/trip-7:1"] = { json: { ...LETTER, letter: own } };
    const again = (await run("dead", "show", "trip-7:1")).out;
    expect(again).toContain("\nhotel: undone, so the run begins there again. If you edit the input, only your changes are kept");
    const handedOff = { ...own, original: { ...letter.original, whole: true } };
    stub.answers["GET /deadletters/trip-7:1"] = { json: { ...LETTER, letter: handedOff } };
    expect((await run("dead", "show", "trip-7:1")).out).toContain("This input was handed off, so an edited one is used exactly as written");
    stub.answers["GET /deadletters/trip-7:1"] = {
      json: { ...LETTER, letter: { ...letter, stop: null, path: [], original: { kind: "task", input: {} } } },
    };
    const { out } = await run("dead", "show", "trip-7:1");
    expect(out).not.toContain("what the handler threw");
    expect(out).toContain("\nthe input of the task:\n  {}\n");
    expect(out).not.toContain("Fix:");
  });

  test("show says what to do about a code of the author's own, and what the handler threw", async () => {
    const fault = {
      code: "card.declined",
      message: "the card was declined",
      retryable: false,
      httpStatus: 402,
      fix: "Use another card.",
      cause: "Fault: the card was declined\n    at pay (till.ts:7:9)\ncaused by: Error: 402",
    };
    const letter = { fault, path: [], original: { kind: "task", input: {} }, attempts: [], history: [] };
    stub.answers["GET /deadletters/trip-7:1"] = { json: { ...LETTER, code: fault.code, message: fault.message, letter } };
    const { out } = await run("dead", "show", "trip-7:1");
    expect(out).toContain("\nthe card was declined\nWhat to do: Use another card.\n");
    expect(out).toContain(
      "\nwhat the handler threw:\n  Fault: the card was declined\n      at pay (till.ts:7:9)\n  caused by: Error: 402\n",
    );
  });

  test("show says what was left standing, and that a redrive does it again; the redrive says that it was undone by hand", async () => {
    const letter = {
      path: [],
      original: { kind: "undo", input: null },
      attempts: [],
      history: [],
      left: ["charge of Pay at pay", "Hotel at hotel"],
      stands: ["mail of Pay at pay"],
    };
    stub.answers["GET /deadletters/trip-7:1"] = { json: { ...LETTER, code: "compensation.failed", letter } };
    const { out } = await run("dead", "show", "trip-7:1");
    expect(out).toContain("\nstands, as its tool has no undo:\n  mail of Pay at pay\n");
    expect(out).toContain(
      "\nleft standing, as its undo failed:\n  charge of Pay at pay\n  Hotel at hotel\n" +
        "A redrive does this again, under new keys. Undo it by hand first, then redrive with --undone-by-hand.\n",
    );
    expect(out).toContain("\nRedrive: troupe dead redrive trip-7:1 --undone-by-hand\n");
    expect(await run("dead", "redrive", "trip-7:1", "--undone-by-hand")).toMatchObject({ code: 0 });
    expect(stub.seen.at(-1)?.body).toEqual({ undoneByHand: true });
  });

  test("of a nested route it names the parent, which alone can do it again; of an invalid message it asks for a whole task", async () => {
    const nested = { ...LETTER, id: "child-1:1", parent: "trip-7" };
    const { route: _none, ...invalid } = { ...LETTER, id: "invalid-000000001-aa", topic: "party.tasks" };
    Object.assign(stub.answers, {
      "GET /deadletters": { json: { entries: [nested] } },
      "GET /deadletters/child-1:1": { json: { ...nested, letter: {} } },
      "GET /deadletters/invalid-000000001-aa": { json: { ...invalid, letter: {} } },
    });
    expect((await run("dead", "list")).out).toContain("nested in trip-7: too dear\n");
    expect((await run("dead", "show", "child-1:1")).out).toMatch(
      /Redrive: +by the dead letter of its parent, process trip-7\nDiscard: +troupe dead discard child-1:1 /,
    );
    expect((await run("dead", "show", "invalid-000000001-aa")).out).toMatch(
      /Redrive: +troupe dead redrive invalid-000000001-aa --input @task\.json .*whole corrected task\nDiscard: /,
    );
  });

  test("a redrive tells what the edit does not reach", async () => {
    stub.answers["POST /deadletters/trip-7:1/redrive"] = {
      status: 202,
      json: { ...RECEIPT, run: 2, notReached: ["hotel", "output"] },
    };
    const { out } = await run("dead", "redrive", "trip-7:1", "--input", INPUT);
    expect(out).toContain("\nThe edit does not reach: hotel, output. They still use the values from before it.");
  });

  test("redrive gives the fixed input; a second decision is refused", async () => {
    expect(await run("dead", "redrive", "trip-7:1", "--input", INPUT, "--reason", "typo")).toMatchObject({
      code: 0,
      out: "Process trip-7 runs again, run 2. Follow it: troupe show trip-7 --follow\n",
    });
    expect(stub.seen[0]?.body).toEqual({ input: { wish: "sea" }, reason: "typo" });
    expect(await run("dead", "redrive", "trip-7:1", "--input", "{")).toMatchObject({ code: 2 });
  });

  test("discard needs a reason", async () => {
    expect(await run("dead", "discard", "trip-7:1")).toMatchObject({
      code: 2,
      err: expect.stringContaining("required option '--reason <text>' not specified"),
    });
    expect(await run("dead", "discard", "trip-7:1", "--reason", "test")).toMatchObject({
      code: 0,
      out: "Dead letter trip-7:1 is discarded.\n",
    });
  });
});

describe("graph", () => {
  const file = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

  test("of a file and of the running system are the same, as text, Mermaid and JSON", async () => {
    const travel = file("01-travel/system.ts");
    const json = await run("graph", "show", travel, "--json");
    stub.answers["GET /graph"] = { json: JSON.parse(json.out) };
    for (const form of [["show"], ["show", "--mermaid"], ["show", "--json"], ["check"], ["check", "--json"]]) {
      const [word = "", ...options] = form;
      const ofFile = await run("graph", word, travel, ...options);
      expect(ofFile.code).toBe(0);
      expect(sorted((await run("graph", word, ...options)).out)).toEqual(sorted(ofFile.out));
    }
    expect((await run("graph", "show", travel)).out).toContain("agent SnarkAgent\n  asks -> agent PlannerAgent\n");
    expect((await run("graph", "check", travel)).out).toBe("party: 5 agents, 1 route; everything fits, and every cycle is bounded.\n");
  });

  test("of a cycle without a bound prints the cycle, exit code 1", async () => {
    await writeFile(
      join(dir, "system.ts"),
      `import { unbounded } from ${JSON.stringify(file("02-loops/systems.ts"))}; export default unbounded();`,
    );
    const { code, err } = await run("graph", "check", join(dir, "system.ts"));
    expect(code).toBe(1);
    expect(err).toContain("the cycle Sales -> Support -> Sales (hand-off, hand-off) has no bound");
  });

  test("of a file that is not there says so, exit code 1", async () => {
    expect(await run("graph", "show", "absent.ts")).toMatchObject({
      code: 1,
      err: expect.stringContaining("SYSTEM_FILE: there is no file absent.ts.\nWhat to do: "),
    });
  });
});

/** Lines in any order: where the nodes begin is not part of a graph. */
function sorted(text: string): readonly string[] {
  return text
    .replaceAll(/\bn\d+/g, "n")
    .split("\n")
    .toSorted();
}
