/** @module `diff`: compares two runs: path, calls, arguments, results, cost, outcome. */
import type { Command } from "commander";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { diffOf, type RunDiff } from "../../runtime/cassette/diff.ts";
import { diffText } from "../text/diff-text.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";
import { cassetteIn } from "./replay.ts";

interface DiffOptions extends RemoteOptions {
  readonly all: boolean;
}

/** Adds the command. */
export function diffProcesses(parent: Command, context: Context): void {
  const command = remote(parent.command("diff"))
    .argument("<a>", "a process, or a file that `export` or `fork --out` wrote")
    .argument("<b>", "the other one")
    .description("compare the last runs of two processes: path, calls, arguments, results, cost, outcome")
    .option("--all", "name also what is the same", false);
  examples(
    command,
    [
      ["troupe diff trip-7 trip-8", "two processes of the host"],
      ["troupe diff trip-7.json forked.json", "two files"],
    ],
    ["The exit code is 0 when nothing differs, and 1 when something does."],
  );
  command.action(async (a: string, b: string, options: DiffOptions) => {
    const diff = await compared(a, b, options, context);
    say(options.json ? JSON.stringify(diff) : diffText(diff, options.all));
    context.done(diff.same ? EXIT.ok : EXIT.failed);
  });
}

async function compared(a: string, b: string, options: DiffOptions, context: Context): Promise<RunDiff> {
  const files = await Promise.all([cassetteIn(a), cassetteIn(b)]);
  if (files.every((file) => file === undefined)) return (await clientOf(options, context.lifetime)).diff(a, b);
  const read = async (file: Cassette | undefined, id: string): Promise<Cassette> =>
    file ?? (await clientOf(options, context.lifetime)).cassette(id, { contents: true });
  return diffOf(await read(files[0], a), await read(files[1], b), { a, b });
}
