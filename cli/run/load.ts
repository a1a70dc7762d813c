/** @module Loads the user's system: a module whose default export is the result of `system(...)`. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { System } from "../../agents/index.ts";
import { isFault } from "../../runtime/faults.ts";
import { messageOf, systemCode } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

/** @throws SYSTEM_FILE when the file does not exist */
export async function checkSystemFile(file: string): Promise<void> {
  await access(resolve(file)).catch((error: unknown) => {
    throw new CliError(
      "SYSTEM_FILE",
      `there is no file ${file}.`,
      "Give the path of the module that exports your system, for example examples/01-travel/system.ts.",
      error,
    );
  });
}

/**
 * Loads a system.
 * @throws SYSTEM_FILE, SYSTEM_EXPORT or SYSTEM_LOAD; and faults of the definitions, such as `definition.invalid`, as they are
 */
export async function loadSystem(file: string): Promise<System> {
  const exported = defaultOf(await loadModule(file));
  if (exported === undefined) {
    throw new CliError(
      "SYSTEM_EXPORT",
      `${file} has no default export.`,
      'End it with: export default system("name", { agents: [...], routes: [...] });',
    );
  }
  if (!isSystem(exported)) {
    throw new CliError(
      "SYSTEM_EXPORT",
      `the default export of ${file} is no system.`,
      'Export what system("name", { agents: [...], routes: [...] }) gives.',
    );
  }
  return exported;
}

/** Loads any module of the user's. @throws as {@link loadSystem}, except SYSTEM_EXPORT */
export async function loadModule(file: string): Promise<object> {
  await checkSystemFile(file);
  return load(resolve(file), file);
}

/** The default export. CommonJS made by a compiler keeps it as a property of what Node takes for it. */
function defaultOf(module: object): unknown {
  const exported: unknown = "default" in module ? module.default : undefined;
  const isCompiled = typeof exported === "object" && exported !== null && "__esModule" in exported;
  return isCompiled && "default" in exported ? exported.default : isCompiled ? undefined : exported;
}

async function load(path: string, file: string): Promise<object> {
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    return typeof loaded === "object" && loaded !== null ? loaded : {};
  } catch (error) {
    if (isFault(error)) throw error;
    throw new CliError(
      "SYSTEM_LOAD",
      `${file} cannot be loaded: ${firstLine(messageOf(error))}${placeOf(error)}.`,
      fixOf(error, file),
      error,
    );
  }
}

/** What to do about an error of loading: by Node's code, or by its text where it has none. The first that fits counts. */
const FIXES: readonly (readonly [pattern: RegExp, fix: string])[] = [
  [
    /ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/,
    "Node runs TypeScript by removing its types: write what needs more (enum, namespace) in another way.",
  ],
  [
    /ERR_UNKNOWN_FILE_EXTENSION|ERR_UNSUPPORTED_NODE_MODULES/,
    "Give a module that Node runs: .ts, .mts, .js, .mjs or .cjs, outside of node_modules.",
  ],
  [/ERR_UNSUPPORTED_DIR_IMPORT/, "Give or import a file, not its folder."],
  [/ERR_MODULE_NOT_FOUND.*package/, "Install the package: npm install, with its name."],
  [/MODULE_NOT_FOUND/, "Imports name files with their extension: `./agents.ts`, or `./agents.js` where it is compiled."],
  [/does not provide an export/, "Import what the other module exports; a type needs `import type`."],
  [
    /import statement outside|Unexpected token 'export'/,
    "Say that the modules are ES modules: npm pkg set type=module, or compile them to CommonJS first.",
  ],
  [/toJSONSchema|needs zod 4/, "npm install zod@4"],
];

function fixOf(error: unknown, file: string): string {
  const text = `${systemCode(error) ?? ""} ${messageOf(error)}`;
  return (
    FIXES.find(([pattern]) => pattern.test(text))?.[1] ??
    `Fix the module; \`node ${file}\` shows the whole error, and \`npx tsc --noEmit\` may say more.`
  );
}

function isSystem(value: unknown): value is System {
  if (typeof value !== "object" || value === null) return false;
  return (
    "name" in value &&
    "agents" in value &&
    value.agents instanceof Map &&
    "routes" in value &&
    value.routes instanceof Map &&
    "slip" in value
  );
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replace(/\.$/, "");
}

/** Where in the user's code the error was thrown: the first stack frame outside Node and dependencies. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return "";
  const place = error.stack.split("\n").find((line) => line.includes("file://") && !line.includes("node_modules"));
  const found = place === undefined ? undefined : /file:\/\/([^)]+:\d+)/.exec(place)?.[1];
  return found === undefined ? "" : ` (${found})`;
}
