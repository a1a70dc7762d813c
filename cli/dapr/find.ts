/** @module Finds a complete set of Dapr programs of one accepted version: on PATH, in `~/.dapr/bin`, or in Troupe's cache. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { DAPR_VERSION_CHECK_VARIABLE, type DaprVersionCheck, daprVersionCheck, judgeDapr } from "../../runtime/dapr-version.ts";
import { DAPR_VERSION, PROGRAMS, type DaprBinaries, type Program } from "./binaries.ts";
import { messageOf } from "./problem.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 10_000;

/** A program that was found and is not used. */
export interface Skipped {
  readonly path: string;
  /** The version it printed, or why it could not be run. */
  readonly found: string;
  readonly why: string;
}

/** What a search found and what it skipped. */
export interface DaprSearch {
  readonly binaries: DaprBinaries | undefined;
  readonly skipped: readonly Skipped[];
  /** Programs that no accepted version has. */
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

/** A complete set of programs of one accepted version; undefined when there is none. */
export async function findDapr(env: NodeJS.ProcessEnv = process.env): Promise<DaprBinaries | undefined> {
  return (await searchDapr(env)).binaries;
}

/** Searches for the programs, and lists what is not used. A tested version goes before one that is not; then the first folder counts. */
export async function searchDapr(env: NodeJS.ProcessEnv = process.env): Promise<DaprSearch> {
  const folders = await searchFolders(env);
  const looked = (await Promise.all(folders.flatMap((folder) => PROGRAMS.map((program) => look(program, join(folder, program)))))).filter(
    (one) => one !== undefined,
  );
  const check = daprVersionCheck(env[DAPR_VERSION_CHECK_VARIABLE]);
  const sets = setsOf(looked, check);
  const complete = sets.filter((set) => set.programs.size === PROGRAMS.length);
  const best = complete.find((set) => set.untested === undefined) ?? complete[0];
  const skipped = looked.flatMap((one) => skippedOf(one, sets, best, check));
  if (best !== undefined) return { binaries: binariesOf(best), skipped, missing: [], folders };
  const missing = PROGRAMS.filter((program) => !sets.some((set) => set.programs.has(program)));
  return { binaries: undefined, skipped, missing: missing.length > 0 ? missing : PROGRAMS, folders };
}

/** The programs of one version, each where it was found first. */
interface VersionSet {
  readonly version: string;
  readonly untested: string | undefined;
  readonly programs: Map<Program, string>;
}

/** The accepted versions, in the order in which they were found. */
function setsOf(looked: readonly Looked[], check: DaprVersionCheck): readonly VersionSet[] {
  const sets = new Map<string, VersionSet>();
  for (const { program, path, version } of looked) {
    const verdict = judgeDapr(version, check);
    if (verdict.kind === "refused") continue;
    const set = sets.get(version) ?? { version, untested: verdict.kind === "untested" ? verdict.why : undefined, programs: new Map() };
    sets.set(version, set);
    if (!set.programs.has(program)) set.programs.set(program, path);
  }
  return [...sets.values()];
}

/** Why a program is not used; empty if its version is. */
function skippedOf(
  { path, version }: Looked,
  sets: readonly VersionSet[],
  used: VersionSet | undefined,
  check: DaprVersionCheck,
): readonly Skipped[] {
  if (used?.version === version) return [];
  const verdict = judgeDapr(version, check);
  if (verdict.kind === "refused") return [{ path, found: version, why: verdict.why }];
  const set = sets.find((one) => one.version === version);
  const lacks = PROGRAMS.filter((program) => set?.programs.has(program) !== true);
  const why =
    lacks.length > 0
      ? `${lacks.join(" and ")} of this version ${lacks.length > 1 ? "are" : "is"} missing`
      : "another version goes before it";
  return [{ path, found: version, why }];
}

function binariesOf({ version, untested, programs }: VersionSet): DaprBinaries {
  const [daprd = "", placement = "", scheduler = ""] = PROGRAMS.map((program) => programs.get(program));
  const folders = new Set([daprd, placement, scheduler].map((path) => path.slice(0, path.lastIndexOf("/"))));
  return { daprd, placement, scheduler, version, ...(untested === undefined ? {} : { untested }), source: [...folders].join(", ") };
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
