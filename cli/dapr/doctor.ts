/** @module Checks everything a run needs, and says what to do about what is missing. */
import { cacheDir, searchDapr } from "./find.ts";
import { SUPPORTED_DAPR } from "../../runtime/dapr-version.ts";
import { DAPR_VERSION, type DaprBinaries } from "./binaries.ts";
import { BUILD_NEEDS, canBuild, freeBytes, gigabytes } from "./build.ts";
import { goVersion } from "./go.ts";
import { freePort, LOOPBACK, portFree, releasePorts } from "./ports.ts";
import { LaunchError, messageOf } from "./problem.ts";
import { ask, findPostgres, findRedis } from "./stores.ts";

/** The result of one check. `ok` is false only when `troupe up` would fail. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, if anything. */
  readonly fix?: string;
}

const NODE_MAJOR_MIN = 22;
const NODE_MINOR_MIN = 18;
const REDIS_PORT = 6_379;
/** Minimum disk space of a run: journal, etcd, logs. */
const RUN_DISK_BYTES = 500_000_000;

/** Runs all checks, in the order in which one would fix them. */
export async function doctor(env: NodeJS.ProcessEnv = process.env): Promise<readonly Check[]> {
  const dapr = await checkDapr(env);
  const building = !dapr.ok;
  const [go, disk, redisProgram, redisServer, postgres, ports] = await Promise.all([
    checkGo(env, building),
    checkDisk(env, building),
    checkRedis(env),
    checkRedisServer(),
    checkPostgres(env),
    checkPorts(),
  ]);
  return [checkNode(), checkSystem(building), dapr, go, disk, ports, redisProgram, redisServer, postgres];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const ok = major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN);
  const detail = `${process.versions.node}, needed is ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or later`;
  return ok
    ? { name: "node", ok, detail }
    : { name: "node", ok, detail, fix: "Install a newer Node.js; 24 is what Troupe is developed on." };
}

function checkSystem(building: boolean): Check {
  const detail = `${process.platform}-${process.arch}`;
  if (canBuild()) return { name: "system", ok: true, detail };
  return {
    name: "system",
    ok: !building,
    detail: `${detail}; Dapr can be built on linux-x64 only`,
    fix: `Put daprd, placement and scheduler of one version (${SUPPORTED_DAPR}) into ~/.dapr/bin.`,
  };
}

async function checkDapr(env: NodeJS.ProcessEnv): Promise<Check> {
  const search = await searchDapr(env);
  const skipped = search.skipped.map(({ path, found, why }) => `; skipped ${path} (${found}): ${why}`).join("");
  if (search.binaries !== undefined) return usable(search.binaries, skipped);
  return {
    name: "dapr",
    ok: false,
    detail: `missing ${search.missing.join(", ")} of one version (${SUPPORTED_DAPR}); looked in ${search.folders.join(", ")}${skipped}`,
    fix: canBuild()
      ? `"troupe up" builds ${DAPR_VERSION} once: about ${BUILD_NEEDS.minutes} minutes and ` +
        `${gigabytes(BUILD_NEEDS.diskBytes)} GB of disk meanwhile.`
      : `Put daprd, placement and scheduler of one version (${SUPPORTED_DAPR}) into ~/.dapr/bin or on PATH.`,
  };
}

function usable({ version, source, untested }: DaprBinaries, skipped: string): Check {
  const detail = `${version} in ${source}${skipped}`;
  return untested === undefined
    ? { name: "dapr", ok: true, detail }
    : { name: "dapr", ok: true, detail: `${detail}; ${untested}`, fix: `Tested are ${SUPPORTED_DAPR}.` };
}

async function checkGo(env: NodeJS.ProcessEnv, building: boolean): Promise<Check> {
  try {
    return { name: "go", ok: true, detail: await goVersion(env) };
  } catch (error) {
    if (!building) return { name: "go", ok: true, detail: "not usable, and not needed: Dapr was found" };
    return {
      name: "go",
      ok: false,
      detail: messageOf(error).split("\n")[0] ?? "",
      ...(error instanceof LaunchError ? { fix: error.fix } : {}),
    };
  }
}

async function checkDisk(env: NodeJS.ProcessEnv, building: boolean): Promise<Check> {
  const dir = building ? cacheDir(env) : process.cwd();
  const needed = building ? BUILD_NEEDS.diskBytes : RUN_DISK_BYTES;
  const free = await freeBytes(dir);
  const detail = `${gigabytes(free)} GB free at ${dir}, needed about ${gigabytes(needed)} GB`;
  return free >= needed
    ? { name: "disk", ok: true, detail }
    : { name: "disk", ok: false, detail, fix: "Free some space, or set TROUPE_DAPR_DIR to a folder on another disk." };
}

async function checkPorts(): Promise<Check> {
  try {
    const port = await freePort();
    releasePorts([port]);
    const redisFree = await portFree(REDIS_PORT);
    return {
      name: "ports",
      ok: true,
      detail: `free ports on ${LOOPBACK} are chosen at each run; 6379 is ${redisFree ? "free" : "in use"}`,
    };
  } catch (error) {
    return { name: "ports", ok: false, detail: messageOf(error), fix: "Allow programs to listen on the loopback address." };
  }
}

async function checkRedis(env: NodeJS.ProcessEnv): Promise<Check> {
  const path = await findRedis(env);
  return { name: "redis-server", ok: true, detail: path ?? "not found; only needed by tests of profile redis" };
}

/** Checks the append-only file of a running Redis: whether an accepted task survives a killed Redis depends on it. */
async function checkRedisServer(): Promise<Check> {
  const name = "redis";
  if (!(await ask(REDIS_PORT, "PING\r\n")).startsWith("+PONG"))
    return { name, ok: true, detail: `none answers on ${LOOPBACK}:${REDIS_PORT} without a password; profile redis needs one` };
  const appendonly = await redisSetting("appendonly");
  const appendfsync = await redisSetting("appendfsync");
  if (appendonly === "yes" && appendfsync === "always")
    return { name, ok: true, detail: "appendonly yes, appendfsync always: what was accepted survives a crash of Redis and of its machine" };
  return {
    name,
    ok: true,
    detail: `appendonly ${appendonly ?? "unknown"}, appendfsync ${appendfsync ?? "unknown"}: a crash can take accepted tasks with it`,
    fix: "Set both: redis-cli config set appendonly yes; redis-cli config set appendfsync always; redis-cli config rewrite.",
  };
}

async function redisSetting(name: string): Promise<string | undefined> {
  const answer = await ask(REDIS_PORT, `CONFIG GET ${name}\r\n`);
  return answer.startsWith("*2") ? answer.trim().split("\r\n").at(-1) : undefined;
}

async function checkPostgres(env: NodeJS.ProcessEnv): Promise<Check> {
  const path = await findPostgres(env);
  return { name: "postgres", ok: true, detail: path ?? "not found; only needed by tests of profile postgres" };
}
