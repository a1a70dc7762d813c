/** @module Writing locks: a module that declares servers is loaded without its lock, then each server is asked what it has. */
import { rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Fault } from "../runtime/faults.ts";
import { driftOf, type LockedServer, type LockedTool, lockText, type McpLock, readLock, requireUsable } from "./lock.ts";

/** A server that was declared while locks are written. */
export interface Lockable {
  readonly name: string;
  readonly lock: URL | object;
  describe(): Promise<LockedServer>;
}

/** Shared by all copies of this module, because the command and a program may load two. */
const KEY = Symbol.for("troupe.mcp.locking");
const shared = globalThis as { [KEY]?: Lockable[] | undefined };

/** The servers that were declared so far, while locks are written; else undefined. */
export function locking(): Lockable[] | undefined {
  return shared[KEY];
}

/** What became of the lock of one server: names of its tools. */
export interface LockChange {
  readonly server: string;
  readonly file: URL;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

/**
 * Loads a module and writes the locks of all servers that it declares, each to the file that its declaration names. The entries of other
 * servers in these files stay. With `check` nothing is written. @throws faults `mcp.*` of the first server that cannot be asked; then
 * nothing was written
 */
export async function writeLocks(load: () => Promise<unknown>, { check = false } = {}): Promise<readonly LockChange[]> {
  const servers = await declared(load);
  const files = new Map<string, { readonly file: URL; readonly before: McpLock; after: McpLock }>();
  const changes: LockChange[] = [];
  for (const server of servers) {
    const { name, lock: file } = server;
    if (!(file instanceof URL))
      throw new Fault("definition.invalid", `MCP server ${name}: its lock is a value, not a file; give the URL of a file to write it`);
    const entry = files.get(file.href) ?? emptyOf(file, name);
    files.set(file.href, entry);
    const found = await described(server);
    entry.after = { version: 1, servers: { ...entry.after.servers, [name]: found } };
    changes.push({ server: name, file, ...difference(entry.before.servers[name]?.tools ?? {}, found.tools) });
  }
  if (!check)
    for (const { file, before, after } of files.values())
      if (lockText(before) !== lockText(after)) await replace(fileURLToPath(file), lockText(after));
  return changes;
}

/** The lock of the servers that a function declares, as a value: for tests, and for programs that keep it elsewhere. */
export async function mcpLock(declare: () => unknown): Promise<McpLock> {
  const servers = await declared(declare);
  const found = await Promise.all(servers.map(async (server) => [server.name, await described(server)] as const));
  return { version: 1, servers: Object.fromEntries(found) };
}

async function declared(declare: () => unknown): Promise<readonly Lockable[]> {
  const servers: Lockable[] = [];
  if (shared[KEY] !== undefined) throw new Fault("definition.invalid", "locks of MCP servers are already being written in this process");
  shared[KEY] = servers;
  try {
    await declare();
  } finally {
    shared[KEY] = undefined;
  }
  return servers;
}

function emptyOf(file: URL, name: string): { readonly file: URL; readonly before: McpLock; after: McpLock } {
  const before = readLock(file, `MCP server ${name}`) ?? { version: 1, servers: {} };
  return { file, before, after: before };
}

function difference(
  before: Readonly<Record<string, LockedTool>>,
  after: Readonly<Record<string, LockedTool>>,
): Pick<LockChange, "added" | "changed" | "removed" | "unchanged"> {
  const names = Object.keys(after);
  const isKnown = (name: string): boolean => Object.hasOwn(before, name);
  const isSame = (name: string): boolean => {
    const known = isKnown(name) ? before[name] : undefined;
    return known !== undefined && driftOf(known, after[name], false).length === 0;
  };
  return {
    added: names.filter((name) => !isKnown(name)),
    changed: names.filter((name) => isKnown(name) && !isSame(name)),
    removed: Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
    unchanged: names.filter(isSame),
  };
}

async function described(server: Lockable): Promise<LockedServer> {
  const found = await server.describe();
  for (const [name, tool] of Object.entries(found.tools)) requireUsable(tool, `tool ${name} of MCP server ${server.name}`);
  return found;
}

/** Writes a file whole or not at all. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
