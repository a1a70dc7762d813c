/** @module Watches the source files below folders for `up --watch`. Dependencies, hidden folders and data files are ignored. */
import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

/** Changes closer together than this are one change: an editor writes a file in several steps. */
const DEBOUNCE_MS = 200;
/** Maximum number of watched folders. More is an error, because a watch that misses files is worse than none. */
const FOLDERS_MAX = 2_000;
const SOURCE = /\.[cm]?[jt]s$/;
const LEFT_OUT = /^(\.|node_modules$)/;

/** A running watch. */
export interface Watch {
  close(): void;
}

/** Watches the source files below the folders. `onChange` gets the path of the file that changed last. */
export async function watchSources(folders: readonly string[], onChange: (path: string) => void): Promise<Watch> {
  const sources = new Sources(onChange);
  try {
    for (const folder of new Set(folders)) await sources.add(folder, false);
  } catch (error) {
    sources.close();
    throw error;
  }
  return sources;
}

class Sources implements Watch {
  readonly #onChange: (path: string) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  /** Size and modification time of each source file, because the system also reports files that were only read. */
  readonly #seen = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onChange: (path: string) => void) {
    this.#onChange = onChange;
  }

  /** Watches a folder and its subfolders. `isNew`: the folder appeared during the watch, so its files count as changes. */
  async add(folder: string, isNew: boolean): Promise<void> {
    if (this.#watchers.has(folder) || this.#closed) return;
    if (this.#watchers.size >= FOLDERS_MAX)
      throw new CliError(
        "SYSTEM_FILE",
        `more than ${FOLDERS_MAX} folders would be watched below the system's.`,
        "Put the system's file into a folder of its own, or run without --watch.",
      );
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null) void this.#look(join(folder, name)).catch(() => undefined);
    });
    watcher.on("error", () => this.#drop(folder));
    this.#watchers.set(folder, watcher);
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (LEFT_OUT.test(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await this.add(path, isNew);
      else if (SOURCE.test(entry.name) && isNew) await this.#look(path);
      else if (SOURCE.test(entry.name)) this.#seen.set(path, await signature(path));
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #look(path: string): Promise<void> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (this.#closed || LEFT_OUT.test(name)) return;
    if (!SOURCE.test(name)) {
      if ((await stat(path)).isDirectory()) await this.add(path, true);
      return;
    }
    const now = await signature(path);
    if (this.#seen.get(path) === now) return;
    this.#seen.set(path, now);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onChange(path), DEBOUNCE_MS);
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}

async function signature(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size} ${mtimeMs}`;
  } catch (error) {
    return `gone: ${messageOf(error)}`;
  }
}
