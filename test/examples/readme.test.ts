/** @module The README and the documents agree with the sources and with the output of the programs. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/find.ts";
import { runCommand, testFolder } from "../cli/command.ts";
import { document, generated, part, ROOT } from "./readme.ts";

const TEST_MS = 120_000;
const PROGRAM_LINES_MAX = 25;
const README_LINES_MAX = 150;
const binaries = await findDapr();

describe("the README", () => {
  test.each(generated())("part $name of $path equals the sources (else: node test/examples/readme.ts)", ({ path, name, text }) => {
    expect(part(document(path), name)).toBe(text);
  });

  test("it is at most 150 lines long", () => {
    expect(document("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(README_LINES_MAX);
  });

  test("its program is complete and at most 25 lines long", () => {
    expect(document("examples/11-support/system.ts").trimEnd().split("\n").length).toBeLessThanOrEqual(PROGRAM_LINES_MAX);
  });

  test("it names the two commands", () => {
    expect(document("README.md")).toContain("\nnpm install && npm start\n");
    expect(document("README.md")).toContain("\nnpm install && npm test\n");
  });

  test.skipIf(binaries === undefined)("it shows what npm start prints", { timeout: TEST_MS }, async () => {
    const folder = await testFolder();
    try {
      const { text } = await runCommand(folder.dir, ["demo"]);
      expect(masked(text)).toEqual(masked(part(document("README.md"), "npm start").replaceAll(/^```.*\n/gm, "")));
    } finally {
      await folder.remove();
    }
  });

  test.each(["README.md", "CHANGELOG.md", ...globSync("docs/*.md", { cwd: ROOT })])("each link of %s refers to a file", (name) => {
    const text = readFileSync(join(ROOT, name), "utf8");
    const links = [...text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
      .flatMap((found) => found[1] ?? [])
      .filter((link) => !link.includes("://"));
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(name), link)))).toEqual([]);
  });

  test("each document is in the index", () => {
    const index = readFileSync(join(ROOT, "docs/index.md"), "utf8");
    const missing = globSync("docs/*.md", { cwd: ROOT })
      .map((name) => name.replace("docs/", ""))
      .filter((name) => name !== "index.md" && !index.includes(`(${name})`));
    expect(missing).toEqual([]);
  });
});

/**
 * Removes what differs between runs: times, ids, ports, folders, and what models say while they answer. Branches have no order, so the
 * lines are sorted.
 */
function masked(text: string): readonly string[] {
  return text
    .trim()
    .replaceAll(/\([^()]*\); everything/g, "(FOLDER); everything")
    .replaceAll(/answers, from \S+/g, "answers, from FILE")
    .replaceAll(/^ +\w+ +\w+ +> .*$/gm, "")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll(/ +\d+\.\d+/g, " TIME")
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}
