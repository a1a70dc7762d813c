/** @module Runs the `troupe` command, and says how it ended: an exit code, and for an error what to do. */
import { CommanderError } from "commander";
import { Lifetime } from "./lifetime.ts";
import { complain } from "./output.ts";
import { EXIT, exitCodeOf, Interrupted, problemJson, problemText } from "./problem.ts";
import { program } from "./program.ts";

async function main(): Promise<number> {
  const lifetime = new Lifetime();
  lifetime.watch();
  let code: number = EXIT.ok;
  try {
    const context = {
      lifetime,
      done: (given: number) => {
        code = given;
      },
    };
    await program(context).parseAsync();
    return code;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Interrupted) return EXIT.failed;
    complain(process.argv.includes("--json") ? JSON.stringify(problemJson(error)) : problemText(error));
    return exitCodeOf(error);
  }
}

process.exit(await main());
