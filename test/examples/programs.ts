/** @module Programs in the documents: code blocks marked `ts program`, each followed by a block `text output` with its output. */
import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./readme.ts";

const RUN_MS_MAX = 30_000;
const BLOCK = /```ts program\n([\s\S]*?)```\n(?:\s*```text output\n([\s\S]*?)```\n)?/g;

/** One program of a document. `printed` is the output in the document; absent if no output block follows. */
export interface Program {
  readonly path: string;
  readonly line: number;
  readonly code: string;
  readonly printed: string | undefined;
}

/** All programs of the documents. */
export function programs(): readonly Program[] {
  return documents().flatMap((path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    return [...text.matchAll(BLOCK)].map((found) => ({
      path,
      line: text.slice(0, found.index).split("\n").length,
      code: found[1] ?? "",
      printed: found[2],
    }));
  });
}

/** Runs a program as a module of this project. Returns both streams as one text, with a nonzero exit code as the last line. */
export function printedBy(code: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--input-type=module-typescript", "-"],
      { cwd: ROOT, timeout: RUN_MS_MAX },
      (error, stdout, stderr) => {
        resolve(`${stdout}${stderr}${error === null ? "" : `exit code ${String(error.code)}\n`}`);
      },
    );
    child.stdin?.end(code);
  });
}

function documents(): readonly string[] {
  return ["README.md", ...globSync("docs/*.md", { cwd: ROOT })].toSorted();
}

/** Updates the outputs in the documents. Run `node test/examples/programs.ts`, and review the difference. */
async function update(): Promise<void> {
  for (const path of documents()) {
    let text = readFileSync(join(ROOT, path), "utf8");
    for (const [block, code = ""] of text.matchAll(BLOCK)) {
      const made = await printedBy(code);
      text = text.replace(block, () => `\`\`\`ts program\n${code}\`\`\`\n\n\`\`\`text output\n${made}\`\`\`\n`);
    }
    writeFileSync(join(ROOT, path), text);
  }
}

if (import.meta.main) await update();
