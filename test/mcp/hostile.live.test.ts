/** @module Promises of MCP tools against a server that lies, hangs, crashes and changes: each ends with its code, alone. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { agent, contract, model, route, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { mcpLock, type McpLock, mcpServer, type McpToolOptions } from "../../mcp/index.ts";
import { fakeModel, runLocal, startLocal } from "../../testing/index.ts";
import { agentOf, Doer, systemOf } from "./rig.ts";
import { z } from "zod";

const PROGRAM = fileURLToPath(new URL("hostile.ts", import.meta.url));
const NAMES = [
  "ok",
  "pid",
  "huge",
  "flood",
  "hang",
  "crash",
  "lie",
  "bare",
  "half",
  "noise",
  "report",
  "asks",
  "turns",
  "changes",
] as const;
type Name = (typeof NAMES)[number];

let folder: string;
let file: string;
let lock: McpLock;

function hostile(mode: string | (() => string) = "", options: Partial<Record<Name, McpToolOptions>> = {}, from: object = lock) {
  const each = NAMES.map((name) => [name, { effect: "read", ...options[name] }] as const);
  const tools = Object.fromEntries(each) as Record<Name, McpToolOptions>;
  return mcpServer(
    "hostile",
    { command: process.execPath, args: [PROGRAM], env: () => ({ FILE: file, MODE: typeof mode === "string" ? mode : mode() }) },
    { lock: from, tools },
  );
}

const lines = (): readonly string[] => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);
const calls = (): readonly string[] => lines().filter((line) => line.startsWith("call "));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The code and the message of what a promise rejects with. */
async function faultOf(made: Promise<unknown>): Promise<string> {
  return made.then(
    (value) => `no fault, but ${JSON.stringify(value).slice(0, 100)}`,
    (error: { readonly code: string; readonly message: string }) => `${error.code}: ${error.message}`,
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "troupe-hostile-"));
  file = join(folder, "lock.log");
  lock = await mcpLock(() => hostile("", {}, {}));
});

beforeEach(() => {
  file = join(folder, "calls.log");
});
afterEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("each lie and each break of the protocol is a coded fault of its own call, and the next call works", async () => {
  const server = hostile("", { hang: { timeoutMs: 300 } });
  const outcome = await runLocal(
    systemOf(server.tools, async (ctx) => {
      const found: Record<string, string> = {};
      for (const name of ["huge", "lie", "bare", "report", "flood", "crash", "hang"] as const) {
        found[name] = await faultOf(ctx.call(server.tool(name), {}));
        found[`after ${name}`] = String(await ctx.call(server.tool("ok"), { text: name }));
      }
      for (const name of ["half", "noise", "asks"] as const) found[name] = String(await ctx.call(server.tool(name), {}));
      return found;
    }),
    "main",
    "x",
  );
  expect(outcome.output).toEqual({
    huge: expect.stringMatching(/^mcp\.result: .* has 1048578 bytes, at most 262144 are taken/),
    "after huge": "huge",
    lie: "schema.tool-output: output of tool lie at n: expected integer",
    "after lie": "lie",
    bare: expect.stringMatching(/^mcp\.(result|rejected): .*structured content/),
    "after bare": "bare",
    report: expect.stringMatching(/^mcp\.failed: tool report of MCP server hostile: no\\u\{7\} such\\u\{1b\}\[31m file y{900,1000}$/),
    "after report": "report",
    flood: expect.stringMatching(/^mcp\.unanswered: /),
    "after flood": "flood",
    crash: expect.stringMatching(/^mcp\.unanswered: /),
    "after crash": "crash",
    hang: "call.timeout: tool hang did not answer within 300 ms",
    "after hang": "hang",
    half: "\ufffd half",
    noise: "after the noise",
    // Method not found: the client gives nothing to a server.
    asks: "-32601,-32601,-32601",
  });
});

test("a server that hung or crashed is started again, and its process ends with the host", async () => {
  const server = hostile("", { hang: { timeoutMs: 300 } });
  const local = startLocal(
    systemOf(server.tools, async (ctx, name) => {
      if (name !== "pid") await faultOf(ctx.call(server.tool(name as Name), {}));
      return ctx.call(server.tool("pid"), {});
    }),
  );
  const pids: number[] = [];
  for (const name of ["pid", "pid", "hang", "crash"]) pids.push(Number((await local.run("main", name)).output));
  expect(pids[0]).toBe(pids[1]);
  expect(new Set(pids).size).toBe(3);
  await expect.poll(() => pids.slice(0, 3).filter(isAlive)).toEqual([]);
  expect(isAlive(pids[3] ?? 0)).toBe(true);
  await local.stop();
  await expect.poll(() => isAlive(pids[3] ?? 0)).toBe(false);
});

test("a write whose end is unknown is made once, and a later attempt of its work item fails with call.unknown", async () => {
  const server = hostile("", { crash: { effect: "write" } });
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 3, backoffMs: 0, jitter: 0 } })
    .output(({ doer }) => doer);
  const doer = agentOf(server.tools, async (ctx) => ctx.call(server.tool("crash"), {}));
  const outcome = await runLocal(system("sys", { agents: [doer], routes: [main] }), "main", "x");
  expect(outcome).toMatchObject({ status: "failed", fault: { code: "call.unknown" } });
  expect(calls()).toHaveLength(1);
});

