/** @module The `troupe` command line: its subcommands, its help, and how errors become exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { audit } from "./commands/audit.ts";
import { cancel } from "./commands/cancel.ts";
import { type Context, examples, HELP_COLUMNS, optionText } from "./commands/common.ts";
import { costs } from "./commands/costs.ts";
import { completion } from "./commands/completion.ts";
import { dataset } from "./commands/dataset.ts";
import { dead } from "./commands/dead.ts";
import { answer, approve, deny, edit } from "./commands/decide.ts";
import { demo } from "./commands/demo.ts";
import { diffProcesses } from "./commands/diff.ts";
import { digest } from "./commands/digest.ts";
import { doctor } from "./commands/doctor.ts";
import { drift } from "./commands/drift.ts";
import { down } from "./commands/down.ts";
import { evaluation } from "./commands/eval.ts";
import { forkProcess } from "./commands/fork.ts";
import { graph } from "./commands/graph.ts";
import { inbox } from "./commands/inbox.ts";
import { init } from "./commands/init.ts";
import { mcp } from "./commands/mcp.ts";
import { memory } from "./commands/memory.ts";
import { exportProcess } from "./commands/export.ts";
import { pause, resume, terminate } from "./commands/operate.ts";
import { ps } from "./commands/ps.ts";
import { replayProcess } from "./commands/replay.ts";
import { purge } from "./commands/purge.ts";
import { releases } from "./commands/releases.ts";
import { rules } from "./commands/rules.ts";
import { setAside } from "./commands/set-aside.ts";
import { show } from "./commands/show.ts";
import { signal } from "./commands/signal.ts";
import { sources } from "./commands/sources.ts";
import { submit } from "./commands/submit.ts";
import { ui } from "./commands/ui.ts";
import { up } from "./commands/up.ts";
import type { Lifetime } from "./run/lifetime.ts";
import { complain } from "./text/output.ts";
import { EXIT, exitCodeOf, Interrupted, problemJson, problemText } from "./text/problem.ts";
import { usageError } from "./text/usage.ts";

const COMMANDS = [
  ...[demo, init, up, down, ui, ps, submit, show, signal, cancel],
  ...[pause, resume, terminate],
  ...[exportProcess, replayProcess, forkProcess, diffProcesses, dataset, evaluation, costs],
  ...[inbox, approve, edit, deny, answer, rules, audit, dead, drift, digest],
  ...[memory, sources, releases, graph, mcp, doctor, setAside, purge, completion],
];

/** Runs a command line, given without the program's name. Prints errors with what to do; resolves with the exit code. */
export async function runProgram(words: readonly string[], lifetime: Lifetime): Promise<number> {
  let code: number = EXIT.ok;
  const context = {
    lifetime,
    done: (given: number) => {
      code = given;
    },
  };
  const command = program(context);
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

/** Builds the commands; each passes its exit code to the context. Usage errors are thrown and not printed. */
export function program(context: Context): Command {
  const command = new Command("troupe");
  // Settings come first: a subcommand copies them from its parent when it is created.
  command
    .description("Durable multi-agent systems on Dapr. In a clone of the project: `npm start --` for `troupe`.")
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ helpWidth: HELP_COLUMNS, optionDescription: optionText });
  for (const add of COMMANDS) add(command, context);
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
