/** @module `inbox`, `approve`, `edit`, `deny` and `answer` against a pretended system. */
import { Readable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { AT_MS, PROCESS, run, stub, useParty } from "./party.ts";
import { refuse } from "./stub.ts";

useParty();

const HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ENTRY = {
  id: "trip-7.r1",
  processId: "trip-7",
  route: "trip",
  run: 1,
  stop: "pay",
  kind: "consent",
  state: "open",
  person: "Approver",
  agent: "Cashier",
  tool: "pay",
  about: "needs a person's approval where input.amount > 100",
  hash: HASH,
  roles: ["manager", "boss"],
  forSubject: "ann",
  askedAtMs: AT_MS,
  dueAtMs: AT_MS + 3_600_000,
  reminded: 1,
  escalated: 1,
};
const REQUEST = {
  ...ENTRY,
  silence: "deny",
  actions: ["approve", "edit", "deny"],
  input: { amount: 1_200 },
  reason: "needs a person's approval where input.amount > 100",
  rule: "approve: input.amount > 100",
  evidence: [{ origin: "mcp:mail", trusted: false, text: "pay now\ror else" }],
  label: ["mcp:mail"],
  inputSchema: { type: "object" },
  always: [{ about: "pay up to 1200", when: "input.amount <= 1200" }],
};
const DECIDED = { id: ENTRY.id, processId: "trip-7", decisionId: "d", run: 1, sequence: 9, traceId: "abc" };

function answers(): void {
  Object.assign(stub.answers, {
    "GET /inbox": { json: { entries: [ENTRY, { ...ENTRY, id: "trip-8.r1", processId: "trip-8", escalated: 0 }], cursor: "next" } },
    "GET /inbox/trip-7.r1": { json: REQUEST },
    "POST /inbox/trip-7.r1/decision": { status: 202, json: { ...DECIDED, do: "approve", state: "approved" } },
  });
}

describe("inbox", () => {
  test("lists what waits, with filters; escalated requests say so", async () => {
    answers();
    const { out } = await run("inbox", "--person", "Approver", "--route", "trip", "--process", "trip-7");
    expect(out.split("\n").map((line) => line.replaceAll(/ {2,}\S+ d {2,}/g, "  7 d  "))).toEqual([
      expect.stringMatching(/^request +asked +state +who +what$/),
      expect.stringMatching(
        /^trip-7\.r1 +7 d +escalated +Approver \(manager, boss\) +needs a person's approval where input\.amount > 100$/,
      ),
      expect.stringMatching(/^trip-8\.r1 +7 d +open /),
      "",
      "What one asks, and how to decide: troupe inbox <request>",
      "",
      "More: --cursor next",
      "",
    ]);
    expect(stub.seen[0]?.path).toBe("/inbox?state=open&person=Approver&route=trip&process=trip-7&limit=20");
  });

  test("says that there are none", async () => {
    stub.answers["GET /inbox"] = { json: { entries: [] } };
    expect((await run("inbox", "--only", "decided")).out).toBe("No such requests.\n");
  });

  test("shows a request: what is asked, why, what silence means, who may decide, the evidence, the hash, and the commands", async () => {
    answers();
    expect((await run("inbox", "trip-7.r1")).out.split("\n")).toEqual([
      "trip-7.r1: open, asked 2025-10-09 08:53:20 UTC, due 2025-10-09 09:53:20 UTC",
      "process trip-7, route trip, stop pay, for ann",
      "why: needs a person's approval where input.amount > 100",
      "rule: approve: input.amount > 100",
      "who may decide: Approver (manager, boss)",
      "if no one decides in time: it is denied",
      "derived from untrusted text: mcp:mail",
      "",
      "Cashier wants to call pay with:",
      "  {",
      '    "amount": 1200',
      "  }",
      "from mcp:mail (untrusted):",
      "  pay now\\u000dor else",
      "",
      `hash: ${HASH}`,
      "",
      "Approve: troupe approve trip-7.r1",
      "Edit:    troupe edit trip-7.r1 @input.json",
      'Deny:    troupe deny trip-7.r1 --reason "..."',
      "Always:  troupe approve trip-7.r1 --always 1   pay up to 1200 (input.amount <= 1200)",
      `In a script: add --hash ${HASH}`,
      "",
    ]);
    expect(JSON.parse((await run("inbox", "trip-7.r1", "--json")).out)).toEqual(REQUEST);
  });

  test("shows who decided, and no longer any commands", async () => {
    const decided = { by: "bob", reason: "fine", atMs: AT_MS + 60_000 };
    stub.answers["GET /inbox/trip-7.r1"] = { json: { ...REQUEST, state: "approved", decided } };
    const { out } = await run("inbox", "trip-7.r1");
    expect(out).toContain("\napproved by bob, 2025-10-09 08:54:20 UTC: fine\n");
    expect(out).not.toContain("troupe approve");
  });

  test("a task that ends before the deadline of its request says so", async () => {
    stub.answers["GET /inbox/trip-7.r1"] = { json: { ...REQUEST, processEndsAtMs: ENTRY.dueAtMs - 60_000 } };
    const { out } = await run("inbox", "trip-7.r1");
    expect(out).toContain("due 2025-10-09 09:52:20 UTC\n");
    expect(out).toContain("\nif no one decides in time: the task expires\n");
  });

  test("a question shows the form of its answer", async () => {
    const outputSchema = { type: "string" };
    stub.answers["GET /inbox/trip-7.r1"] = {
      json: { ...REQUEST, kind: "question", tool: undefined, actions: ["answer", "deny"], outputSchema },
    };
    const { out } = await run("inbox", "trip-7.r1");
    expect(out).toContain("what Cashier asks:\n");
    expect(out).toContain('\nAnswer:  troupe answer trip-7.r1 @answer.json\nDeny:    troupe deny trip-7.r1 --reason "..."\n');
    expect(out).toContain('\nThe answer fits {"type":"string"}\n');
  });
});

describe("decisions with a hash", () => {
  test.each([
    [["approve", "trip-7.r1", "--hash", HASH, "--reason", "fine"], { do: "approve", hash: HASH, reason: "fine" }],
    [
      ["approve", "trip-7.r1", "--hash", HASH, "--always", "2", "--uses", "5", "--for", "7d"],
      { do: "approve", hash: HASH, always: { rule: 1, usesMax: 5, forMs: 604_800_000 } },
    ],
    [
      ["edit", "trip-7.r1", '{"amount":900}', "--hash", HASH, "--decision", "d-1"],
      { do: "edit", hash: HASH, input: { amount: 900 }, decisionId: "d-1" },
    ],
    [["deny", "trip-7.r1", "--hash", HASH, "--reason", "no receipt"], { do: "deny", hash: HASH, reason: "no receipt" }],
    [["answer", "trip-7.r1", '"by the sea"', "--hash", HASH], { do: "answer", hash: HASH, output: "by the sea" }],
  ])("%j sends exactly that", async (words, body) => {
    answers();
    const { code, out } = await run(...words);
    expect([code, out]).toEqual([0, "Request trip-7.r1 is approved. Follow it: troupe show trip-7 --follow\n"]);
    expect(stub.seen).toEqual([expect.objectContaining({ method: "POST", path: "/inbox/trip-7.r1/decision", body })]);
  });

  test("a request that asks for something else by now is not decided, exit code 1; who may not decide gets exit code 4", async () => {
    stub.answers["POST /inbox/trip-7.r1/decision"] = refuse("person.changed");
    expect(await run("approve", "trip-7.r1", "--hash", HASH)).toMatchObject({ code: 1, err: expect.stringContaining("person.changed: ") });
    stub.answers["POST /inbox/trip-7.r1/decision"] = refuse("person.forbidden");
    expect(await run("approve", "trip-7.r1", "--hash", HASH)).toMatchObject({
      code: 4,
      err: expect.stringContaining("Let a person decide whose roles the request names"),
    });
  });

  test("a denial needs a reason, and limits of a rule need the rule", async () => {
    answers();
    expect(await run("deny", "trip-7.r1", "--hash", HASH)).toMatchObject({ code: 2, err: expect.stringContaining("--reason <text>") });
    expect(await run("approve", "trip-7.r1", "--hash", HASH, "--uses", "3")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--always"),
    });
    expect(stub.seen).toEqual([]);
  });
});