test("a read is made again with the same key, as often as its retry policy says", async () => {
  const server = hostile("", { crash: { retry: { attemptsMax: 2, backoffMs: 0 } } });
  const outcome = await runLocal(
    systemOf(server.tools, async (ctx) => faultOf(ctx.call(server.tool("crash"), {}))),
    "main",
    "x",
  );
  expect(outcome.output).toMatch(/^mcp\.unanswered/);
  expect(calls()).toHaveLength(2);
  expect(new Set(calls()).size).toBe(1);
});

test("a call that is recorded is not made again when the handler runs again", async () => {
  const server = hostile();
  let runs = 0;
  const main = route("main", 1, z.string())
    .to("doer", Doer, ({ task }) => task, { retry: { attemptsMax: 3, backoffMs: 0, jitter: 0 } })
    .output(({ doer }) => doer);
  const doer = agentOf(server.tools, async (ctx) => {
    const said = await ctx.call(server.tool("ok"), { text: "once" });
    runs += 1;
    if (runs < 3) throw new Error("the handler failed after its call");
    return said;
  });
  const outcome = await runLocal(system("sys", { agents: [doer], routes: [main] }), "main", "x");
  expect([outcome.output, runs, calls().length]).toEqual(["once", 3, 1]);
});

test("a server that does not start is unavailable, says why, and is not started again for each call", async () => {
  const server = hostile("exits");
  const outcome = await runLocal(
    systemOf(server.tools, async (ctx) => {
      const found: string[] = [];
      for (let count = 0; count < 10; count += 1) found.push(await faultOf(ctx.call(server.tool("ok"), { text: String(count) })));
      return found;
    }),
    "main",
    "x",
  );
  const found = outcome.output as readonly string[];
  expect(found.every((fault) => fault.startsWith("mcp.unavailable: MCP server hostile "))).toBe(true);
  expect(found.at(-1)).toMatch(
    /failed 3 times in a row and rests for a while; the last failure: MCP server hostile could not be connected/,
  );
  // Each connection starts the program twice: once to find out how it talks.
  expect(lines().filter((line) => line.startsWith("start")).length).toBeLessThanOrEqual(2 * LIMITS.mcpFailuresMax);
});

test("a tool that differs from the lock is not called, before and after it changed, and the others are", async () => {
  const log: string[] = [];
  const keep = (_facts: object, message: string): void => void log.push(message);
  const drifting = hostile("drifts");
  const handle = (server: typeof drifting) =>
    systemOf(server.tools, async (ctx, first) => {
      if (first !== "") await ctx.call(server.tool("changes"), {});
      const found: Record<string, string> = {};
      for (const name of ["ok", "pid", "lie", "noise"] as const) found[name] = await faultOf(ctx.call(server.tool(name), {}));
      return found;
    });
  const expected = {
    ok: expect.stringMatching(/^mcp\.drift: tool ok of MCP server hostile is not as it was locked: its description; run troupe mcp lock/),
    pid: expect.stringMatching(/^mcp\.drift: .*: the server does not list it/),
    lie: expect.stringMatching(/^mcp\.drift: .*: its output schema/),
    noise: 'no fault, but "after the noise"',
  };
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  expect((await runLocal(handle(drifting), "main", "", { log: logger })).output).toEqual(expected);
  expect(calls().map((line) => line.split(" ")[1])).toEqual(["noise"]);
  const changing = hostile();
  expect((await runLocal(handle(changing), "main", "first")).output).toEqual(expected);
  // A description of the user's own stands, and that of the server is not compared.
  const own = hostile("drifts", { ok: { about: "Repeats a text" } });
  expect(own.tool("ok").about).toBe("Repeats a text");
  expect(
    (
      await runLocal(
        systemOf(own.tools, (ctx) => ctx.call(own.tool("ok"), { text: "hi" })),
        "main",
        "x",
      )
    ).output,
  ).toBe("hi");

  // The error stream is in the log: bounded, and without control characters.
  const stderr = log.filter((line) => line.includes(" of \\u{1b}[2J the log"));
  expect(stderr.length).toBeGreaterThan(0);
  expect(stderr.length).toBeLessThanOrEqual(LIMITS.mcpStderrLinesMax);
  expect(log.join("")).not.toContain("\u001b");
});

