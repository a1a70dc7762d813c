/** @module `replay`: runs the current code over the records of a process, and tells what would differ. Nothing is called or sent. */
import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { replay } from "../../actors/replay/replay.ts";
import { Cassette } from "../../runtime/cassette/cassette.ts";
import type { Divergence, ReplayReport } from "../../runtime/cassette/replay-report.ts";
import { Fault } from "../../runtime/faults.ts";
import { loadSystem } from "../run/load.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";
import { counted } from "../../runtime/units.ts";

/** Adds the command. */
export function replayProcess(parent: Command, context: Context): void {
  const command = remote(parent.command("replay"))
    .argument("<id>", "the process, or a file that `export` wrote")
    .argument("[file]", "replay with the system of this module; without it, with the code of the running host")
    .description("replay a process: recorded answers, current code, no network; tell the first divergence of each part");
  examples(
    command,
    [
      ["troupe replay trip-7", "with the code of the host"],
      ["troupe replay trip-7 my/system.ts", "with the code of this folder"],
      ["troupe replay trip-7.json my/system.ts", "without a running system"],
    ],
    ["The exit code is 0 when nothing differs, and 1 when something does."],
  );
  command.action(async (process: string, systemFile: string | undefined, options: RemoteOptions) => {
    const report = await reportOf(process, systemFile, options, context);
    say(options.json ? JSON.stringify(report) : reportText(report));
    context.done(report.divergences.length === 0 ? EXIT.ok : EXIT.failed);
  });
}

async function reportOf(process: string, systemFile: string | undefined, options: RemoteOptions, context: Context): Promise<ReplayReport> {
  const file = await cassetteIn(process);
  if (systemFile === undefined && file === undefined) return (await clientOf(options, context.lifetime)).replay(process);
  if (systemFile === undefined)
    throw new Fault("cassette.invalid", `${process} is a file; name the system file that it is replayed with, too`);
  const cassette = file ?? (await (await clientOf(options, context.lifetime)).cassette(process, { contents: true }));
  return replay(await loadSystem(systemFile), cassette);
}

/**
 * The cassette of a file; undefined for the id of a process, which has no such file.
 * @throws `cassette.invalid`
 */
export async function cassetteIn(path: string): Promise<Cassette | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined;
  }
  try {
    return Cassette.parse(JSON.parse(text));
  } catch (error) {
    throw new Fault("cassette.invalid", `${path} is no cassette`, undefined, { cause: error });
  }
}

function reportText({ id, processes, works, skipped, divergences }: ReplayReport): string {
  const nested = processes === 1 ? "" : ` and ${counted(processes - 1, "nested process", "nested processes")}`;
  const head = `${id}${nested}: ${counted(works, "work item")} ran again over ${works === 1 ? "its record" : "their records"}.`;
  const left = skipped.map(({ work, why }) => `  not replayed: ${work}: ${why}`);
  if (divergences.length === 0) return [head, ...left, "Nothing differs."].join("\n");
  return [head, ...left, ...divergences.flatMap(divergenceLines)].join("\n");
}

function divergenceLines({ process, stop, agent, work, call, message, recorded, now }: Divergence): readonly string[] {
  const where = [stop, ...(agent === undefined ? [] : [agent])].filter((part) => part !== "").join(", ");
  return [
    `DIFFERS in ${process}${where === "" ? "" : ` at ${where}`}: ${message}`,
    ...(work === undefined ? [] : [`  work item  ${work}`]),
    ...(call === undefined ? [] : [`  call       ${call}`]),
    ...(recorded === undefined ? [] : [`  recorded   ${JSON.stringify(recorded)}`]),
    ...(now === undefined ? [] : [`  now        ${JSON.stringify(now)}`]),
  ];
}
