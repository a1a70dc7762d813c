/** @module Builds the pinned Dapr programs once from their Go modules. A build can be resumed and never leaves a partial program. */
import { chmod, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SUPPORTED_DAPR } from "../../runtime/dapr-version.ts";
import { DAPR_VERSION, PROGRAMS, type DaprBinaries } from "./binaries.ts";
import { cacheDir, searchDapr, versionOf, type DaprSearch } from "./find.ts";
import { goEnv, goVersion } from "./go.ts";
import { FolderLock } from "./lock.ts";
import { makeFolder } from "./private-files.ts";
import { LaunchError, messageOf } from "./problem.ts";
import { Child, signalGroup } from "./process.ts";

/** Prints one line of progress. */
export type Log = (line: string) => void;

/** What a build needs, as measured; printed before it starts. */
export const BUILD_NEEDS = {
  minutes: 4,
  diskBytes: 3_000_000_000,
  keptBytes: 250_000_000,
} as const;

const MODULE = "github.com/dapr/dapr";
/** Build tag: components such as sqlite, redis, postgres, in-memory. Without a tag daprd panics at start. */
const TAGS = "stablecomponents";
const PROGRESS_MS = 5_000;
const BUSY_POLL_MS = 2_000;
const BUSY_MAX_MS = 1_800_000;
const GIGABYTE_BYTES = 1_000_000_000;
const EXECUTABLE_MODE = 0o755;

/** Finds the Dapr programs, or builds them. */
export async function ensureDapr(log: Log, env: NodeJS.ProcessEnv = process.env): Promise<DaprBinaries> {
  const search = await searchDapr(env);
  const { binaries } = search;
  if (binaries?.untested !== undefined) log(`DAPR_VERSION: Dapr ${binaries.version} in ${binaries.source}: ${binaries.untested}`);
  if (binaries !== undefined) return binaries;
  for (const { path, found, why } of search.skipped) log(`DAPR_VERSION: skipped ${path} (${found}): ${why}`);
  if (!canBuild()) throw unsupported(search);
  return buildDapr(log, env);
}

/** Builds the programs into the cache folder, or waits for another process that builds them. */
export async function buildDapr(log: Log, env: NodeJS.ProcessEnv = process.env): Promise<DaprBinaries> {
  if (!canBuild()) throw unsupported();
  const dir = cacheDir(env);
  const go = await goVersion(env);
  makeFolder(dir, EXECUTABLE_MODE);
  const lock = await lockOrWait(dir, log, env);
  if (!(lock instanceof FolderLock)) return lock;
  try {
    await enoughDisk(dir);
    log(`Dapr ${DAPR_VERSION} was not found; building it once with Go ${go} into ${dir}.`);
    log(
      `This takes about ${BUILD_NEEDS.minutes} minutes on 2 cores, ${gigabytes(BUILD_NEEDS.diskBytes)} GB of disk during the build and ` +
        `${gigabytes(BUILD_NEEDS.keptBytes)} GB after it. An interrupted build resumes.`,
    );
    return await build(dir, lock, log, env);
  } finally {
    await lock.release();
  }
}

/** Whether the build supports this system. */
export function canBuild(): boolean {
  return process.platform === "linux" && process.arch === "x64";
}

async function build(dir: string, lock: FolderLock, log: Log, env: NodeJS.ProcessEnv): Promise<DaprBinaries> {
  const goCache = join(dir, "gocache");
  const partial = join(dir, "partial");
  await rm(partial, { recursive: true, force: true });
  makeFolder(partial, EXECUTABLE_MODE);
  const tools: Tools = { lock, log, env: goEnv(goCache, env), startedAt: performance.now(), modules: 0, packages: 0 };

  const downloaded = await runGo(tools, "downloading the source", ["mod", "download", "-json", `${MODULE}@v${DAPR_VERSION}`], dir);
  const source = moduleFolder(downloaded);
  // In the module's own folder, so that its go.sum and replace lines apply.
  const ldflags = `-s -w -X ${MODULE}/pkg/buildinfo.version=${DAPR_VERSION}`;
  await runGo(
    tools,
    "compiling",
    ["build", "-v", "-tags", TAGS, "-ldflags", ldflags, "-o", `${partial}/`, ...PROGRAMS.map((program) => `./cmd/${program}`)],
    source,
  );

  const binaries: DaprBinaries = {
    daprd: join(dir, "daprd"),
    placement: join(dir, "placement"),
    scheduler: join(dir, "scheduler"),
    version: DAPR_VERSION,
    source: dir,
  };
  for (const program of PROGRAMS) await checkVersion(program, join(partial, program));
  for (const program of PROGRAMS) {
    await chmod(join(partial, program), EXECUTABLE_MODE);
    await rename(join(partial, program), binaries[program]);
  }
  await rm(partial, { recursive: true, force: true });
  await rm(goCache, { recursive: true, force: true });
  log(`Dapr ${DAPR_VERSION} is built: ${elapsed(tools.startedAt)}, ${tools.packages} packages, ${dir}`);
  return binaries;
}

interface Tools {
  readonly lock: FolderLock;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  readonly startedAt: number;
  modules: number;
  packages: number;
}

