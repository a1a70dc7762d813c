/** @module `sources`: where documents of memories come from. They are listed, and compared now. */
import type { Command } from "commander";
import type { SourceView, SyncAnswer } from "../../client/index.ts";
import { agoText } from "../text/duration.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { readerLines } from "../text/readers.ts";
import { table } from "../text/table.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";
import { counted } from "../../runtime/units.ts";

/** Adds the command with its subcommands. */
export function sources(parent: Command, context: Context): void {
  const group = parent.command("sources").description("sources of documents: list, compare now");
  examples(group, [
    ["troupe sources list", "documents, last comparison, failures"],
    ["troupe sources sync handbook", "compare it now"],
  ]);
  list(group, context);
  sync(group, context);
}

function list(group: Command, context: Context): void {
  const command = remote(group.command("list")).description("list the sources of the system, and how current their memories are");
  examples(command, [["troupe sources list", ""]]);
  command.action(async (options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.sources();
    if (options.json) say(JSON.stringify(answer));
    else if (answer.sources.length === 0) say("No agent of the system has a source.");
    else say(table(["source", "documents", "compared", "failures", "what"], answer.sources.map(rowOf)));
    context.done(EXIT.ok);
  });
}

function rowOf({ name, documents, compared, failures, fault, untrusted }: SourceView): readonly string[] {
  const when = compared === undefined ? "never" : agoText(compared.atMs, Date.now());
  const unread = compared === undefined || compared.unread === 0 ? "" : `${compared.unread} not readable`;
  const what = fault === undefined ? [untrusted ? "untrusted" : "", unread].filter((text) => text !== "").join(", ") : fault.message;
  return [name, String(documents), when, String(failures), what];
}

function sync(group: Command, context: Context): void {
  const command = remote(group.command("sync"))
    .description("compare a source with its memory now, and take out what changed or vanished")
    .argument("<source>", "its name");
  examples(command, [["troupe sources sync handbook", ""]]);
  command.action(async (source: string, options: RemoteOptions) => {
    const client = await clientOf(options, context.lifetime);
    const answer = await client.syncSource(source);
    say(options.json ? JSON.stringify(answer) : syncText(answer));
    context.done(EXIT.ok);
  });
}

/** A comparison as text: what changed, what could not be read, and who had read what is gone. */
export function syncText({ source, listed, added, changed, vanished, unread, derived, readers, readersDropped }: SyncAnswer): string {
  const lines = [`${source}: ${listed} documents; ${added} added, ${changed} changed, ${vanished} vanished.`];
  if (derived > 0) lines.push(`${counted(derived, "fact")} derived from what is gone went with it.`);
  if (unread.length > 0) lines.push(`Not readable, and read again next time: ${unread.join(", ")}.`);
  if (readers.length > 0) lines.push("Work that had read what is gone:", ...readerLines(readers));
  if (readersDropped > 0) lines.push(`${readersDropped} older reads are no longer named.`);
  return lines.join("\n");
}
