/** @module Every command against a pretended system: good and bad input; a system that is down, cannot serve, or refuses the token. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { writeRunRecord } from "../../cli/run/run-record.ts";
import { RECEIPT, OUTCOME, INPUT, stub, dir, useParty, startAnew, run } from "./party.ts";
import { refuse, runLine } from "./stub.ts";

useParty();

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
  "set-aside": ["set-aside", "Directory/002998512.0000", "--reason", "test"],
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
    await startAnew();
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
    expect(err).toMatch(/^APP_ANSWER: the answer at .+ is not from a Troupe system: status 500 without a code\.$/m);
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
    await startAnew();
  });

  test("--wait prints the outcome; one that failed is exit code 1, one that is open after the wait 5", async () => {
    stub.answers["POST /tasks"] = [{ status: 202, json: RECEIPT }, { json: OUTCOME }];
    expect(await run("submit", "trip", INPUT, "--wait")).toMatchObject({ code: 0, out: "  city: Palermo\n\ncompleted in 0.250 s\n" });
    expect(stub.seen.map(({ path }) => path)).toEqual(["/tasks", "/tasks?waitMs=60000"]);
    stub.answers["POST /tasks"] = [
      { status: 202, json: RECEIPT },
      { json: { ...OUTCOME, status: "failed", output: undefined, fault: { code: "agent.refused", message: "too dear" } } },
    ];
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
      "dapr publish --publish-app-id party --pubsub pubsub --topic party.tasks " +
        `--data '{"id":"trip-7","route":"trip","input":{"wish":"it'\\''s"}}'\n`,
    );
    expect(stub.seen.map(({ path }) => path)).toEqual(["/graph"]);
  });

  test("--dapr names the app id that is given, and asks for it where the run of the state folder is another system", async () => {
    expect((await run("submit", "trip", INPUT, "--dapr", "--app-id", "desk")).out).toContain("--publish-app-id desk ");
    expect((await run("submit", "trip", INPUT, "--dapr", "--url", `${stub.url}/`)).out).toContain("--publish-app-id party ");
    await writeRunRecord(dir, { url: "http://127.0.0.1:1", pid: process.pid, appId: "other" });
    const { code, out, err } = await run("submit", "trip", INPUT, "--dapr", "--url", stub.url);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`USAGE: the Dapr app id of the system at ${stub.url} is not known: `);
    expect(err).toContain("What to do: Give it with --app-id");
    expect((await run("submit", "trip", INPUT, "--dapr", "--url", stub.url, "--app-id", "desk", "--json")).out).toContain(
      '{"appId":"desk",',
    );
  });

  test("what JSON cannot hold exactly is refused with its place, and a byte order mark is none of the input", async () => {
    expect(await run("submit", "trip", '{"order":{"ids":[1,9007199254740993]}}')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^USAGE: the input at order\.ids\[1\]: 9007199254740993 .* send it as a string\.\nWhat to do: Fix it/),
    });
    expect(stub.seen).toEqual([]);
    const file = join(dir, "marked.json");
    await writeFile(file, `\uFEFF${INPUT}`);
    expect((await run("submit", "trip", `@${file}`)).code).toBe(0);
    expect(stub.seen.at(-1)?.body).toMatchObject({ input: JSON.parse(INPUT) as unknown });
  });

  test("a token that no header can carry is named, not sent, and not shown", async () => {
    for (const [token, what] of [
      ["secret\n", "a line break"],
      ["sec ret", "a space"],
    ] as const) {
      const { code, err } = await run("ps", "--token", token);
      expect([code, err]).toEqual([2, expect.stringContaining(`USAGE: the token of TROUPE_TOKEN contains ${what}`)]);
      expect(err).not.toContain("ret");
    }
    vi.stubEnv("APP_API_TOKEN", "secret\r\n");
    expect((await run("ps")).err).toContain("USAGE: the token of APP_API_TOKEN contains a line break");
    vi.unstubAllEnvs();
    expect(stub.seen).toEqual([]);
  });

  test("a proxy of the environment gets no calls to this machine", async () => {
    const command = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
    const proxy = "http://127.0.0.1:9";
    const env = { ...process.env, NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: "example.com" };
    const { stdout } = await promisify(execFile)(process.execPath, [command, "ps", "--url", stub.url, "--state", dir], { env });
    expect(stdout).toContain(stub.url);
  });

  test("broken JSON, a file that is not there and a wrong time are wrong usage, exit code 2", async () => {
    expect(await run("submit", "trip", '{"wish":')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^USAGE: the input is not JSON: .+\nWhat to do: Quote it/),
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
      err:
        "schema.task: task of route trip at days: expected number, found nothing\n" +
        "What to do: Correct the value that the message names.\n",
    });
  });
});

test("a signal is posted with its payload and its id", async () => {
  expect(await run("signal", "trip-7", "approval", '{"ok":true}', "--signal-id", "mail-1")).toMatchObject({
    code: 0,
    out: "Process trip-7 has the signal approval: it ended a wait.\nFollow it: troupe show trip-7 --follow\n",
  });
  expect(stub.seen[0]?.body).toEqual({ payload: { ok: true }, signalId: "mail-1" });
  expect(await run("signal", "trip-7", "approval", "{")).toMatchObject({ code: 2 });
  const answers = async (more: object): Promise<string> => {
    const json = { id: "trip-7", name: "approva", signalId: "s", run: 1, sequence: 4, traceId: "abc", ...more };
    stub.answers["POST /processes/trip-7/signals/approva"] = { status: 202, json };
    return (await run("signal", "trip-7", "approva", "{}")).out.split("\n")[0] ?? "";
  };
  const says = "Process trip-7 has the signal approva:";
  expect(await answers({ state: "kept" })).toBe(`${says} kept: nothing waits for approva now.`);
  expect(await answers({ state: "kept", waitsFor: ["approval"] })).toBe(`${says} kept: nothing waits for approva now, but for approval.`);
  expect(await answers({ state: "dropped" })).toBe(`${says} dropped, as it did not fit what waited for it.`);
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

test("audit says what a look was at", async () => {
  const look = { id: "l", atMs: 1, who: "ann", what: "looked at content", target: "trip-7:1", why: "", kind: "deadletter" };
  const act = { id: "a", atMs: 1, who: "ann", what: "redrive", target: "trip-7:1", why: "a typo" };
  stub.answers["GET /audit"] = { json: { entries: [look, act] } };
  const { out } = await run("audit");
  expect(out).toMatch(/ann +looked at content of a dead letter +trip-7:1\n/);
  expect(out).toMatch(/ann +redrive +trip-7:1 +a typo\n/);
});

test("wrong usage is one JSON document too where JSON is asked for", async () => {
  const { code, out, err } = await run("ps", "--limit", "0", "--json");
  expect([code, out]).toEqual([2, ""]);
  expect(JSON.parse(err)).toEqual({
    error: {
      code: "USAGE",
      message: expect.stringMatching(/^option '--limit <number>' argument '0' is invalid/),
      fix: "`troupe ps --help` shows what there is.",
    },
  });
});

test("doctor names the broken actors of the running system, and fails", async () => {
  const { code, out } = await run("doctor");
  expect([code, out]).toEqual([1, expect.stringContaining("broken: Directory/002998512.0000 (record 45 is missing)")]);
  stub.answers["GET /broken"] = { json: { entries: [] } };
  expect((await run("doctor")).out).toContain("none is broken in the system at");
  // A text is told as it is: only paths are shortened.
  stub.answers["GET /broken"] = { status: 403, json: {} };
  expect((await run("doctor")).out).toContain(`no running system was asked: the answer at ${stub.url} is not from a Troupe system`);
});

test("set-aside passes on the actor, the reason and the accepted loss; a listing says when buckets are missing", async () => {
  expect(await run("set-aside", "Ledger/ada", "--reason", "power cut", "--accept-loss")).toMatchObject({
    code: 0,
    out: "Directory/002998512.0000 goes on. It was broken: record 45 is missing\n",
  });
  expect(stub.seen.at(-1)?.body).toEqual({ actor: "Ledger/ada", reason: "power cut", acceptLoss: true });
  expect(await run("set-aside", "Ledger/ada")).toMatchObject({ code: 2 });
  stub.answers["GET /processes"] = { json: { entries: [], broken: ["002998512.0000"] } };
  expect((await run("ps")).err).toContain("Incomplete: 1 broken buckets");
});

test("purge says what went, or would go", async () => {
  expect(await run("purge", "--older-than", "7d", "--dry-run")).toMatchObject({
    code: 0,
    out: "Would purge 1 process; 2 wait until their time has passed.\n",
  });
  expect(stub.seen[0]?.body).toEqual({ olderThanMs: 604_800_000, dryRun: true });
  expect(await run("purge", "--older-than", "long")).toMatchObject({ code: 2 });
});

test("the address: --url before TROUPE_URL before run.json; an invalid URL is wrong usage", async () => {
  expect(await run("ps", "--url", "nonsense")).toMatchObject({ code: 2, err: expect.stringContaining('"nonsense" is not a URL') });
  expect((await run("ps", "--url", stub.url)).code).toBe(0);
  await writeRunRecord(dir, { url: stub.url, pid: 2 ** 30, appId: "party" });
  expect((await run("ps", "--url", stub.url)).code).toBe(0);
});

test.each([["ps"], ["down"], ["show", "x"], ["submit", "trip", INPUT], ["dead", "list"], ["purge"]])(
  "a state folder that is a file is refused by %s",
  async (...words) => {
    const { code, err } = await runLine(...words, "--state", fileURLToPath(import.meta.url));
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^STATE_FOLDER: the state folder .+ cannot be read: ENOTDIR/) });
  },
);

test("down where nothing runs says so, exit code 0", async () => {
  expect(await runLine("down", "--state", join(dir, "none"), "--json")).toMatchObject({
    code: 0,
    out: '{"stopped":false,"leftBehind":0}\n',
  });
});
