/** @module Examples without Dapr: each prints its output.txt, without a key on its script; external systems behave as described. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runLocal } from "../../testing/index.ts";
import { checkFences, checkHeadings, checkLinks, checkNames } from "../../examples/03-markdown/checks.ts";
import { FILE_BYTES_MAX, FILES_MAX, FINDINGS_MAX, Report } from "../../examples/03-markdown/contracts.ts";
import markdown from "../../examples/03-markdown/system.ts";
import { balances, enter, lines, takeBack } from "../../examples/04-payment/ledger.ts";
import { withoutModels } from "../cli/command.ts";
import { ROOT } from "./readme.ts";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], { cwd: ROOT, env: withoutModels(process.env) }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("an example prints its output.txt (else: run it again with > output.txt)", () => {
  test.each([
    ["00-shop", [], 0],
    ["03-markdown", ["examples/03-markdown/sample", "SQLite"], 1],
    ["04-payment", [], 0],
    ["05-customer", [], 0],
    ["06-nested", [], 0],
    ["09-research", [], 0],
    ["10-mcp", [], 0],
    ["11-support", [], 0],
    ["12-patterns", [], 0],
    ["15-customer-memory", [], 0],
    ["16-release", [], 0],
    ["13-refund-desk", [], 0],
    ["14-mail-assistant", [], 0],
  ])("%s", async (name, args, code) => {
    const ran = await run([`examples/${name}/main.ts`, ...args]);
    expect(ran.stdout).toBe(await readFile(join(ROOT, "examples", name, "output.txt"), "utf8"));
    expect([ran.code, ran.stderr]).toEqual([code, ""]);
  });
});

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-example-"));
});
afterEach(async () => {
  delete process.env["MARKDOWN_ROOT"];
  delete process.env["PAYMENT_LEDGER"];
  await rm(dir, { recursive: true });
});

describe("03: the checks of Markdown", () => {
  const document = (text: string, names: string[] = []): { folder: string; path: string; text: string; names: string[] } => ({
    folder: dir,
    path: "a.md",
    text,
    names,
  });
  const texts = (found: readonly { readonly line: number; readonly text: string }[]): readonly string[] =>
    found.map(({ line, text }) => `${line} ${text}`);

  test("the links and headings of this project's documents are valid, and each file is read", async () => {
    const { output } = await runLocal(markdown, "folder", { folder: join(ROOT, "docs"), names: [] });
    const report = Report.parse(output);
    expect(report.files).toBeGreaterThan(5);
    expect(report.findings.filter(({ check }) => check === "links" || check === "headings")).toEqual([]);
  });

  test("links: files, anchors of this file and of others, targets and texts; code is ignored", async () => {
    process.env["MARKDOWN_ROOT"] = dir;
    await writeFile(join(dir, "b.md"), "# B\n## Use it\n## Use it\n");
    const good =
      "# A b `c`!\n[x](b.md) [x](b.md#use-it-1) [x](#a-b-c) [`x`](b.md) [x](https://example.org/a) `[x](gone.md)`\n" +
      "```md\n[x](gone.md)\n```\n<!-- [x](gone.md) -->\n";
    expect(texts(checkLinks(document(good)))).toEqual([]);
    const bad = "# A\n[x](gone.md)\n[x](b.md#gone)\n[x](#gone)\n[x]()\n[](b.md)\n[x](http://)\n[x](../outside.md)\n";
    expect(texts(checkLinks(document(bad)))).toEqual([
      "2 there is no file gone.md",
      "3 there is no heading for #gone in b.md",
      "4 there is no heading for #gone in this file",
      "5 a link has no target",
      "6 the link to b.md has no text",
      "7 http:// is not a valid address",
      "8 there is no file ../outside.md",
    ]);
  });

  test("headings: one title first, no skipped level, no duplicate under one parent", () => {
    expect(texts(checkHeadings(document("# A\n## B\n### C\n## D\n### C\n```sh\n# no heading\n```\n")))).toEqual([]);
    expect(texts(checkHeadings(document("## A\n#### B\n# C\n## D\n## D\n")))).toEqual([
      "1 the first heading has level 2, not 1",
      "2 from level 2 to level 4: B",
      "3 a second title: C",
      "5 duplicate heading: D",
    ]);
    expect(texts(checkHeadings(document("text\n")))).toEqual(["1 there is no heading"]);
  });

  test("fences: closed, with a language, with valid JSON; a longer fence holds a shorter one", () => {
    expect(texts(checkFences(document("````md\n```\n````\n~~~json\n{}\n~~~\n")))).toEqual([]);
    expect(texts(checkFences(document("```\na\n```\n```json\n{,}\n```\n```ts\n")))).toEqual([
      "1 the code block has no language; use text for plain text",
      "4 the code is not valid JSON",
      "7 the fence is never closed",
    ]);
  });

  test("names: those of the list and of the task, outside of code, links and file names", () => {
    expect(texts(checkNames(document("TypeScript, Node.js and `github`, [a](github.md), src/typescript/, Troupe\n", ["Troupe"])))).toEqual(
      [],
    );
    expect(texts(checkNames(document("typescript.\nTROUPE and nodejs:\n", ["Troupe"])))).toEqual([
      "1 typescript is spelled TypeScript",
      "2 TROUPE is spelled Troupe",
      "2 nodejs is spelled Node.js",
    ]);
  });

  test("findings, files and their bytes are bounded, and omissions are reported", async () => {
    expect(checkNames(document("github\n".repeat(FINDINGS_MAX + 7))).at(-1)?.text).toBe("7 more");
    process.env["MARKDOWN_ROOT"] = dir;
    await writeFile(join(dir, "large.md"), "x".repeat(FILE_BYTES_MAX + 1));
    for (let index = 0; index <= FILES_MAX; index += 1) await writeFile(join(dir, `${index}.md`), "# A\n");
    const { output } = await runLocal(markdown, "folder", { folder: ".", names: [] });
    const report = Report.parse(output);
    expect([report.files, report.skipped]).toEqual([
      FILES_MAX,
      [
        { path: "large.md", why: `${FILE_BYTES_MAX + 1} bytes are more than ${FILE_BYTES_MAX}` },
        { path: "99.md", why: `only ${FILES_MAX} files are read` },
      ],
    ]);
  });

  test("a missing folder, and one not below the root, is rejected", async () => {
    process.env["MARKDOWN_ROOT"] = dir;
    expect(await runLocal(markdown, "folder", { folder: "gone", names: [] })).toMatchObject({
      status: "failed",
      fault: { code: "agent.refused" },
    });
    expect(await runLocal(markdown, "folder", { folder: "..", names: [] })).toMatchObject({
      status: "failed",
      fault: { code: "agent.refused", message: expect.stringContaining("not below the root") },
    });
  });
});

describe("04: the ledger", () => {
  test("one key is one entry; taking back a missing entry succeeds, and a later entry is rejected", () => {
    process.env["PAYMENT_LEDGER"] = join(dir, "deep", "ledger.jsonl");
    const entry = { what: "charge", account: "card", amount: -5 };
    enter("a", entry);
    enter("a", entry);
    expect(balances()).toEqual({ card: -5 });
    takeBack("a", "refund");
    takeBack("a", "refund");
    expect(balances()).toEqual({ card: 0 });
    takeBack("b", "refund");
    expect(() => enter("b", entry)).toThrow("taken back");
    expect(lines()).toHaveLength(3);
  });
});
