/** @module `fork`: runs a recorded process again from a call on, with another model, prompt or input; nothing is written. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { writeFile } from "node:fs/promises";
import { fork } from "../../actors/fork/fork.ts";
import type { ForkReport, ForkWanted } from "../../runtime/cassette/diff.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { readInput } from "../input.ts";
import { loadSystem } from "../run/load.ts";
import { ownModels } from "../run/own-models.ts";
import { forkText } from "../text/diff-text.ts";
import { say } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { clientOf, type Context, countOption, durationOption, examples, modelScriptOption, remote, type RemoteOptions } from "./common.ts";
import { cassetteIn } from "./replay.ts";

/** Options of what a fork changes, also of each one of an evaluation. */
export interface ForkChangeOptions {
  readonly model?: string;
  readonly prompt?: string;
  readonly modelCalls?: number;
  readonly usd?: number;
  readonly time?: number;
  readonly modelScript?: string;
}

interface ForkOptions extends RemoteOptions, ForkChangeOptions {
  readonly at: string;
  readonly input?: string;
  readonly system?: string;
  readonly out?: string;
}

/** Adds the options of {@link ForkChangeOptions}. */
export function changeOptions(command: Command): Command {
  return command
    .option("--model <name>", "ask this model of the system in the place of each")
    .option("--prompt <version>", "use this version of the prompt, for the agents that have it")
    .addOption(countOption("--model-calls <number>", "at most that many model calls (default: 100)", LIMITS.forkModelCallsMax))
    .addOption(new Option("--usd <amount>", "at most that many US dollars (default: 1)").argParser(amount))
    .addOption(durationOption("--time <time>", "at most that long (default: 5m)"))
    .addOption(modelScriptOption());
}

/** What the options say that a fork changes and may spend. */
export function changesOf({ model, prompt, modelCalls, usd, time }: ForkChangeOptions): Omit<ForkWanted, "at"> {
  return { model, prompt, budget: { modelCalls, usd, timeMs: time } };
}

/** Adds the command. */
export function forkProcess(parent: Command, context: Context): void {
  const command = remote(parent.command("fork"))
    .argument("<id>", "the process, or a file that `export` wrote")
    .description("run a recorded process again from a call on: models are asked anew, tools have recorded results, nothing is written")
    .requiredOption("--at <call>", "a stop, the id of a work item, the key of a call, or `start`")
    .option("--input <json>", "another input: of the task with `--at start`, otherwise of the work item")
    .option("--system <file>", "with the system of this module and the models of this environment; without it, on the running host")
    .option("--out <file>", "with --system: write the forked run to this file, as a cassette");
  examples(
    changeOptions(command),
    [
      ["troupe fork trip-7 --at start --model other", "what another model would have done"],
      ["troupe fork trip-7 --at trip-7:1:plan:0:1 --prompt v2", "another prompt, from a work item on"],
      ["troupe fork trip-7.json --at start --system my/system.ts", "without a running system"],
    ],
    ["The exit code is 1 when it fails or comes to what is not in the record."],
  );
  command.action(async (process: string, options: ForkOptions) => {
    const report = await reportOf(process, options, context);
    say(options.json ? JSON.stringify(report) : forkText(report));
    context.done(report.status === "completed" || report.status === "partial" ? EXIT.ok : EXIT.failed);
  });
}

async function reportOf(process: string, options: ForkOptions, context: Context): Promise<ForkReport> {
  const { at, system: file, out } = options;
  const input = options.input === undefined ? {} : { input: await readInput(options.input) };
  const wanted: ForkWanted = { at, ...changesOf(options), ...input };
  const recorded = await cassetteIn(process);
  if (file === undefined) {
    if (recorded !== undefined || out !== undefined || options.modelScript !== undefined)
      throw new CliError("USAGE", "a file, --out and --model-script need a system to run here.", "Name its module with --system.");
    return (await clientOf(options, context.lifetime)).fork(process, wanted);
  }
  const cassette = recorded ?? (await (await clientOf(options, context.lifetime)).cassette(process, { contents: true }));
  const system = await loadSystem(file);
  const own = await ownModels(system, file, options.modelScript);
  try {
    const forked = await fork({ system, models: own.models }, { ...wanted, cassette });
    if (out !== undefined) await writeFile(out, `${JSON.stringify(forked.cassette)}\n`, { mode: 0o600 });
    return forked.report;
  } finally {
    await own.stop();
  }
}

function amount(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0 || number > LIMITS.forkUsdMax)
    throw new InvalidArgumentError(`It is a number from 0 to ${LIMITS.forkUsdMax}.`);
  return number;
}
