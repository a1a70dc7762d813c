/** @module Starts a private Redis or PostgreSQL for a test: on a free loopback port, data in a folder, killable and restartable. */
import { execFile } from "node:child_process";
import { chown, mkdir, readdir, readFile, stat, chmod } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { isExecutable } from "./find.ts";
import { Part, type PartWatch, type Restartable } from "./part.ts";
import { freePort, LOOPBACK, releasePorts } from "./ports.ts";
import { LaunchError, messageOf } from "./problem.ts";

const run = promisify(execFile);

/** A store of a test. */
export interface Store extends Restartable {
  /** Stops it; its data stay in the folder. */
  stop(): Promise<void>;
}

/** A Redis and how to reach it. */
export interface RedisStore extends Store {
  /** `host:port`. */
  readonly host: string;
  readonly port: number;
}

/** A PostgreSQL and how to reach it. */
export interface PostgresStore extends Store {
  readonly url: string;
  readonly port: number;
}

/** Common options of the stores. */
export interface StoreOptions {
  /** The folder of the data. */
  readonly dir: string;
  readonly log?: (source: string, line: string) => void;
}

const READY_MS = 30_000;
const GRACE_MS = 10_000;
const PROBE_TIMEOUT_MS = 1_000;
const INITDB_TIMEOUT_MS = 120_000;
const CHILD_GONE_MS = 5_000;
const CHILD_POLL_MS = 20;
/** PostgreSQL keeps its socket beside the data; Linux limits a socket path to 107 characters. */
const SOCKET_DIR_MAX_CHARS = 90;
/** PostgreSQL refuses to run as root; one of these exists on most systems. */
const UNPRIVILEGED = ["postgres", "nobody"] as const;
const DEBIAN_ROOT = "/usr/lib/postgresql";

/** `redis-server` on PATH, or undefined. */
export async function findRedis(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  return onPath("redis-server", env);
}

/** The folder with `postgres` and `initdb`, from PATH or Debian's folders (the newest version), or undefined. */
export async function findPostgres(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const found = await onPath("postgres", env);
  const places = found === undefined ? [] : [dirname(found)];
  const versions = await readdir(DEBIAN_ROOT).catch(() => []);
  for (const version of versions.toSorted((a, b) => Number(b) - Number(a))) places.push(join(DEBIAN_ROOT, version, "bin"));
  for (const place of places) {
    if ((await isExecutable(join(place, "postgres"))) && (await isExecutable(join(place, "initdb")))) return place;
  }
  return undefined;
}

/** Starts a Redis with an append-only file. Only with `always` does every answered write survive a crash of the machine. */
export async function startRedis(options: StoreOptions & { readonly appendfsync: "always" | "everysec" }): Promise<RedisStore> {
  const command = await findRedis();
  if (command === undefined) throw notFound("redis-server", "Install Redis 7 or later, or skip the test.");
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const part = new Part(
    {
      name: "redis",
      command,
      args: [
        "--port",
        String(port),
        "--bind",
        LOOPBACK,
        "--dir",
        dir,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        options.appendfsync,
        "--daemonize",
        "no",
      ],
      env: process.env,
      ports: [port],
      ready: async () => (await ask(port, "PING\r\n")).startsWith("+PONG"),
      readyMs: READY_MS,
      graceMs: GRACE_MS,
    },
    watch(options),
  );
  await part.start();
  return Object.assign(new StorePart(part), { host: `${LOOPBACK}:${port}`, port });
}

/** Creates a database cluster in the folder if there is none, and runs it with fsync on. */
export async function startPostgres(options: StoreOptions): Promise<PostgresStore> {
  const bin = await findPostgres();
  if (bin === undefined) throw notFound("postgres", "Install PostgreSQL 13 or later, or skip the test.");
  const dir = resolve(options.dir);
  if (dir.length > SOCKET_DIR_MAX_CHARS) throw failed(`the folder ${dir} is too long for a Unix socket`, "Use a shorter folder.");
  await mkdir(dir, { recursive: true });
  const user = await unprivileged();
  if (user !== undefined) await chown(dir, user.uid, user.gid);
  await chmod(dir, 0o700);
  if (user !== undefined) await reachable(dir);
  const data = join(dir, "data");
  await initialise(bin, data, user);
  const port = await freePort();
  const part = new Part(
    {
      name: "postgres",
      command: join(bin, "postgres"),
      args: [
        "-D",
        data,
        "-p",
        String(port),
        "-c",
        `listen_addresses=${LOOPBACK}`,
        "-c",
        `unix_socket_directories=${dir}`,
        "-c",
        "fsync=on",
        "-c",
        "synchronous_commit=on",
        "-c",
        "max_connections=200",
      ],
      env: postgresEnv(dir),
      cwd: dir,
      ...user,
      ports: [port],
      ready: () => postgresReady(bin, port),
      readyMs: READY_MS,
      graceMs: GRACE_MS,
      // SIGTERM would wait until every client has disconnected.
      stopSignal: "SIGINT",
    },
    watch(options),
  );
  await part.start();
  return Object.assign(new StorePart(part), { url: `postgres://troupe@${LOOPBACK}:${port}/postgres?sslmode=disable`, port });
}

