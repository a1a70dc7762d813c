/** @module Wrong usage of the command line in the form of every other error: a code, what is wrong and what to do. */
import type { Command, CommanderError } from "commander";
import { CliError } from "./problem.ts";

/** What people type who know other programs, and what it is called here. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ["logs", "The log of a run is in its state folder (.troupe/run.log), and `troupe show <id> --follow` shows a task."],
  ["log", "The log of a run is in its state folder (.troupe/run.log), and `troupe show <id> --follow` shows a task."],
  ["start", "`troupe up <system file>` starts a system, and `troupe demo` the travel example."],
  ["run", "`troupe up <system file>` starts a system, and `troupe submit <route> <input>` gives it a task."],
  ["dev", "`troupe up <system file> --watch` starts a system and restarts it when a file changes."],
  ["stop", "`troupe down` stops a system, and `troupe cancel <id>` a task."],
  ["list", "`troupe ps` lists what runs and its processes."],
  ["status", "`troupe ps` lists what runs and its processes."],
]);

/** What the command line parser found wrong, as an error of the command. */
export function usageError(error: CommanderError, program: Command, words: readonly string[]): CliError {
  const [what = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const near = /Did you mean (?:one of )?(.+)\?/.exec(more.join(" "))?.[1];
  const other = error.code === "commander.unknownCommand" ? OTHER_WORDS.get(/'(.*)'/.exec(what)?.[1] ?? "") : undefined;
  const help = `\`${pathOf(program, words)} --help\` shows what there is.`;
  const fix = other ?? (near === undefined ? "" : `Did you mean ${near.replaceAll(/[^\s,]+/g, "`$&`")}?`);
  return new CliError("USAGE", what.endsWith(".") ? what : `${what}.`, `${fix} ${help}`.trim(), error);
}

/** The deepest command that the words name. */
function pathOf(program: Command, words: readonly string[]): string {
  let command = program;
  let path = program.name();
  for (const word of words) {
    const child = command.commands.find((one) => one.name() === word);
    if (child === undefined) break;
    command = child;
    path += ` ${word}`;
  }
  return path;
}
