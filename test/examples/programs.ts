/** @module Programs in the documents: code blocks marked `ts program`, each followed by a block marked `text output` with what it prints. */
import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./readme.ts";

const RUN_MS_MAX = 30_000;
const BLOCK = /```ts program\n([\s\S]*?)```\n(?:\s*```text output\n([\s\S]*?)```\n)?/g;

/** One program of a document. `printed` is what the document says that it prints; absent where nothing follows. */
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

/** Runs a program as a module of this project; both streams as one text, and a wrong exit code as its last line. */
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

/** Writes into the documents what their programs print now. `node test/examples/programs.ts`, and look at the difference. */
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
