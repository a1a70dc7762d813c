/** @module `memory`: what agents remember. Memories are listed and shown; facts are forgotten, or a person vouches for them. */
import type { Command } from "commander";
import type { FactEntry, Forgotten, MemoryView } from "../../client/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { agoText } from "../text/duration.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { readerLines } from "../text/readers.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, countOption, examples, remote, type RemoteOptions } from "./common.ts";

interface ShowOptions extends RemoteOptions {
  readonly key?: string;
  readonly text?: string;
  readonly limit: number;
}

interface ForgetCommandOptions extends RemoteOptions {
  readonly purge: boolean;
  readonly reason?: string;
}

interface PromoteOptions extends RemoteOptions {
  readonly reason: string;
}

const FACTS_DEFAULT = 20;
const READERS_SHOWN = 20;

/** Adds the command with its subcommands. */
export function memory(parent: Command, context: Context): void {
  const group = parent.command("memory").description("what agents remember: list, show, forget, promote");
  examples(group, [
    ["troupe memory list", "all memories"],
    ["troupe memory show key.Support.ann", "its facts, the newest first"],
    ["troupe memory forget key.Support.ann 4f1c", "the fact, and what was derived"],
    [`troupe memory promote key.Support.ann 4f1c --reason "seen"`, ""],
  ]);
  list(group, context);
  show(group, context);
  forget(group, context);
  promote(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list")).description("list the memories, or the facts of one").argument("[memory]", "its id");
  examples(command, [
    ["troupe memory list", ""],
    ["troupe memory list key.Support.ann", "its newest facts"],
  ]);
  command.action(async (id: string | undefined, options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    if (id === undefined) {
      const answer = await client.memory.list();
      if (options.json) say(JSON.stringify(answer));
      else say(answer.memories.length === 0 ? "No agent remembers anything." : answer.memories.join("\n"));
    } else {
      const answer = await client.memory.show(id, { limit: FACTS_DEFAULT });
      say(options.json ? JSON.stringify(answer) : memoryText(answer));
    }
    context.done(EXIT.ok);
  });
}

function show(group: Command, context: Context): void {
  const command = remote(group.command("show"))
    .description("show facts with their provenance and their readers")
    .argument("<memory>", "its id")
    .argument("[id]", "the id of a fact")
    .option("--key <key>", "the fact with this key")
    .option("--text <words>", "facts that hold these words, best first")
    .addOption(countOption("--limit <number>", "facts to show at most", LIMITS.factsReadMax).default(FACTS_DEFAULT));
  examples(command, [
    ["troupe memory show key.Support.ann", ""],
    [`troupe memory show key.Support.ann --text "address"`, ""],
    ["troupe memory show key.Support.ann 4f1c", "one fact"],
  ]);
  command.action(async (memoryId: string, id: string | undefined, { key, text, limit, ...options }: ShowOptions) => {
    const client = await clientOf(options, context.lifetime);
    const wanted = { ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }), ...(text === undefined ? {} : { text }) };
    const answer = await client.memory.show(memoryId, { ...wanted, limit });
    if (options.json) say(JSON.stringify(answer));
    else say(id === undefined ? memoryText(answer) : answer.facts.map(factText).join("\n"));
    context.done(EXIT.ok);
  });
}

function forget(group: Command, context: Context): void {
  const command = remote(group.command("forget"))
    .description("forget a fact in all versions, and what was derived from it in any memory")
    .argument("<memory>", "its id")
    .argument("<id>", "the id of the fact")
    .option("--purge", "purge ended processes that had written or read it, too", false)
    .option("--reason <text>", "the reason, for the audit");
  examples(command, [
    ["troupe memory forget key.Support.ann 4f1c", ""],
    [`troupe memory forget key.Support.ann 4f1c --purge --reason "asked for it"`, ""],
  ]);
  command.action(async (memoryId: string, id: string, { purge, reason, ...options }: ForgetCommandOptions) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.memory.forget(memoryId, id, { purge, ...(reason === undefined ? {} : { reason }) });
    say(options.json ? JSON.stringify(answer) : forgottenText(answer));
    context.done(EXIT.ok);
  });
}

