/** @module The `troupe` command: what can be asked of it, and how it ends. */
import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { z } from "zod";
import { doctorCommand } from "./doctor.ts";
import { Lifetime } from "./lifetime.ts";
import { complain } from "./output.ts";
import { EXIT, exitCodeOf, Interrupted, problemText } from "./problem.ts";
import { start } from "./start.ts";
import { upEmbedded } from "./up.ts";
import { upFile } from "./up-file.ts";

const PORT_MAX = 65_535;
const STATE_DIR = ".troupe";
const UP_PORT = 3_100;

const EXAMPLES = `
Examples:
  npm start                                        the travel example on a default task
  npm start -- snow, northern lights and quiet     the same on a wish of yours
  npm start -- '{"wish":"music","days":3,"budget":500}'
  npm start -- --fresh                             with the state of earlier runs moved aside
  npm start -- doctor                              what is missing, and what to do about it
  npm start -- up my/system.ts                     a system of yours, in the foreground
  npm start -- up -f dapr.yaml                     several apps, without the Dapr CLI

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

/** The commands; each gives its exit code to `done`. */
function program(lifetime: Lifetime, done: (code: number) => void): Command {
  const command = new Command("troupe");
  command
    .description("Durable multi-agent systems on Dapr.")
    .version(version())
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .showHelpAfterError("Try --help.");
  command
    .command("start [task...]", { isDefault: true })
    .description("run the travel example on a task: JSON, or a wish in plain words")
    .option("--fresh", "move the state of earlier runs aside", false)
    .option("--state <folder>", "where the state lies", STATE_DIR)
    .action(async (words: string[], options: { readonly fresh: boolean; readonly state: string }) => {
      done(await start({ task: words.length === 0 ? undefined : words.join(" "), dir: options.state, fresh: options.fresh }, lifetime));
    });
  command
    .command("up [systemFile]")
    .description("run a system in the foreground: embedded, or the apps of a dapr.yaml")
    .option("-f, --file <dapr.yaml>", "a multi-app run file")
    .option("--verbose", "show what Dapr's programs print too", false)
    .option("--port <number>", "where the HTTP API answers", port, UP_PORT)
    .option("--state <folder>", "where the state lies", STATE_DIR)
    .action(async (systemFile: string | undefined, options: { readonly file?: string; readonly port: number; readonly state: string; readonly verbose: boolean }) => {
      if (systemFile !== undefined && options.file !== undefined) command.error("error: give a system file or -f, not both", { exitCode: EXIT.usage });
      if (options.file !== undefined) done(await upFile({ file: options.file, dir: options.state, verbose: options.verbose }, lifetime));
      else done(await upEmbedded({ systemFile, port: options.port, dir: options.state, verbose: options.verbose }, lifetime));
    });
  command
    .command("doctor")
    .description("look at everything that a run needs")
    .option("--install", "get Dapr where it is missing", false)
    .action(async (options: { readonly install: boolean }) => done(await doctorCommand(options, lifetime)));
  return command;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < 1 || value > PORT_MAX) throw new InvalidArgumentError(`a number from 1 to ${PORT_MAX} is expected`);
  return value;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return z.object({ version: z.string() }).parse(manifest).version;
}

async function main(): Promise<number> {
  const lifetime = new Lifetime();
  lifetime.watch();
  let code: number = EXIT.ok;
  try {
    await program(lifetime, (given) => {
      code = given;
    }).parseAsync();
    return code;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Interrupted) return EXIT.failed;
    complain(problemText(error));
    return exitCodeOf(error);
  }
}

process.exit(await main());