describe("as time passes", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => vi.useRealTimers());

  test("a tool that changed without a word is found when the tools are listed again", async () => {
    const server = hostile();
    const local = startLocal(systemOf(server.tools, (ctx) => faultOf(ctx.call(server.tool("ok"), { text: "hi" }))));
    const call = { idempotencyKey: "k", signal: new AbortController().signal, attempt: 1 };
    await server.tool("turns").run({}, call);
    expect((await local.run("main", "x")).output).toBe('no fault, but "hi"');
    vi.setSystemTime(Date.now() + LIMITS.mcpTrustMs + 1);
    expect((await local.run("main", "y")).output).toMatch(/^mcp\.drift/);
    await local.stop();
  });

  test("a server that rests after failures is tried again, and serves again when it can", async () => {
    let mode = "exits";
    const server = hostile(() => mode);
    const local = startLocal(systemOf(server.tools, (ctx, text) => faultOf(ctx.call(server.tool("ok"), { text }))));
    const call = async (text: string): Promise<unknown> => (await local.run("main", text)).output;
    for (let count = 0; count < LIMITS.mcpFailuresMax; count += 1) expect(await call("a")).toMatch(/could not be connected/);
    mode = "";
    expect(await call("a")).toMatch(/rests for a while/);
    vi.setSystemTime(Date.now() + LIMITS.mcpPauseMs + 1);
    expect(await call("back")).toBe('no fault, but "back"');
    await local.stop();
  });
});

test("two hosts of one process share a server, which ends with the last of them", async () => {
  const server = hostile();
  const start = (): ReturnType<typeof startLocal> => startLocal(systemOf(server.tools, (ctx) => ctx.call(server.tool("pid"), {})));
  const [one, two] = [start(), start()];
  const pids = [await one.run("main", "x"), await two.run("main", "x")].map(({ output }) => Number(output));
  expect(pids[0]).toBe(pids[1]);
  await one.stop();
  expect(isAlive(pids[0] ?? 0)).toBe(true);
  await two.stop();
  await expect.poll(() => isAlive(pids[0] ?? 0)).toBe(false);
});

test("a model agent is told the error of a tool, without hidden characters, and goes on", async () => {
  const server = hostile();
  const asked: string[] = [];
  const fake = fakeModel((request) => {
    asked.push(JSON.stringify(request.messages));
    return asked.length === 1 ? { calls: [{ name: "report", arguments: {} }] } : "It cannot be done.";
  });
  const Clerk = contract("Clerk", 1, { input: z.string(), output: z.string() });
  const clerk = agent(Clerk, model({ instructions: "Do it.", tools: [server.tool("report")] }));
  const main = route("main", 1, z.string())
    .to("clerk", Clerk, ({ task }) => task)
    .output(({ clerk: said }) => said);
  const outcome = await runLocal(system("sys", { agents: [clerk], routes: [main], models: { fast: fake } }), "main", "x");
  expect(outcome).toMatchObject({ status: "completed", output: "It cannot be done." });
  expect(asked[1]).toContain("mcp.failed");
  expect(asked[1]).toContain(String.raw`no\\\\u{7} such`);
});

test("hidden characters of descriptions and schemas are escapes, in the lock and for a model", () => {
  expect(lock.servers["hostile"]?.tools["ok"]).toEqual({
    description: "What ok does\\u{200b}",
    input: { type: "object", properties: { text: { type: "string", description: "a text\\u{202e}\\u{e0041}" } } },
  });
  const { about, inputJsonSchema, untrusted } = hostile().tool("ok");
  expect([about, untrusted]).toEqual(["What ok does\\u{200b}", true]);
  expect(JSON.stringify(inputJsonSchema)).not.toContain("\u202e");
});

test("without a host the connection closes by itself after the last call, and a later call opens it again", async () => {
  const server = hostile();
  const call = { idempotencyKey: "k", signal: new AbortController().signal, attempt: 1 };
  const pid = Number(await server.tool("pid").run({}, call));
  expect(isAlive(pid)).toBe(true);
  await expect.poll(() => isAlive(pid)).toBe(false);
  const next = Number(await server.tool("pid").run({}, call));
  expect(next).not.toBe(pid);
  await server.close();
  await expect.poll(() => isAlive(next)).toBe(false);
});
