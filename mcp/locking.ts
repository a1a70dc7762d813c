/** @module Writing locks: a module that declares servers is loaded without its lock, then each server is asked what it has. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Fault } from "../runtime/faults.ts";
import { type LockedServer, lockText, type McpLock, readLock, requireUsable } from "./lock.ts";

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

/** What became of the lock of one server. */
export interface Locked {
  readonly server: string;
  readonly file: URL;
  readonly tools: number;
  readonly changed: boolean;
}

/**
 * Loads a module and writes the locks of all servers that it declares, each to the file that its declaration names. The entries of other
 * servers in these files stay. @throws faults `mcp.*` of the first server that cannot be asked; then nothing was written
 */
export async function writeLocks(load: () => Promise<unknown>): Promise<readonly Locked[]> {
  const servers: Lockable[] = [];
  shared[KEY] = servers;
  try {
    await load();
  } finally {
    shared[KEY] = undefined;
  }
  const files = new Map<string, { readonly file: URL; readonly before: McpLock; readonly found: Map<string, LockedServer> }>();
  for (const server of servers) {
    const { lock: file } = server;
    if (!(file instanceof URL))
      throw new Fault(
        "definition.invalid",
        `MCP server ${server.name}: its lock is a value, not a file; give the URL of a file to write it`,
      );
    const before = readLock(file, `MCP server ${server.name}`) ?? { version: 1, servers: {} };
    const entry = files.get(file.href) ?? { file, before, found: new Map<string, LockedServer>() };
    files.set(file.href, entry);
    entry.found.set(server.name, await described(server));
  }
  const locked: Locked[] = [];
  for (const { file, before, found } of files.values()) {
    const after: McpLock = { version: 1, servers: { ...before.servers, ...Object.fromEntries(found) } };
    for (const [server, { tools }] of found) {
      const changed = lockText({ version: 1, servers: pick(before, server) }) !== lockText({ version: 1, servers: pick(after, server) });
      locked.push({ server, file, tools: Object.keys(tools).length, changed });
    }
    await replace(fileURLToPath(file), lockText(after));
  }
  return locked;
}

function pick({ servers }: McpLock, name: string): McpLock["servers"] {
  const found = servers[name];
  return found === undefined ? {} : { [name]: found };
}

async function described(server: Lockable): Promise<LockedServer> {
  const found = await server.describe();
  for (const [name, tool] of Object.entries(found.tools)) requireUsable(tool, `tool ${name} of MCP server ${server.name}`);
  return found;
}

/** Writes a file whole or not at all. */
async function replace(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** The lock of servers, as a value: for tests, and for programs that keep it elsewhere. */
export async function mcpLock(declare: () => unknown): Promise<McpLock> {
  const servers: Lockable[] = [];
  const before = shared[KEY];
  shared[KEY] = servers;
  try {
    declare();
  } finally {
    shared[KEY] = before;
  }
  const found = await Promise.all(servers.map(async (server) => [server.name, await described(server)] as const));
  return { version: 1, servers: Object.fromEntries(found) };
}
