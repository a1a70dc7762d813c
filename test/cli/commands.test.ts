/** @module Every command against a pretended system: good input, bad input, and a system that is away, cannot serve or refuses the token. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeRunRecord } from "../../cli/run/run-record.ts";
import { refuse, runLine, startStub, type Stub } from "./stub.ts";

const AT_MS = 1_760_000_000_000;
const RECEIPT = { id: "trip-7", route: "trip", run: 1, sequence: 1, traceId: "abc" };
const OUTCOME = {
  id: "trip-7",
  status: "completed",
  output: { city: "Palermo" },
  traceId: "abc",
  acceptedAtMs: AT_MS,
  endedAtMs: AT_MS + 250,
};
const LINE = { atMs: AT_MS + 100, what: "asked", stop: "plan", agent: "PlannerAgent", attempt: 1 };
const PROCESS = {
  id: "trip-7",
  phase: "ended",
  run: 1,
  sequence: 9,
  route: "trip",
  traceId: "abc",
  acceptedAtMs: AT_MS,
  history: [LINE],
  outcome: { status: "completed", atMs: AT_MS + 250, output: { city: "Palermo" } },
};
const STOPS = {
  stops: [
    {
      stop: "plan",
      agent: "PlannerAgent",
      kind: "do",
      state: "answered",
      attempts: 1,
      askedAtMs: AT_MS + 100,
      endedAtMs: AT_MS + 200,
      input: { trip: 1 },
      output: { city: "Palermo" },
    },
  ],
};
const LETTER = { id: "trip-7:1", open: true, atMs: AT_MS, route: "trip", code: "agent.refused", message: "too dear" };
const INPUT = '{"wish":"sea"}';

let stub: Stub;
let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-commands-"));
  stub = await startStub();
  await writeRunRecord(dir, { url: stub.url, pid: process.pid, appId: "party" });
  Object.assign(stub.answers, {
    "POST /tasks": { status: 202, json: RECEIPT },
    "GET /processes": {
      json: { entries: [{ id: "trip-7", open: false, atMs: AT_MS, route: "trip", status: "completed", run: 1 }], cursor: "next" },
    },
    "GET /processes/trip-7": { json: PROCESS },
    "GET /processes/trip-7/stops": { json: STOPS },
    "POST /processes/trip-7/cancel": { status: 202, json: RECEIPT },
    "POST /processes/trip-7/signals/approval": {
      status: 202,
      json: { id: "trip-7", name: "approval", signalId: "s", run: 1, sequence: 4, traceId: "abc" },
    },
    "GET /deadletters": { json: { entries: [LETTER] } },
    "GET /deadletters/trip-7:1": { json: { ...LETTER, letter: { attempts: [{ attempt: 1 }] } } },
    "POST /deadletters/trip-7:1/redrive": { status: 202, json: { ...RECEIPT, run: 2 } },
    "POST /deadletters/trip-7:1/discard": { json: { ...LETTER, open: false, decision: "discarded" } },
    "GET /graph": { json: { system: "party", agents: [], routes: [], edges: [] } },
    "POST /purge": { json: { purged: 1, waiting: 2 } },
  });
});
afterEach(async () => {
  await stub.close();
  await rm(dir, { recursive: true, force: true });
});

const run = (...words: readonly string[]): ReturnType<typeof runLine> => runLine(...words, "--state", dir, "--patience", "0s");

/** Each command that talks to a system, as a person would type it. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  ps: ["ps"],
  submit: ["submit", "trip", INPUT],
  "submit --wait": ["submit", "trip", INPUT, "--wait"],
  "submit --follow": ["submit", "trip", INPUT, "--follow"],
  "submit --dapr": ["submit", "trip", INPUT, "--dapr"],
  show: ["show", "trip-7"],
  "show --follow": ["show", "trip-7", "--follow"],
  signal: ["signal", "trip-7", "approval", '{"ok":true}'],
  cancel: ["cancel", "trip-7"],
  "graph check": ["graph", "check"],
  "graph show": ["graph", "show"],
  "dead list": ["dead", "list"],
  "dead show": ["dead", "show", "trip-7:1"],
  "dead redrive": ["dead", "redrive", "trip-7:1"],
  "dead discard": ["dead", "discard", "trip-7:1", "--reason", "test"],
  purge: ["purge"],
};

describe.each(Object.entries(LINES))("%s", (_name, words) => {
  const failAll = (answer: ReturnType<typeof refuse>): void => {
    for (const path of Object.keys(stub.answers)) stub.answers[path] = answer;
  };

  test("with the app down says where it looked and what to do, exit code 3", async () => {
    await stub.close();
    const { code, out, err } = await run(...words);
    expect([code, out]).toEqual([3, ""]);
    expect(err).toContain(`NOT_REACHABLE: no system answers at ${stub.url}.\nWhat to do: Start one with \`troupe up\``);
    stub = await startStub();
  });

  test("with the sidecar down says so and what to do, exit code 3", async () => {
    failAll(refuse("sidecar.unavailable", "the sidecar does not answer"));
    const { code, err } = await run(...words);
    expect(code).toBe(3);
    expect(err).toMatch(/^sidecar\.unavailable: the sidecar does not answer\nWhat to do: .+/m);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("with a wrong token says how to give one, exit code 4", async () => {
    failAll(refuse("auth.token", "the token is not the one of this app"));
    const { code, err } = await run(...words, "--token", "wrong");
    expect(code).toBe(4);
    expect(err).toContain(
      "auth.token: the token is not the one of this app\nWhat to do: Give a token that may do this: --token, or TROUPE_TOKEN.",
    );
    expect(stub.seen[0]?.token).toBe("Bearer wrong");
  });

  test("with something else at the address says so", async () => {
    failAll({ status: 500, json: "hello" });
    const { code, err } = await run(...words);
    expect(code).toBe(1);
    expect(err).toMatch(/^APP_ANSWER: what answers at .+ is no Troupe system: 500 without a code\.$/m);
  });

  test("as JSON for a program: the error is one JSON document", async () => {
    failAll(refuse("sidecar.unavailable", "away"));
    const { err } = await run(...words, "--json");
    expect(JSON.parse(err.trim().split("\n").at(-1) ?? "")).toMatchObject({
      error: { code: "sidecar.unavailable", message: "away", traceId: "0123" },
    });
  });
});

describe("submit", () => {
  test("prints the receipt and how to follow it; the id is made here", async () => {
    const { code, out } = await run("submit", "trip", INPUT);
    expect([code, out]).toEqual([0, "Task trip-7 is accepted: route trip, run 1, trace abc\nFollow it: troupe show trip-7 --follow\n"]);
    expect(stub.seen[0]?.body).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), route: "trip", input: { wish: "sea" } });
  });

  test("takes the input from a file, with id and deadline", async () => {
    await writeFile(join(dir, "task.json"), INPUT);
    await run("submit", "trip", `@${join(dir, "task.json")}`, "--id", "trip-7", "--timeout", "5m", "--json");
    expect(stub.seen[0]?.body).toEqual({ id: "trip-7", route: "trip", input: { wish: "sea" }, timeoutMs: 300_000 });
  });

  test("that is answered 503 at first tries again, and it is the same task", async () => {
    stub.answers["POST /tasks"] = [refuse("sidecar.unavailable"), { status: 202, json: RECEIPT }];
    const { code } = await runLine("submit", "trip", INPUT, "--state", dir, "--patience", "5s");
    expect(code).toBe(0);
    expect(stub.seen.map(({ body }) => body)).toEqual([stub.seen[0]?.body, stub.seen[0]?.body]);
  });

  test("without a receipt says with which id to try again", async () => {
    await stub.close();
    const { err } = await run("submit", "trip", INPUT, "--id", "trip-9");
    expect(err).toContain("The task's id is trip-9: submit again with --id trip-9, and it is the same task.");
    stub = await startStub();
  });

  test("--wait prints the outcome; one that failed is exit code 1, one that is open after the wait 5", async () => {
    stub.answers["POST /tasks"] = [{ status: 202, json: RECEIPT }, { json: OUTCOME }];
    expect(await run("submit", "trip", INPUT, "--wait")).toMatchObject({ code: 0, out: "  city: Palermo\n\ncompleted in 0.250 s\n" });
    expect(stub.seen.map(({ path }) => path)).toEqual(["/tasks?waitMs=60000", "/tasks?waitMs=60000"]);
    stub.answers["POST /tasks"] = {
      json: { ...OUTCOME, status: "failed", output: undefined, fault: { code: "agent.refused", message: "too dear" } },
    };
    const failed = await run("submit", "trip", INPUT, "--wait");
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining("agent.refused: too dear\nWhat to do: ")]);
    stub.answers["POST /tasks"] = { status: 202, json: RECEIPT };
    expect(await run("submit", "trip", INPUT, "--id", "trip-7", "--wait", "1ms")).toMatchObject({
      code: 5,
      err: "STILL_OPEN: task trip-7 is accepted and still open.\nWhat to do: Look later: troupe show trip-7 --follow.\n",
    });
  });

  test("--dapr prints the command that publishes the same task, and submits nothing", async () => {
    const { out } = await run("submit", "trip", `{"wish":"it's"}`, "--id", "trip-7", "--dapr");
    expect(out).toBe(
      `dapr publish --publish-app-id party --pubsub pubsub --topic party.tasks --data '{"id":"trip-7","route":"trip","input":{"wish":"it'\\''s"}}'\n`,
    );
    expect(stub.seen.map(({ path }) => path)).toEqual(["/graph"]);
  });

  test("broken JSON, a file that is not there and a wrong time are wrong usage, exit code 2", async () => {
    expect(await run("submit", "trip", '{"wish":')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^USAGE: the input is no JSON: .+\nWhat to do: Quote it/),
    });
    expect(await run("submit", "trip", "@absent.json")).toMatchObject({
      code: 2,
      err: expect.stringContaining("USAGE: absent.json cannot be read: there is no such file.\n"),
    });
    expect(await run("submit", "trip", INPUT, "--wait", "soon")).toMatchObject({
      code: 2,
      err: expect.stringContaining("a time such as 500ms, 30s, 5m, 2h or 7d is expected"),
    });
    expect(await run("submit", "trip")).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument 'input'") });
    expect(stub.seen).toEqual([]);
  });

  test("an input that does not fit is the system's answer, exit code 1", async () => {
    stub.answers["POST /tasks"] = refuse("schema.task", "task of route trip at days: expected number, found nothing");
    expect(await run("submit", "trip", INPUT)).toMatchObject({
      code: 1,
      err: "schema.task: task of route trip at days: expected number, found nothing\nWhat to do: Fix the value at the path in the message.\n",
    });
  });
});

describe("following", () => {
  const events = (...blocks: readonly string[]): { readonly events: string } => ({
    events: blocks.map((block) => `${block}\n\n`).join(""),
  });
  const line = (id: number, what: string): string => `event: line\nid: ${id}\ndata: ${JSON.stringify({ ...LINE, what })}`;
  const outcome = `event: outcome\ndata: ${JSON.stringify(PROCESS.outcome)}`;

  test("shows each step and the outcome, over a stream that breaks, from where it broke", async () => {
    stub.answers["GET /processes/trip-7/events"] = [events(": hello", line(0, "asked")), events(line(1, "answered"), outcome)];
    const { code, out } = await run("submit", "trip", INPUT, "--follow");
    expect(code).toBe(0);
    expect(out.split("\n").slice(1)).toEqual([
      "  seconds  stop      agent         what happened",
      "    0.100  plan      PlannerAgent  asked",
      "    0.100  plan      PlannerAgent  answered",
      "",
      "  city: Palermo",
      "",
      "completed in 0.250 s",
      "",
    ]);
    expect(stub.seen.filter(({ path }) => path.endsWith("/events")).map(({ lastEventId }) => lastEventId)).toEqual([undefined, "0"]);
  });

  test("of a later run says so, and counts from the acceptance", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(`${outcome}\nid: 2.outcome`);
    expect((await run("show", "trip-7", "--follow")).out).toContain("completed in run 2, 0.250 s after it was accepted");
  });

  test("as JSON is one document a line, the outcome last", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(line(0, "asked"), outcome);
    const { out } = await run("show", "trip-7", "--follow", "--json");
    expect(
      out
        .trim()
        .split("\n")
        .map((text) => Object.keys(JSON.parse(text))),
    ).toEqual([["line"], ["outcome"]]);
  });

  test("of a process that ends badly is exit code 1", async () => {
    stub.answers["GET /processes/trip-7/events"] = events(`event: outcome\ndata: ${JSON.stringify({ status: "cancelled", atMs: AT_MS })}`);
    expect(await run("show", "trip-7", "--follow")).toMatchObject({ code: 1 });
  });
});

describe("show", () => {
  test("shows head, stops with inputs and outputs, path and outcome", async () => {
    const { code, out } = await run("show", "trip-7");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "trip-7: completed",
        "route trip, run 1, trace abc",
        "accepted 2025-10-09 08:53:20 UTC",
        "",
        "stop  agent         state     tries  at (s)  took (s)",
        "plan  PlannerAgent  answered  1      0.100   0.100",
        '    in  {"trip":1}',
        '    out {"city":"Palermo"}',
        "",
        "path: PlannerAgent",
        "",
        "  city: Palermo",
        "",
        "completed in 0.250 s",
        "",
      ].join("\n"),
    );
  });

  test("of an unknown id says so", async () => {
    stub.answers["GET /processes/x"] = refuse("process.unknown", "there is no process x");
    expect(await run("show", "x")).toMatchObject({
      code: 1,
      err: expect.stringContaining("process.unknown: there is no process x\nWhat to do: "),
    });
  });

  test("as JSON is the process with its stops", async () => {
    expect(JSON.parse((await run("show", "trip-7", "--json")).out)).toEqual({ ...PROCESS, ...STOPS });
  });
});

test("cancel gives the reason; a process that has ended is refused", async () => {
  expect(await run("cancel", "trip-7", "--reason", "mind")).toMatchObject({
    code: 0,
    out: "Process trip-7 is being cancelled. Follow it: troupe show trip-7 --follow\n",
  });
  expect(stub.seen[0]?.body).toEqual({ reason: "mind" });
  stub.answers["POST /processes/trip-7/cancel"] = refuse("process.ended");
  expect((await run("cancel", "trip-7")).code).toBe(1);
});

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

  test("show of a process's letter has the input as JSON, the attempts, the history with times from its first line, and how to fix it", async () => {
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
      "Mended:  troupe dead show trip-7:1 --json | jq .letter.original.input > fixed.json, and edit it",
      "Again:   troupe dead redrive trip-7:1 [--input @fixed.json]",
      'Not:     troupe dead discard trip-7:1 --reason "..."',
      "",
    ]);
    stub.answers["GET /deadletters/trip-7:1"] = {
      json: { ...LETTER, letter: { ...letter, stop: null, path: [], original: { kind: "task", input: {} } } },
    };
    const { out } = await run("dead", "show", "trip-7:1");
    expect(out).not.toContain("what the handler threw");
    expect(out).toContain("\nthe input of the task:\n  {}\n");
    expect(out).not.toContain("Mended:");
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

  test("of a nested route it names the parent, which alone can do it again; of poison it asks for a whole task", async () => {
    const nested = { ...LETTER, id: "child-1:1", parent: "trip-7" };
    const { route: _none, ...invalid } = { ...LETTER, id: "invalid-000000001-aa", topic: "party.tasks" };
    Object.assign(stub.answers, {
      "GET /deadletters": { json: { entries: [nested] } },
      "GET /deadletters/child-1:1": { json: { ...nested, letter: {} } },
      "GET /deadletters/invalid-000000001-aa": { json: { ...invalid, letter: {} } },
    });
    expect((await run("dead", "list")).out).toContain("nested in trip-7: too dear\n");
    expect((await run("dead", "show", "child-1:1")).out).toMatch(
      /Again: +by the letter of its parent, process trip-7\nNot: +troupe dead discard child-1:1 /,
    );
    expect((await run("dead", "show", "invalid-000000001-aa")).out).toMatch(
      /Again: +troupe dead redrive invalid-000000001-aa --input @task\.json .*whole corrected task\nNot: /,
    );
  });

  test("a redrive tells what the edit does not reach", async () => {
    stub.answers["POST /deadletters/trip-7:1/redrive"] = {
      status: 202,
      json: { ...RECEIPT, run: 2, notReached: ["hotel", "output"] },
    };
    const { out } = await run("dead", "redrive", "trip-7:1", "--input", INPUT);
    expect(out).toContain("\nThe edit does not reach: hotel, output. They read what it replaces, as it was.");
  });

  test("a signal is posted with its payload and its id", async () => {
    stub.answers["POST /processes/trip-7/signals/approval"] = {
      status: 202,
      json: { id: "trip-7", name: "approval", signalId: "mail-1", run: 1, sequence: 4, traceId: "abc" },
    };
    expect(await run("signal", "trip-7", "approval", '{"ok":true}', "--signal-id", "mail-1")).toMatchObject({
      code: 0,
      out: "Process trip-7 has the signal approval. Follow it: troupe show trip-7 --follow\n",
    });
    expect(stub.seen[0]?.body).toEqual({ payload: { ok: true }, signalId: "mail-1" });
    expect(await run("signal", "trip-7", "approval", "{")).toMatchObject({ code: 2 });
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
    expect(await run("dead", "discard", "trip-7:1", "--reason", "test")).toMatchObject({ code: 0, out: "Letter trip-7:1 is discarded.\n" });
  });
});

test("wrong usage is one JSON document too where JSON is asked for", async () => {
  const { code, out, err } = await run("ps", "--limit", "0", "--json");
  expect([code, out]).toEqual([2, ""]);
  expect(JSON.parse(err)).toEqual({
    error: { code: "USAGE", message: expect.stringMatching(/^option '--limit <number>' argument '0' is invalid/), fix: "Try --help." },
  });
});

test("purge says what went, or would go", async () => {
  expect(await run("purge", "--older-than", "7d", "--dry-run")).toMatchObject({
    code: 0,
    out: "Would purge 1 process; 2 wait until their time has passed.\n",
  });
  expect(stub.seen[0]?.body).toEqual({ olderThanMs: 604_800_000, dryRun: true });
  expect(await run("purge", "--older-than", "long")).toMatchObject({ code: 2 });
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
    expect((await run("graph", "check", travel)).out).toBe("party: 4 agents, 1 route; everything fits, and every ring is bounded.\n");
  });

  test("of a ring without a bound prints the ring, exit code 1", async () => {
    await writeFile(
      join(dir, "system.ts"),
      `import { unbounded } from ${JSON.stringify(file("02-loops/systems.ts"))}; export default unbounded();`,
    );
    const { code, err } = await run("graph", "check", join(dir, "system.ts"));
    expect(code).toBe(1);
    expect(err).toContain("the ring Sales -> Support -> Sales (hand-off, hand-off) has no bound");
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

test("the address: --url before TROUPE_URL before run.json; what is no URL is wrong usage", async () => {
  expect(await run("ps", "--url", "nonsense")).toMatchObject({ code: 2, err: expect.stringContaining('"nonsense" is no URL') });
  expect((await run("ps", "--url", stub.url)).code).toBe(0);
  await writeRunRecord(dir, { url: stub.url, pid: 2 ** 30 });
  expect((await run("ps", "--url", stub.url)).code).toBe(0);
});

test("down where nothing runs says so, exit code 0", async () => {
  expect(await runLine("down", "--state", join(dir, "none"), "--json")).toMatchObject({
    code: 0,
    out: '{"stopped":false,"leftBehind":0}\n',
  });
});
