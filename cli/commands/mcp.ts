/** @module `mcp`: writes the lock of the MCP servers that a system declares. */
import type { Command } from "commander";
import { fileURLToPath } from "node:url";
import type { LockChange } from "../../mcp/locking.ts";
import { loadModule } from "../run/load.ts";
import { say, shownPath } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { type Context, examples, jsonOption } from "./common.ts";

interface Options {
  readonly check: boolean;
  readonly json: boolean;
}

/** Adds the command with its subcommand. */
export function mcp(parent: Command, context: Context): void {
  const group = parent.command("mcp").description("tools of MCP servers: lock");
  examples(group, [["troupe mcp lock my/system.ts", "what the servers say of the allowed tools"]]);
  const lock = group
    .command("lock")
    .argument("<file>", "a module that declares MCP servers, such as that of the system")
    .description("ask the declared MCP servers for their allowed tools, and write the answers to the lock file")
    .option("--check", "write nothing; exit code 1 if the lock would change", false)
    .addOption(jsonOption());
  examples(
    lock,
    [
      ["troupe mcp lock my/system.ts", "then read the difference, and commit it"],
      ["troupe mcp lock my/system.ts --check", "in CI"],
    ],
    [
      "The servers are started or reached as the module declares them. Models are told",
      "what the lock says, so read it as you would read code.",
    ],
  );
  lock.action(async (file: string, { check, json }: Options) => {
    // The library for schemas is loaded by this command alone.
    const { writeLocks } = await import("../../mcp/locking.ts");
    const changes = await writeLocks(() => loadModule(file), { check });
    if (json) say(JSON.stringify(changes.map((change) => ({ ...change, file: fileURLToPath(change.file) }))));
    else for (const line of textOf(changes, file)) say(line);
    context.done(check && changes.some(differs) ? EXIT.failed : EXIT.ok);
  });
}

function differs({ added, changed, removed }: LockChange): boolean {
  return added.length + changed.length + removed.length > 0;
}

function textOf(changes: readonly LockChange[], file: string): readonly string[] {
  if (changes.length === 0) return [`${file} declares no MCP servers.`];
  return changes.map((change) => {
    const kinds = (["added", "changed", "removed", "unchanged"] as const).filter((kind) => change[kind].length > 0);
    const what = kinds.map((kind) => (kind === "unchanged" ? `${change[kind].length} unchanged` : `${kind}: ${change[kind].join(", ")}`));
    return `${change.server} (${shownPath(fileURLToPath(change.file))}): ${what.join("; ")}.`;
  });
}
