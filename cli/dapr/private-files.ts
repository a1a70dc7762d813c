/** @module Files and folders of a run, which only its user may read: they hold keys, inputs and outputs. */
import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LaunchError, systemCode } from "./problem.ts";

/** Mode of a file that only its user may read. */
export const PRIVATE_FILE_MODE = 0o600;
/** The umask of programs that write into the state folder. */
export const PRIVATE_UMASK_MODE = 0o077;
const PRIVATE_FOLDER_MODE = 0o700;
const WRITABLE_BY_ALL_MODE = 0o002;

/**
 * Creates a folder and its missing parents. Node's own recursive `mkdir` does not return below /proc (Node 24.21).
 * @throws the system's error
 */
export function makeFolder(dir: string, mode: number = PRIVATE_FOLDER_MODE): void {
  const missing: string[] = [];
  for (let at = resolve(dir); !existsSync(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.toReversed()) {
    try {
      mkdirSync(folder, { mode });
    } catch (error) {
      // Another process may create it at the same time.
      if (systemCode(error) !== "EEXIST" || !existsSync(folder)) throw error;
    }
  }
}

/** Writes a file that only its user may read, atomically. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: PRIVATE_FILE_MODE });
  await rename(temporary, path);
}

/**
 * Checks that a folder, if it exists, is this user's. What another user wrote into it would name addresses that get tokens, and
 * processes that are ended.
 * @throws FOLDER_FOREIGN
 */
export function requireOwnFolder(dir: string): void {
  const uid = process.getuid?.();
  for (const stat of [lstatSync(dir, { throwIfNoEntry: false }), statSync(dir, { throwIfNoEntry: false })]) {
    if (uid === undefined || stat === undefined) return;
    if (stat.uid !== uid)
      throw foreign(`the folder ${dir} belongs to another user (uid ${stat.uid}, and this is uid ${uid}).`, `chown -R ${uid} ${dir}`);
    if (stat.isDirectory() && (stat.mode & WRITABLE_BY_ALL_MODE) !== 0)
      throw foreign(`every user may write into the folder ${dir}.`, `chmod go-w ${dir}`);
  }
}

function foreign(what: string, command: string): LaunchError {
  return new LaunchError({
    code: "FOLDER_FOREIGN",
    what,
    fix: `Use a folder of your own (--state). If you trust everything in it: ${command}`,
  });
}
