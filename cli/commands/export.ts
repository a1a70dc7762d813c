/** @module `export`: writes the records of a process to a file; with their contents it is a cassette for replays and tests. */
import type { Command } from "commander";
import { writeFile } from "node:fs/promises";
import { say, shownPath } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

interface ExportOptions extends RemoteOptions {
  readonly out?: string;
  readonly contents: boolean;
}

const WITH = "It holds all contents; keep it as you keep them.";
const WITHOUT = "It holds no contents: it can be read, and not be replayed (--contents).";

/** Adds the command. */
export function exportProcess(parent: Command, context: Context): void {
  const command = remote(parent.command("export"))
    .argument("<id>", "the process")
    .description("export the records of a process; with their contents it is a cassette for `replay`, `fork` and tests")
    .option("--out <file>", "write to this file instead of the terminal")
    .option("--contents", "with all contents, not only their sizes; needs the role `content`", false);
  examples(command, [
    ["troupe export trip-7 --out trip-7.json", "what happened, to show it to others"],
    ["troupe export trip-7 --contents --out trip-7.json", "a file for `replay`"],
  ]);
  command.action(async (id: string, options: ExportOptions) => {
    const { contents } = options;
    const text = JSON.stringify(await (await clientOf(options, context.lifetime)).cassette(id, { contents }));
    if (options.out === undefined) say(text);
    else {
      await writeFile(options.out, `${text}\n`, { mode: 0o600 });
      say(options.json ? JSON.stringify({ file: options.out }) : `Written to ${shownPath(options.out)}. ${contents ? WITH : WITHOUT}`);
    }
    context.done(EXIT.ok);
  });
}