class StorePart implements Store {
  readonly #part: Part;

  constructor(part: Part) {
    this.#part = part;
  }

  get pid(): number {
    return this.#part.pid;
  }

  get running(): boolean {
    return this.#part.running;
  }

  /** PostgreSQL's processes leave the group (setsid), so each child gets SIGKILL too, as in a crash of the machine. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const children = signal === "SIGKILL" ? await childrenOf(this.#part.pid) : [];
    await this.#part.kill(signal);
    for (const pid of children) killOne(pid);
    await Promise.all(children.map(gone));
  }

  start(): Promise<void> {
    return this.#part.start();
  }

  async stop(): Promise<void> {
    await this.#part.stop();
    releasePorts(this.#part.plan.ports);
  }
}

/** The children of a process on Linux; elsewhere empty, and the children end by themselves a little later. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text
    .split(" ")
    .filter((field) => field !== "")
    .map(Number);
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

async function gone(pid: number): Promise<void> {
  const end = performance.now() + CHILD_GONE_MS;
  while (
    performance.now() < end &&
    (await stat(`/proc/${pid}`).then(
      () => true,
      () => false,
    ))
  )
    await sleep(CHILD_POLL_MS);
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The user to run PostgreSQL as: undefined unless this process is root. */
async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of UNPRIVILEGED) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw failed(
    "this process is root, PostgreSQL refuses root, and there is no other user",
    `Make a user named ${UNPRIVILEGED[0]}, or run as a user.`,
  );
}

/** Another user must be able to enter the folder. Permissions of folders that we did not create are not changed. */
async function reachable(dir: string): Promise<void> {
  const OTHERS_EXECUTE = 0o001;
  for (let folder = dirname(dir); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & OTHERS_EXECUTE) === 0)
      throw failed(`${folder} is closed to other users, and PostgreSQL cannot run as root`, "Use a folder below /tmp, or run as a user.");
    if (folder === dirname(folder)) return;
  }
}

async function initialise(bin: string, data: string, user: User | undefined): Promise<void> {
  // initdb writes PG_VERSION early and global/pg_control late, so only the latter proves that it finished.
  const made = await stat(join(data, "global", "pg_control")).then(
    () => true,
    () => false,
  );
  if (made) return;
  try {
    await run(join(bin, "initdb"), ["-D", data, "-U", "troupe", "-A", "trust", "-E", "UTF8", "--locale=C"], {
      ...user,
      env: postgresEnv(dirname(data)),
      cwd: dirname(data),
      timeout: INITDB_TIMEOUT_MS,
    });
  } catch (error) {
    throw failed(`initdb failed: ${messageOf(error)}`, "Check the disk space and that the folder is empty.");
  }
}

function postgresEnv(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: home, LANG: "C", LC_ALL: "C" };
}

async function postgresReady(bin: string, port: number): Promise<boolean> {
  const isReady = join(bin, "pg_isready");
  if (!(await isExecutable(isReady))) return listening(port);
  return run(isReady, ["-h", LOOPBACK, "-p", String(port), "-t", "1"]).then(
    () => true,
    () => false,
  );
}

/** Sends one line to a port. Resolves with the first answer, or with an empty text. */
export function ask(port: number, line: string, host: string = LOOPBACK): Promise<string> {
  return new Promise((done) => {
    const socket = createConnection({ port, host });
    const end = (answer: string): void => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(""));
    socket.once("error", () => end(""));
    socket.once("close", () => end(""));
    socket.once("data", (data) => end(data.toString("utf8")));
    socket.once("connect", () => socket.write(line));
  });
}

function listening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection({ port, host: LOOPBACK });
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

async function onPath(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

function watch(options: StoreOptions): PartWatch {
  return { log: options.log ?? (() => undefined) };
}

function notFound(program: string, fix: string): LaunchError {
  return new LaunchError({ code: "STORE_NOT_FOUND", what: `${program} was not found.`, fix });
}

function failed(what: string, fix: string): LaunchError {
  return new LaunchError({ code: "STORE_FAILED", what: `${what}.`, fix });
}
