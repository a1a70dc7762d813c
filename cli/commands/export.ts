/** @module `export`: writes the records of a process with their contents to a file, a cassette for replays and tests. */
import type { Command } from "commander";
import { writeFile } from "node:fs/promises";
import { redacted } from "../../runtime/cassette/redact.ts";
import { say, shown } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { clientOf, type Context, examples, remote, type RemoteOptions } from "./common.ts";

interface ExportOptions extends RemoteOptions {
  readonly out?: string;
  readonly redact: boolean;
}

/** Adds the command. */
export function exportProcess(parent: Command, context: Context): void {
  const command = remote(parent.command("export"))
    .argument("<id>", "the process")
    .description("export the records of a process with their contents: a cassette for `replay`, `fork` and tests")
    .option("--out <file>", "write to this file instead of the terminal")
    .option("--redact", "replace all contents; it can be read then, and not be replayed", false);
  examples(command, [
    ["troupe export trip-7 --out trip-7.json", "a file for `replay`"],
    ["troupe export trip-7 --redact", "to show it to someone"],
  ]);
  command.action(async (id: string, options: ExportOptions) => {
    const cassette = await (await clientOf(options, context.lifetime)).cassette(id);
    const text = JSON.stringify(options.redact ? redacted(cassette) : cassette);
    if (options.out === undefined) say(text);
    else {
      await writeFile(options.out, `${text}\n`, { mode: 0o600 });
      say(
        options.json
          ? JSON.stringify({ file: options.out })
          : `Written to ${shown(options.out)}. It holds all contents; keep it as you keep them.`,
      );
    }
    context.done(EXIT.ok);
  });
}
