/** @module The lock of a state folder: one run at a time. The next run ends the children that a killed run left behind. */
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { identityOf, isAlive, type ProcessIdentity } from "./identity.ts";
import { makeFolder, PRIVATE_FILE_MODE, requireOwnFolder, writePrivate } from "./private-files.ts";
import { LaunchError, systemCode } from "./problem.ts";
import { stopGroup } from "./process.ts";

/** A process in the lock file. */
interface LockedProcess extends ProcessIdentity {
  readonly name: string;
}

interface LockFile {
  readonly owner: LockedProcess;
  readonly children: readonly LockedProcess[];
}

/** Time for a left-behind child to end before it is killed. */
const ORPHAN_GRACE_MS = 3_000;
/** Tries to take a lock while other processes try the same. */
const TAKE_TRIES = 5;

/** A held lock. It records the children of this run, so that a later run can end them if this one is killed. */
export class FolderLock {
  readonly #path: string;
  readonly #owner: LockedProcess;
  readonly #children = new Map<number, LockedProcess>();
  #writing: Promise<void> = Promise.resolve();
  #held = true;

  private constructor(path: string, owner: LockedProcess) {
    this.#path = path;
    this.#owner = owner;
  }

  /**
   * Locks a folder, which is created if needed.
   * @throws FOLDER_LOCKED when a running process holds the lock; FOLDER_FOREIGN
   */
  static async take(dir: string, log: (line: string) => void): Promise<FolderLock> {
    makeFolder(dir);
    requireOwnFolder(dir);
    const path = join(dir, "lock");
    const owner = identify("troupe", process.pid);
    for (let attempt = 0; attempt < TAKE_TRIES; attempt++) {
      if (await createWhole(path, { owner, children: [] })) return new FolderLock(path, owner);
      const held = await read(path);
      if (held === undefined) continue;
      if (isAlive(held.owner)) throw locked(dir, held.owner.pid);
      await endOrphans(held.children, log);
      await dropStale(path, held.owner);
    }
    throw locked(dir, undefined);
  }

  /** Records a running child. */
  async add(name: string, pid: number): Promise<void> {
    this.#children.set(pid, identify(name, pid));
    await this.#save();
  }

  /** Removes a child that has ended. */
  async remove(pid: number): Promise<void> {
    if (this.#children.delete(pid)) await this.#save();
  }

  /** Releases the lock. A second call does nothing, because another process may hold the lock by then. */
  async release(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await this.#writing.catch(() => undefined);
    await rm(this.#path, { force: true });
  }

  #save(): Promise<void> {
    const write = async (): Promise<void> => {
      if (!this.#held) return;
      const file: LockFile = { owner: this.#owner, children: [...this.#children.values()] };
      await writePrivate(this.#path, JSON.stringify(file));
    };
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }
}

/** A part of a run: its name and process. */
export interface HeldPart {
  readonly name: string;
  readonly pid: number;
}

/** Who holds a folder: the owner (`undefined` when it has died) and the children that still run. */
export interface FolderHolder {
  readonly owner: HeldPart | undefined;
  readonly children: readonly HeldPart[];
}

/**
 * Reads the lock of a folder; `undefined` when there is none.
 * @throws FOLDER_FOREIGN
 */
export async function folderHolder(dir: string): Promise<FolderHolder | undefined> {
  requireOwnFolder(dir);
  const held = await read(join(dir, "lock"));
  if (held === undefined) return undefined;
  return { owner: isAlive(held.owner) ? held.owner : undefined, children: held.children.filter(isAlive) };
}

/** Creates the file atomically; false when it exists already. */
async function createWhole(path: string, file: LockFile): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, JSON.stringify(file), { mode: PRIVATE_FILE_MODE });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Removes the lock of a dead owner, unless another process has taken it over in the meantime. */
async function dropStale(path: string, owner: LockedProcess): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  const moved = await read(aside);
  // Another process took the folder between the read and the rename: restore its lock.
  if (moved !== undefined && moved.owner.pid !== owner.pid) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function endOrphans(children: readonly LockedProcess[], log: (line: string) => void): Promise<void> {
  // Without a start time the pid may belong to another process by now, so that one is left alone.
  const living = children.filter((child) => child.started !== "" && isAlive(child));
  for (const child of living) log(`ending ${child.name} (pid ${child.pid}), left behind by a run that was killed`);
  await Promise.all(living.map((child) => stopGroup(child.pid, ORPHAN_GRACE_MS)));
}

async function read(path: string): Promise<LockFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  return parse(text) ?? { owner: { name: "unknown", pid: 0, started: "" }, children: [] };
}

function parse(text: string): LockFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("owner" in value) || !("children" in value)) return undefined;
    if (!isLocked(value.owner) || !Array.isArray(value.children)) return undefined;
    return { owner: value.owner, children: value.children.filter(isLocked) };
  } catch {
    // A file truncated by a full disk names no owner.
    return undefined;
  }
}

function isLocked(value: unknown): value is LockedProcess {
  if (typeof value !== "object" || value === null) return false;
  return (
    "name" in value &&
    typeof value.name === "string" &&
    "pid" in value &&
    Number.isInteger(value.pid) &&
    "started" in value &&
    typeof value.started === "string" &&
    (!("uid" in value) || Number.isInteger(value.uid))
  );
}

function identify(name: string, pid: number): LockedProcess {
  return { name, ...identityOf(pid) };
}

function locked(dir: string, pid: number | undefined): LaunchError {
  return new LaunchError({
    code: "FOLDER_LOCKED",
    what: pid === undefined ? `the folder ${dir} is being taken by other processes.` : `the folder ${dir} is in use by process ${pid}.`,
    fix: "Stop that run (`troupe down`), or use another state folder (--state).",
  });
}
