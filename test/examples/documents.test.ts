/** @module The documents are correct: their programs type-check, run and print the shown output; each error code has an entry. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAULTS } from "../../runtime/faults.ts";
import { printedBy, programs } from "./programs.ts";
import { ROOT } from "./readme.ts";

/** Each concept has a page, and each page has a program. */
const IDEAS = [
  "tasks",
  "routes",
  "agents",
  "tools-and-waits",
  "model-agents",
  "outcomes",
  "faults",
  "dead-letters",
  "cycles",
  "limits",
  "deployment",
  "troubleshooting",
];
const ENTRY_CHARS_MIN = 60;
const all = programs();

describe("programs", () => {
  test.each(IDEAS)("docs/%s.md has a program and its output", (idea) => {
    expect(all.filter(({ path, printed }) => path === `docs/${idea}.md` && printed !== undefined)).not.toEqual([]);
  });

  test.each(all)("$path:$line prints the shown output (else: node test/examples/programs.ts)", async ({ code, printed }) => {
    expect(printed).toBeDefined();
    expect(await printedBy(code)).toBe(printed);
  });

  let dir = "";
  beforeAll(async () => {
    // Inside the project, so that the programs find its package by name.
    await mkdir(join(ROOT, ".troupe"), { recursive: true });
    dir = await mkdtemp(join(ROOT, ".troupe", "documents-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  test("all programs type-check", async () => {
    await Promise.all(all.map(({ code }, index) => writeFile(join(dir, `program-${index}.ts`), code)));
    await writeFile(
      join(dir, "tsconfig.json"),
      JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions: { rootDir: ROOT }, include: [dir] }),
    );
    const found = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [join(ROOT, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", dir],
        { cwd: ROOT },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
    const named = found.replaceAll(
      /\S*program-(\d+)\.ts/g,
      (text, index: string) => `${all[Number(index)]?.path ?? text}, line ${all[Number(index)]?.line ?? 0}, program`,
    );
    expect(named).toBe("");
  });
});

describe("troubleshooting by error code", () => {
  test("each code of the fault table has an entry with its cause and what to do, and there are no other entries", async () => {
    const text = await readFile(join(ROOT, "docs/troubleshooting.md"), "utf8");
    const entries = new Map(
      [...text.matchAll(/^- \*\*`([a-z]+\.[a-z-]+)`\*\* ([\s\S]*?)(?=^- \*\*`|^#|^$)/gm)].map((found) => [found[1] ?? "", found[2] ?? ""]),
    );
    expect([...entries.keys()].toSorted()).toEqual(Object.keys(FAULTS).toSorted());
    const thin = [...entries].filter(([, body]) => body.length < ENTRY_CHARS_MIN || !body.includes("**Do:**")).map(([code]) => code);
    expect(thin).toEqual([]);
  });
});

test("the index lists the pages of the concepts in reading order, and the README links to them", async () => {
  const index = await readFile(join(ROOT, "docs/index.md"), "utf8");
  const places = IDEAS.map((idea) => index.indexOf(`(${idea}.md)`));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  expect(IDEAS.filter((idea) => !readme.includes(`(docs/${idea}.md)`))).toEqual([]);
});