/** Runs go, prints the progress every few seconds, and returns its output. */
async function runGo(tools: Tools, phase: string, args: readonly string[], cwd: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const go = await Child.spawn({ name: "go", command: "go", args, cwd, env: tools.env, onLine: (line) => count(tools, lines, line) });
  await tools.lock.add("go", go.pid);
  const onExit = (): void => void signalGroup(go.pid, "SIGKILL");
  process.once("exit", onExit);
  const tell = (): void =>
    tools.log(
      `building Dapr: ${phase}, ${elapsed(tools.startedAt)}, ${tools.modules} modules downloaded, ${tools.packages} packages compiled`,
    );
  tell();
  const ticker = setInterval(tell, PROGRESS_MS);
  try {
    const exit = await go.exited;
    if (exit.code !== 0) throw buildFailed(phase, exit.signal ?? `exit code ${exit.code}`, lines);
    return lines;
  } finally {
    clearInterval(ticker);
    process.off("exit", onExit);
    await tools.lock.remove(go.pid);
  }
}

/** Counts `go: downloading ...` as a module and a bare import path as a compiled package; other lines may be errors and are kept. */
function count(tools: Tools, lines: string[], line: string): void {
  if (line.startsWith("go: downloading ")) tools.modules++;
  else if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) tools.packages++;
  else lines.push(line);
}

function moduleFolder(lines: readonly string[]): string {
  const text = lines.join("\n");
  const folder = /"Dir":\s*"([^"]+)"/.exec(text)?.[1];
  if (folder === undefined) throw buildFailed("downloading the source", "go printed no folder", lines);
  return folder;
}

async function checkVersion(program: (typeof PROGRAMS)[number], path: string): Promise<void> {
  const version = await versionOf(program, path).catch((error: unknown) => messageOf(error));
  if (version !== DAPR_VERSION) throw buildFailed("checking", `the built ${program} says "${version}"`, []);
}

/** The lock of the cache folder; or the programs, when another process has built them in the meantime. */
async function lockOrWait(dir: string, log: Log, env: NodeJS.ProcessEnv): Promise<FolderLock | DaprBinaries> {
  const startedAt = performance.now();
  let waited = false;
  for (;;) {
    const taken = await FolderLock.take(dir, log).catch((error: unknown) => {
      if (error instanceof LaunchError && error.code === "FOLDER_LOCKED") return error;
      throw error;
    });
    if (taken instanceof FolderLock) {
      const found = waited ? (await searchDapr(env)).binaries : undefined;
      if (found === undefined) return taken;
      await taken.release();
      return found;
    }
    if (performance.now() - startedAt > BUSY_MAX_MS) {
      throw new LaunchError({
        code: "BUILD_BUSY",
        what: `another process has been building Dapr in ${dir} for ${elapsed(startedAt)}.`,
        fix: "Look at that process; if it hangs, end it and start again: the build resumes.",
        cause: taken,
      });
    }
    if (!waited) log(`another process is building Dapr in ${dir}; waiting for it`);
    waited = true;
    await sleep(BUSY_POLL_MS);
  }
}

async function enoughDisk(dir: string): Promise<void> {
  const free = await freeBytes(dir);
  if (free >= BUILD_NEEDS.diskBytes) return;
  throw new LaunchError({
    code: "DISK_SPACE",
    what: `building Dapr needs about ${gigabytes(BUILD_NEEDS.diskBytes)} GB in ${dir}, and ${gigabytes(free)} GB are free.`,
    fix: "Free some space, or set TROUPE_DAPR_DIR to a folder on another disk.",
  });
}

/** Free bytes on the disk of a folder, which need not exist yet. */
export async function freeBytes(dir: string): Promise<number> {
  for (let folder = dir; ; folder = dirname(folder)) {
    const stats = await statfs(folder).catch(() => undefined);
    if (stats !== undefined) return stats.bavail * stats.bsize;
    if (folder === dirname(folder)) return 0;
  }
}

/** Bytes as gigabytes with two digits. */
export function gigabytes(bytes: number): string {
  return (bytes / GIGABYTE_BYTES).toFixed(2);
}

function elapsed(since: number): string {
  const seconds = Math.round((performance.now() - since) / 1_000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}

function buildFailed(phase: string, how: string, lines: readonly string[]): LaunchError {
  return new LaunchError({
    code: "BUILD_FAILED",
    what: `building Dapr failed while ${phase} (${how}).`,
    lines,
    fix: "Read the lines above. Without a network the Go modules must be in the module cache or GOPROXY. Start again: the build resumes.",
  });
}

function unsupported(search?: DaprSearch): LaunchError {
  const missing = search === undefined ? "" : ` Missing: ${search.missing.join(", ")}; looked in ${search.folders.join(", ")}.`;
  return new LaunchError({
    code: "SYSTEM_UNSUPPORTED",
    what: `Troupe builds Dapr on linux-x64 only, and this is ${process.platform}-${process.arch}.${missing}`,
    fix: `Put daprd, placement and scheduler of one version (${SUPPORTED_DAPR}) into ~/.dapr/bin or on PATH.`,
  });
}
