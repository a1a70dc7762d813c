/** @module Finds the pinned Dapr programs: on PATH, in `~/.dapr/bin`, or in Troupe's cache. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { DAPR_VERSION, PROGRAMS, type DaprBinaries, type Program } from "./binaries.ts";
import { messageOf } from "./problem.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 10_000;

/** A program that was found but is not the pinned version. */
export interface Skipped {
  readonly path: string;
  /** The version it printed, or why it could not be run. */
  readonly found: string;
}

/** What a search found and what it skipped. */
export interface DaprSearch {
  readonly binaries: DaprBinaries | undefined;
  readonly skipped: readonly Skipped[];
  /** Programs that were not found in the pinned version. */
  readonly missing: readonly Program[];
  readonly folders: readonly string[];
}

/** The folder for programs we build: `$TROUPE_DAPR_DIR`, else `troupe/dapr/<version>` in the user's cache. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const own = env["TROUPE_DAPR_DIR"];
  if (own !== undefined && own !== "") return own;
  const xdg = env["XDG_CACHE_HOME"];
  const cache = xdg !== undefined && xdg !== "" ? xdg : join(env["HOME"] ?? homedir(), ".cache");
  return join(cache, "troupe", "dapr", DAPR_VERSION);
}

/** The Dapr programs of the pinned version; undefined when one is missing. */
export async function findDapr(env: NodeJS.ProcessEnv = process.env): Promise<DaprBinaries | undefined> {
  return (await searchDapr(env)).binaries;
}

/** Searches for the programs, and lists what it skipped. */
export async function searchDapr(env: NodeJS.ProcessEnv = process.env): Promise<DaprSearch> {
  const folders = await searchFolders(env);
  const skipped: Skipped[] = [];
  const found = new Map<Program, string>();
  for (const folder of folders) {
    const wanted = PROGRAMS.filter((program) => !found.has(program));
    const results = await Promise.all(wanted.map((program) => look(program, join(folder, program))));
    for (const result of results) {
      if (result === undefined) continue;
      if (result.version === DAPR_VERSION) found.set(result.program, result.path);
      else skipped.push({ path: result.path, found: result.version });
    }
    if (found.size === PROGRAMS.length) break;
  }
  return { binaries: complete(found), skipped, missing: PROGRAMS.filter((program) => !found.has(program)), folders };
}

/** The version that a Dapr program prints. Rejects when it cannot be run. */
export async function versionOf(program: Program, path: string): Promise<string> {
  if (program === "daprd") {
    const { stdout } = await run(path, ["--version"], { timeout: VERSION_TIMEOUT_MS });
    return stdout.trim();
  }
  // placement and scheduler 1.18.2 have no --version. They print the version first; an empty trust domain then ends
  // them before they listen or write anything (pkg/security/security.go).
  const output = await run(path, ["--trust-domain", ""], { timeout: VERSION_TIMEOUT_MS }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => printed(error),
  );
  const version = /-- version (\S+) -- commit/.exec(output)?.[1];
  if (version === undefined) throw new Error("it printed no version");
  return version;
}

interface Looked {
  readonly program: Program;
  readonly path: string;
  readonly version: string;
}

async function look(program: Program, path: string): Promise<Looked | undefined> {
  if (!(await isExecutable(path))) return undefined;
  try {
    return { program, path, version: await versionOf(program, path) };
  } catch (error) {
    return { program, path, version: `unknown (${messageOf(error).split("\n")[0]})` };
  }
}

/** The folders of PATH that hold a daprd: `placement` and `scheduler` alone are common names. */
async function searchFolders(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const folders = new Set<string>();
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, "daprd")))) folders.add(folder);
  }
  folders.add(join(env["HOME"] ?? homedir(), ".dapr", "bin"));
  folders.add(cacheDir(env));
  return [...folders];
}

function complete(found: ReadonlyMap<Program, string>): DaprBinaries | undefined {
  const [daprd, placement, scheduler] = PROGRAMS.map((program) => found.get(program));
  if (daprd === undefined || placement === undefined || scheduler === undefined) return undefined;
  const folders = new Set([daprd, placement, scheduler].map((path) => path.slice(0, path.lastIndexOf("/"))));
  return { daprd, placement, scheduler, version: DAPR_VERSION, source: [...folders].join(", ") };
}

/** Whether this user may execute the file. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What a program printed before it ended with an error. */
function printed(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const out = "stdout" in error && typeof error.stdout === "string" ? error.stdout : "";
  const err = "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
  return out + err;
}