function promote(group: Command, context: Context): void {
  const command = remote(group.command("promote"))
    .description("vouch for an untrusted fact, so that other processes may read it")
    .argument("<memory>", "its id")
    .argument("<id>", "the id of the fact")
    .requiredOption("--reason <text>", "the reason, for the audit");
  examples(command, [[`troupe memory promote key.Support.ann 4f1c --reason "seen"`, ""]]);
  command.action(async (memoryId: string, id: string, { reason, ...options }: PromoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const fact = await client.memory.promote(memoryId, id, reason);
    say(options.json ? JSON.stringify(fact) : `${id} is promoted: other processes may read it. It keeps its label.`);
    context.done(EXIT.ok);
  });
}

/** A memory as a table. */
export function memoryText({ facts, total, gone, stale }: MemoryView): string {
  const rows = facts.map(({ id, version, kind, key, trust, atMs, value, promoted }) => [
    id,
    key ?? "",
    `${kind} v${version}`,
    promoted === undefined ? trust : `${trust}, promoted`,
    agoText(atMs, Date.now()),
    JSON.stringify(value),
  ]);
  const more = total > facts.length ? [`${facts.length} of ${total} facts.`] : [];
  const lost = gone.length === 0 ? [] : [`Gone: ${gone.map(({ id, version, why }) => `${id} v${version} (${why})`).join(", ")}.`];
  return [
    facts.length === 0 ? "No facts." : table(["id", "key", "what", "trust", "when", "content"], rows),
    ...more,
    ...lost,
    ...staleText(stale),
  ].join("\n");
}

function staleText(stale: MemoryView["stale"]): readonly string[] {
  if (stale.length === 0) return [];
  const lines = stale
    .slice(0, READERS_SHOWN)
    .map(
      ({ processId, agent, facts }) =>
        `  ${processId} (${agent}): ${facts.map(({ id, version, why }) => `${id} v${version} ${why}`).join(", ")}`,
    );
  return ["Work that had read what is no longer the newest:", ...lines];
}

/** A fact with all that is known of it. */
function factText(fact: FactEntry): string {
  const { id, key, version, kind, value, trust, label, atMs, validUntilMs, writer, source, parents, promoted, readers } = fact;
  const lines = [
    `${id}  ${kind}, version ${version}${key === undefined ? "" : `, key ${key}`}`,
    `  content    ${JSON.stringify(value)}`,
    `  trust      ${trust}${label.length === 0 ? "" : ` (from ${label.join(", ")})`}`,
    `  written    ${new Date(atMs).toISOString()} by ${writer.agent} in ${writer.processId} for ${writer.subject}`,
  ];
  if (validUntilMs !== undefined) lines.push(`  valid till ${new Date(validUntilMs).toISOString()}`);
  if (source !== undefined) lines.push(`  source     ${source.name}/${source.id}`);
  if (promoted !== undefined) lines.push(`  promoted   by ${promoted.by}: ${promoted.reason}`);
  if (parents.length > 0) lines.push(`  derived    from ${parents.map((one) => `${one.memory}/${one.id}`).join(", ")}`);
  if (readers.length > 0)
    lines.push(
      `  read by    ${readers
        .slice(0, READERS_SHOWN)
        .map(({ processId }) => processId)
        .join(", ")}`,
    );
  return lines.join("\n");
}

/** What was forgotten, as text. */
function forgottenText({ facts, readers, readersDropped, purged, waiting }: Forgotten): string {
  const lines = [`Forgotten: ${facts.map(({ memory: of, id, version }) => `${of}/${id} v${version}`).join(", ")}.`];
  if (readers.length > 0) lines.push("Work that had read it:", ...readerLines(readers));
  if (readersDropped > 0) lines.push(`${readersDropped} older reads are no longer named.`);
  if (purged !== undefined && purged.length > 0) lines.push(`Purged: ${purged.join(", ")}.`);
  if (waiting !== undefined && waiting.length > 0)
    lines.push(`Not purged yet, as they are open or others may refer to them: ${waiting.join(", ")}. Run "troupe purge" later.`);
  return lines.join("\n");
}
