/** @module docs/http.md: each of its commands is run, with curl, against the travel example in memory. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import party from "../../../examples/01-travel/system.ts";
import { ALL_ROUTES } from "../../../actors/http/routes.ts";
import { parseTokens } from "../../../actors/http/tokens.ts";
import { startReal, type RealRig } from "./real-rig.ts";

const DOC = readFileSync(join(import.meta.dirname, "..", "..", "..", "docs", "http.md"), "utf8");
const run = promisify(execFile);
const hasCurl = await run("curl", ["--version"]).then(
  () => true,
  () => false,
);

interface Command {
  /** The comment above it. */
  readonly says: string;
  readonly command: string;
}

/** Blocks of code in one language. */
function blocks(language: string): readonly string[] {
  return [...DOC.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, text]) => text ?? "");
}

/** The commands of the page in order, each with the comment above it. */
const COMMANDS: readonly Command[] = blocks("sh").flatMap((block) =>
  block.split(/\n\s*\n/).map((text) => ({ says: /^# (.*)$/m.exec(text)?.[1] ?? "", command: text.replaceAll(/^#.*\n/gm, "").trim() })),
);

describe.skipIf(!hasCurl)("the commands", () => {
  let rig: RealRig;
  let folder: string;
  const before = process.env["TRAVEL_DESK"];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "troupe-http-docs-"));
    process.env["TRAVEL_DESK"] = folder;
    rig = await startReal({}, party);
  });
  afterAll(async () => {
    await rig.stop();
    if (before === undefined) delete process.env["TRAVEL_DESK"];
    else process.env["TRAVEL_DESK"] = before;
    await rm(folder, { recursive: true, force: true });
  });

  test.each(COMMANDS)("$says", async ({ says, command }) => {
    const expected = says.split(":")[0]?.split(" or ") ?? [];
    expect(command).toMatch(/^curl /);
    const script = command
      .replace("curl ", "curl -sS --max-time 15 -w '\\n%{http_code}' ")
      .replaceAll("localhost:3100", rig.origin.replace("http://", ""));
    const { stdout } = await run("bash", ["-c", script]);
    const status = stdout.slice(stdout.lastIndexOf("\n") + 1);
    expect(expected, stdout).toContain(status);
    if (status === "409" || status.startsWith("4")) expect(stdout).toMatch(/"fix":/);
    const code = /\b[a-z]+\.[a-z-]+\b/.exec(says)?.[0];
    if (code !== undefined && expected.length === 1) expect(stdout).toContain(`"${code}"`);
  });
});

test("every route is in the table and has a command", () => {
  const commands = COMMANDS.map(({ command }) => command).join("\n");
  for (const [, { method, path }] of ALL_ROUTES) {
    const shown = path.replaceAll(/\{(\w+)\}/g, ":$1");
    expect(DOC).toMatch(new RegExp(`^\\| \`${method.toUpperCase()} ${shown.replace(".", "\\.")}[\`?]`, "m"));
    expect(commands).toMatch(new RegExp(`localhost:3100${path.replaceAll(/\{\w+\}/g, "[^/ ?]+").replace(".", "\\.")}(['? \\n]|$)`, "m"));
  }
});

test("the example of a token file is valid", () => {
  expect(parseTokens(blocks("json")[0] ?? "")).toHaveLength(2);
});
