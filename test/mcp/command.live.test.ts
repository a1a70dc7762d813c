/** @module `troupe mcp lock`, and programs that end while a server of theirs runs: each in a process of its own. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../examples/readme.ts";

const HOSTILE = fileURLToPath(new URL("hostile.ts", import.meta.url));

let folder: string;

beforeAll(async () => {
  // Inside the project, so that the modules find its packages by name.
  await mkdir(join(ROOT, ".troupe"), { recursive: true });
  folder = await mkdtemp(join(ROOT, ".troupe", "mcp-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly text: string;
}

function run(...words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...words], { cwd: folder }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

const command = (...words: readonly string[]): Promise<Ended> => run(join(ROOT, "cli/main.ts"), ...words);

/** A system with one agent that calls a tool of the server. */
function systemText(tools: string, mode = ""): string {
  return `import { z } from "zod";
import { agent, contract, route, system } from "troupe";
import { mcpServer } from "troupe/mcp";
const place = { command: process.execPath, args: [${JSON.stringify(HOSTILE)}], env: { MODE: ${JSON.stringify(mode)} } };
const hostile = mcpServer("hostile", place, { lock: new URL("./mcp.lock.json", import.meta.url), tools: ${tools} });
const Doer = contract("Doer", 1, { input: z.string(), output: z.string() });
const doer = agent(Doer, { tools: hostile.tools, handle: (text) => text });
export const pid = () => hostile.tool("pid").run({}, { idempotencyKey: "k", signal: new AbortController().signal, attempt: 1 });
const main = route("main", 1, z.string()).to("d", Doer, ({ task }) => task).output(({ d }) => d);
export default system("sys", { agents: [doer], routes: [main] });
`;
}

test("a system without its lock is refused with the command to run, which writes it; a change is told and can be checked", async () => {
  const file = join(folder, "system.ts");
  const lockFile = join(folder, "mcp.lock.json");
  await writeFile(file, systemText('{ ok: { effect: "read", approve: "has(input.text)" }, pid: {} }'));
  expect(await command("graph", "check", file)).toMatchObject({ code: 1, text: expect.stringContaining("run troupe mcp lock") });
  expect(await command("mcp", "lock", file, "--check")).toMatchObject({ code: 1, text: expect.stringContaining("added: ok, pid.") });
  expect(await command("mcp", "lock", file)).toMatchObject({ code: 0, text: expect.stringContaining("added: ok, pid.") });
  const text = await readFile(lockFile, "utf8");
  expect(JSON.parse(text)).toMatchObject({ version: 1, servers: { hostile: { server: "hostile 1", tools: { ok: {}, pid: {} } } } });
  expect(await command("graph", "check", file)).toMatchObject({ code: 0 });
  expect(await command("mcp", "lock", file, "--check")).toMatchObject({ code: 0, text: expect.stringContaining("2 unchanged.") });

  await writeFile(
    lockFile,
    text.replace("What ok does", "What ok did").replace('"hostile":', '"other": {"server":"o","tools":{}}, "hostile":'),
  );
  const again = await command("mcp", "lock", file, "--json");
  expect(JSON.parse(again.text)).toMatchObject([{ server: "hostile", changed: ["ok"], unchanged: ["pid"], added: [], removed: [] }]);
  // Entries of other servers stay.
  expect(JSON.parse(await readFile(lockFile, "utf8"))).toMatchObject({ servers: { other: { server: "o" }, hostile: {} } });
});

test("a tool that the server does not have, and a server that does not start, are told with a code, and nothing is written", async () => {
  const file = join(folder, "wrong.ts");
  await writeFile(file, systemText("{ absent: {} }").replace("mcp.lock.json", "wrong.lock.json"));
  expect(await command("mcp", "lock", file)).toMatchObject({
    code: 1,
    text: expect.stringContaining("has no tool absent; it has ok, pid"),
  });
  await writeFile(file, systemText("{ ok: {} }", "exits").replace("mcp.lock.json", "wrong.lock.json"));
  expect(await command("mcp", "lock", file)).toMatchObject({ code: 1, text: expect.stringContaining("mcp.unavailable") });
  await expect(readFile(join(folder, "wrong.lock.json"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a program that ends by itself, with process.exit or by a kill, leaves no server behind", async () => {
  await writeFile(join(folder, "system.ts"), systemText("{ ok: {}, pid: {} }"));
  await command("mcp", "lock", join(folder, "system.ts"));
  for (const end of ["", "process.exit(7);", 'process.kill(process.pid, "SIGKILL");']) {
    const program = join(folder, "program.ts");
    await writeFile(program, `import { pid } from "./system.ts";\nconsole.log(await pid());\n${end}\n`);
    const { code, text } = await run(program);
    expect(code).toBe(end === "" ? 0 : end.includes("exit") ? 7 : -1);
    const pid = Number(text);
    expect(pid).toBeGreaterThan(0);
    await expect
      .poll(() => {
        try {
          return process.kill(pid, 0);
        } catch {
          return false;
        }
      })
      .toBe(false);
  }
});
