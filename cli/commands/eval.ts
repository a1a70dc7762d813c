/** @module `eval`: forks each item of a dataset from its start, and scores what it did. */
import type { Command } from "commander";
import { writeFile } from "node:fs/promises";
import { evaluate } from "../../actors/fork/evaluate.ts";
import type { EvaluationSummary, ResultLine } from "../../runtime/evaluation/results.ts";
import { readChecks, readDataset, readItem } from "../run/dataset-files.ts";
import { loadSystem } from "../run/load.ts";
import { ownModels } from "../run/own-models.ts";
import { coloured, oneLine, say } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { type Context, countOption, examples, jsonOption } from "./common.ts";
import { changeOptions, changesOf, type ForkChangeOptions } from "./fork.ts";
import { counted } from "../../runtime/units.ts";

interface EvalOptions extends ForkChangeOptions {
  readonly system: string;
  readonly checks?: string;
  readonly runs: number;
  readonly out?: string;
  readonly json: boolean;
}

const RUNS_MAX = 100;

/** Adds the command. */
export function evaluation(parent: Command, context: Context): void {
  const command = parent
    .command("eval")
    .argument("<dataset>", "the folder of the dataset")
    .description("fork each item of a dataset from its start, and check what it did: gates for a build, judges beside them")
    .requiredOption("--system <file>", "the module of the system")
    .option("--checks <file>", "the checks (default: checks.yaml or checks.json in the dataset)")
    .addOption(countOption("--runs <number>", "fork each item that often", RUNS_MAX).default(1))
    .option("--out <file>", "write the results to this file, a JSON line for each item, run and check")
    .addOption(jsonOption());
  examples(
    changeOptions(command),
    [
      ["troupe eval refunds --system my/system.ts", "the code as it is"],
      ["troupe eval refunds --system my/system.ts --model small", "would a smaller model do?"],
    ],
    ["The exit code is 0 when no gate failed and one was scored, and 1 otherwise."],
  );
  command.action(async (folder: string, options: EvalOptions) => {
    const dataset = await readDataset(folder);
    if (dataset.items.length === 0)
      throw new CliError("USAGE", `${folder} is no dataset with items.`, "Make one with `troupe dataset add <dataset> <ids...>`.");
    const [checks, system] = [await readChecks(folder, options.checks), await loadSystem(options.system)];
    const items = [];
    for (const item of dataset.items) items.push({ id: item.id, cassette: await readItem(folder, item) });
    const own = await ownModels(system, options.system, options.modelScript);
    const lines: ResultLine[] = [];
    try {
      const { runs } = options;
      const tell = (line: ResultLine): void => {
        lines.push(line);
        if (!options.json && line.result !== "pass") say(lineText(line));
      };
      const summary = await evaluate({ system, models: own.models }, { dataset, items, checks, runs, change: changesOf(options), tell });
      if (options.out !== undefined) await writeFile(options.out, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
      say(options.json ? JSON.stringify(summary) : summaryText(summary));
      context.done(summary.passed ? EXIT.ok : EXIT.failed);
    } finally {
      await own.stop();
    }
  });
}

function lineText({ item, run, kind, check, result, score, detail }: ResultLine): string {
  const what = result === "fail" ? coloured("red", "FAIL") : result === "unscored" ? coloured("yellow", "unscored") : `${score ?? ""}`;
  return `${what} ${oneLine(item)} (run ${run}): ${kind} ${oneLine(check)}${detail === undefined ? "" : `: ${oneLine(detail)}`}`;
}

function summaryText({ dataset, version, items, runs, gates, judges, modelCalls, usd, passed }: EvaluationSummary): string {
  const { passed: good, failed, unscored } = gates;
  const spent = `${counted(modelCalls, "model call")} for ${usd} US dollars`;
  return [
    `Dataset ${dataset}, version ${version}: ${counted(items, "item")}, ${counted(runs, "run")} of each; ${spent}.`,
    `Gates: ${good} passed, ${failed} failed, ${unscored} unscored.`,
    ...judges.map(({ name, scores, unscored: lost, meanMin }) => {
      const told =
        scores === undefined
          ? "no score"
          : `${scores.mean.toFixed(2)} (95 %: ${scores.low.toFixed(2)} to ${scores.high.toFixed(2)}, ${scores.count} scores)`;
      return `Judge ${oneLine(name)}: ${told}, ${lost} unscored${meanMin === undefined ? "; no gate" : `; at least ${meanMin}`}.`;
    }),
    passed ? coloured("green", "Passed.") : coloured("red", "Not passed."),
  ].join("\n");
}