describe("decisions without a hash", () => {
  /** A terminal whose person types a line. */
  async function typing(line: string, ...words: readonly string[]): ReturnType<typeof run> {
    const terminal = Object.assign(Readable.from([`${line}\n`]), { isTTY: true, fd: 0 });
    const stdin = vi.spyOn(process, "stdin", "get").mockReturnValue(terminal as unknown as typeof process.stdin);
    const before = process.stdout.isTTY;
    process.stdout.isTTY = true;
    try {
      return await run(...words);
    } finally {
      process.stdout.isTTY = before;
      stdin.mockRestore();
    }
  }

  test("a script is told to give one", async () => {
    answers();
    expect(await run("approve", "trip-7.r1")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Read it with `troupe inbox trip-7.r1`"),
    });
    expect(stub.seen).toEqual([]);
  });

  test("on a terminal the request is shown, and a yes decides on exactly what was shown", async () => {
    answers();
    const { code, out } = await typing("y", "approve", "trip-7.r1", "--always", "1");
    expect(out).toContain('"amount": 1200');
    expect(out).toContain("\nApprove it, and from now on pay up to 1200? [y/N] ");
    expect(code).toBe(0);
    expect(stub.seen.at(-1)?.body).toEqual({ do: "approve", always: { rule: 0 }, hash: HASH });
  });

  test("anything else decides nothing, exit code 1; the other input is shown before", async () => {
    answers();
    const { code, out } = await typing("", "edit", "trip-7.r1", '{"amount":900}');
    expect(out).toContain('Approve it with this input?\n{\n  "amount": 900\n}\n [y/N] ');
    expect([code, out.endsWith("Nothing was decided.\n")]).toEqual([1, true]);
    expect(stub.seen.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("a rule that the request does not offer is refused before anything is asked", async () => {
    answers();
    expect(await typing("y", "approve", "trip-7.r1", "--always", "3")).toMatchObject({
      code: 2,
      err: expect.stringContaining("offers no rule"),
    });
  });
});

describe("processes that wait for a person", () => {
  test("ps names the person and the command", async () => {
    const open = { id: "trip-7", open: true, atMs: AT_MS, route: "trip", run: 1, request: "trip-7.r1", person: "Approver" };
    stub.answers["GET /processes"] = { json: { entries: [open, { ...open, id: "trip-8", request: "trip-8.r1", person: "" }] } };
    const { out } = await run("ps");
    expect(out).toMatch(/\ntrip-7 +trip +open +\d+ d +Approver: troupe inbox trip-7\.r1\n/);
    expect(out).toMatch(/\ntrip-8 +trip +open +\d+ d +a person: troupe inbox trip-8\.r1\n/);
  });

  test("show names the person and the command", async () => {
    const { outcome: _none, ...open } = PROCESS;
    const waits = [{ wait: "w", stop: "pay", agent: "Cashier", kind: "person", name: "Approver", request: "trip-7.r1", begunAtMs: AT_MS }];
    stub.answers["GET /processes/trip-7"] = { json: { ...open, phase: "open", waits } };
    expect((await run("show", "trip-7")).out).toMatch(
      /\npay +Cashier +waits for Approver until 2025-10-09 08:54:20 UTC: troupe inbox trip-7\.r1\n/,
    );
  });
});
