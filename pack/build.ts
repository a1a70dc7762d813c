/**
 * @module Builds dist/: JavaScript, declarations and source maps of what a user of the package runs, from the same sources.
 *
 * `tsc` does the work and rewrites imports of `.ts` to `.js` in JavaScript. What it leaves alone is done here: imports in
 * declarations, and URLs beside a module (`new URL("app.ts", import.meta.url)`).
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const EXECUTABLE_MODE = 0o755;
/** Files that programs read and tsc does not know. */
const ASSETS = ["examples/01-travel/data.json", "examples/01-travel/model.script.yaml"];
/** Declarations that are not published, because no entry of the package leads to them. */
const NOT_DECLARED = ["cli/**/*.d.ts", "examples/**/*.d.ts"];

/** Builds dist/ of the checkout at `root` anew. Throws what the compiler says, or what a URL in the result leads nowhere. */
export function build(root: string): void {
  const dist = join(root, "dist");
  rmSync(dist, { recursive: true, force: true });
  // First: what is compiled names the folder of the built page.
  execFileSync(process.execPath, [join(root, "pack/dashboard.ts")], { stdio: ["ignore", 2, 2] });
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "pack/tsconfig.json")], {
    stdio: ["ignore", 2, 2],
  });
  for (const path of globSync(NOT_DECLARED, { cwd: dist })) rmSync(join(dist, path));
  for (const path of globSync("**/*.d.ts", { cwd: dist })) rewrite(join(dist, path), declaration);
  for (const path of ASSETS) copyFileSync(join(root, path), join(dist, path));
  for (const path of globSync("**/*.js", { cwd: dist })) rewrite(join(dist, path), (text) => urls(text, join(dist, path), root));
  chmodSync(join(dist, "cli/troupe.js"), EXECUTABLE_MODE);
}

function rewrite(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, "utf8");
  const changed = change(text);
  if (changed !== text) writeFileSync(file, changed);
}

/** `from "./x.ts"` and `import("./x.ts")`: a declaration beside JavaScript names the JavaScript. */
function declaration(text: string): string {
  return text.replaceAll(/((?:from|import)\s*\(?\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"');
}

/** URLs beside a module, seen from dist/: modules end in `.js`, and what was not compiled lies one folder further up. */
function urls(text: string, file: string, root: string): string {
  return text.replaceAll(/new URL\("([^"]+)", import\.meta\.url\)/g, (_, path: string) => {
    const candidates = [path.replace(/\.ts$/, ".js"), `../${path}`];
    const found = candidates.find((candidate) => leadsInside(candidate, file, root));
    if (found === undefined) throw new Error(`${file} names ${path}, which the package does not hold`);
    return `new URL(${JSON.stringify(found)}, import.meta.url)`;
  });
}

function leadsInside(path: string, file: string, root: string): boolean {
  const place = fileURLToPath(new URL(path, pathToFileURL(file)));
  return existsSync(place) && dirname(place).startsWith(root) && !place.endsWith(".ts");
}
