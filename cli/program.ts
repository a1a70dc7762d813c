/** @module The `troupe` command line: its subcommands, its help, and how errors become exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { type Context, examples, HELP_COLUMNS, optionText } from "./commands/common.ts";
import type { Lifetime } from "./run/lifetime.ts";
import { complain } from "./text/output.ts";
import { EXIT, exitCodeOf, Interrupted, problemJson, problemText } from "./text/problem.ts";
import { usageError } from "./text/usage.ts";

/** Adds a command, with what is below it. */
type Add = (parent: Command, context: Context) => void;

/**
 * The commands in the order of the help. Only those that a command line needs are loaded: each brings what it works with, and all of them
 * bring the whole engine.
 */
const COMMANDS: ReadonlyMap<string, () => Promise<Add>> = new Map([
  ["demo", async () => (await import("./commands/demo.ts")).demo],
  ["init", async () => (await import("./commands/init.ts")).init],
  ["up", async () => (await import("./commands/up.ts")).up],
  ["down", async () => (await import("./commands/down.ts")).down],
  ["ui", async () => (await import("./commands/ui.ts")).ui],
  ["ps", async () => (await import("./commands/ps.ts")).ps],
  ["submit", async () => (await import("./commands/submit.ts")).submit],
  ["show", async () => (await import("./commands/show.ts")).show],
  ["signal", async () => (await import("./commands/signal.ts")).signal],
  ["cancel", async () => (await import("./commands/cancel.ts")).cancel],
  ["pause", async () => (await import("./commands/operate.ts")).pause],
  ["resume", async () => (await import("./commands/operate.ts")).resume],
  ["terminate", async () => (await import("./commands/operate.ts")).terminate],
  ["export", async () => (await import("./commands/export.ts")).exportProcess],
  ["replay", async () => (await import("./commands/replay.ts")).replayProcess],
  ["fork", async () => (await import("./commands/fork.ts")).forkProcess],
  ["diff", async () => (await import("./commands/diff.ts")).diffProcesses],
  ["dataset", async () => (await import("./commands/dataset.ts")).dataset],
  ["eval", async () => (await import("./commands/eval.ts")).evaluation],
  ["costs", async () => (await import("./commands/costs.ts")).costs],
  ["inbox", async () => (await import("./commands/inbox.ts")).inbox],
  ["approve", async () => (await import("./commands/decide.ts")).approve],
  ["edit", async () => (await import("./commands/decide.ts")).edit],
  ["deny", async () => (await import("./commands/decide.ts")).deny],
  ["answer", async () => (await import("./commands/decide.ts")).answer],
  ["rules", async () => (await import("./commands/rules.ts")).rules],
  ["audit", async () => (await import("./commands/audit.ts")).audit],
  ["dead", async () => (await import("./commands/dead.ts")).dead],
  ["drift", async () => (await import("./commands/drift.ts")).drift],
  ["digest", async () => (await import("./commands/digest.ts")).digest],
  ["memory", async () => (await import("./commands/memory.ts")).memory],
  ["sources", async () => (await import("./commands/sources.ts")).sources],
  ["releases", async () => (await import("./commands/releases.ts")).releases],
  ["graph", async () => (await import("./commands/graph.ts")).graph],
  ["mcp", async () => (await import("./commands/mcp.ts")).mcp],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
  ["set-aside", async () => (await import("./commands/set-aside.ts")).setAside],
  ["purge", async () => (await import("./commands/purge.ts")).purge],
  ["completion", async () => (await import("./commands/completion.ts")).completion],
]);

/** Commands that look at all others. */
const NEED_ALL: ReadonlySet<string> = new Set(["completion"]);
/** The names of all commands, in the order of the help. */
export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];
const VERSION_FLAGS = ["-V", "--version"];

/** Runs a command line, given without the program's name. Prints errors with what to do; resolves with the exit code. */
export async function runProgram(words: readonly string[], lifetime: Lifetime): Promise<number> {
  let code: number = EXIT.ok;
  const context = {
    lifetime,
    done: (given: number) => {
      code = given;
    },
  };
  const command = await program(context, wantedBy(words));
  try {
    await command.parseAsync(words.length === 0 ? ["--help"] : words, { from: "user" });
    return code;
  } catch (error) {
    // Commander has already printed the help or the version.
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help"))
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Interrupted) return error.exitCode;
    const problem = error instanceof CommanderError ? usageError(error, command, words) : error;
    complain(words.includes("--json") ? JSON.stringify(problemJson(problem)) : problemText(problem));
    return exitCodeOf(problem);
  }
}

/** The commands that a command line needs. Without a known one it needs all, for the help or to name the nearest. */
function wantedBy([first = ""]: readonly string[]): readonly string[] {
  if (VERSION_FLAGS.includes(first)) return [];
  return COMMANDS.has(first) && !NEED_ALL.has(first) ? [first] : COMMAND_NAMES;
}

/** Builds commands; each passes its exit code to the context. Usage errors are thrown and not printed. */
export async function program(context: Context, names: readonly string[] = COMMAND_NAMES): Promise<Command> {
  const command = new Command("troupe");
  // Settings come first: a subcommand copies them from its parent when it is created.
  command
    .description("Durable multi-agent systems on Dapr. In a clone of the project: `npm start --` for `troupe`.")
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ helpWidth: HELP_COLUMNS, optionDescription: optionText });
  const adds = await Promise.all(names.map((name) => COMMANDS.get(name)?.()));
  for (const add of adds) add?.(command, context);
  examples(
    command,
    [
      ["troupe demo", "the travel example on a default task"],
      ["troupe init", "add Troupe to the project of this folder"],
      ["troupe up my/system.ts --stay", "your own system, in the background"],
      ["troupe submit trip @task.json --follow", "submit a task and watch each step"],
      ["troupe ui", "a link to the dashboard"],
      ["troupe ps", "what is running, and its processes"],
      ["troupe inbox", "what waits for a person"],
      ["troupe dead list", "dead letters that need a decision"],
      ["troupe down", "stop it"],
    ],
    ["`troupe <command> --help` has examples of each. NO_COLOR is respected."],
  );
  return command;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return z.object({ version: z.string() }).parse(manifest).version;
}
