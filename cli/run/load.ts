/** @module Loads the user's system: a module whose default export is the result of `system(...)`. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { System } from "../../agents/index.ts";
import { isFault } from "../../runtime/faults.ts";
import { messageOf } from "../dapr/problem.ts";
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
  await checkSystemFile(file);
  const loaded = await load(resolve(file), file);
  if (!("default" in loaded) || loaded.default === undefined) {
    throw new CliError(
      "SYSTEM_EXPORT",
      `${file} has no default export.`,
      'End it with: export default system("name", { agents: [...], routes: [...] });',
    );
  }
  if (!isSystem(loaded.default)) {
    throw new CliError(
      "SYSTEM_EXPORT",
      `the default export of ${file} is no system.`,
      'Export what system("name", { agents: [...], routes: [...] }) gives.',
    );
  }
  return loaded.default;
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
      "Fix the module; `npx tsc --noEmit` may say more.",
      error,
    );
  }
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
