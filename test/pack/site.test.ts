/** @module The docs site builds, with the reference that is generated, and has no dead link. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program, ROOT } from "./tarball.ts";

const SITE_MS = 300_000;

test("npm run docs builds guides and reference without a dead link", { timeout: SITE_MS }, async () => {
  expect(await program(ROOT, process.execPath, ["site/build.ts"], SITE_MS)).toMatch(/^site\/\.build\/html: \d+ pages, no dead link$/m);
  const has = (name: string, text: string): boolean => readFileSync(join(ROOT, "site/.build/html", name), "utf8").includes(text);
  for (const [name, text] of [
    ["index.html", "Durable multi-agent systems on"],
    ["errors.html", "journal.contended"],
    ["limits.html", "agentQueueMax"],
    ["http-reference.html", "POST /tasks"],
    ["patterns.html", "When several agents help"],
    ["model-agents.html", "repair ladder"],
    ["api/troupe.html", "defineFault"],
  ] as const)
    expect([name, has(name, text)]).toEqual([name, true]);
  for (const entry of ["client", "dapr", "testing", "mcp", "ai-sdk", "openai-agents"])
    expect(existsSync(join(ROOT, `site/.build/html/api/troupe/${entry}.html`))).toBe(true);
});
