/** @module Evaluates a dataset: each item is forked from its start, and the forked run is scored. */
import { entryOf } from "../../runtime/entries.ts";
import { canonicalJson, plainJson } from "../../runtime/canonical.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { FROM_START, RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import type { Checks } from "../../runtime/evaluation/checks.ts";
import type { Dataset } from "../../runtime/evaluation/dataset.ts";
import { type EvaluationSummary, type ResultLine, summaryOf } from "../../runtime/evaluation/results.ts";
import { score } from "../../runtime/evaluation/score.ts";
import { faultFrom, isFault } from "../../runtime/faults.ts";
import type { ForkWanted } from "../../runtime/cassette/diff.ts";
import { fork, type Forked, type ForkParts } from "./fork.ts";
import { judged } from "./judge.ts";

/** What is evaluated. */
export interface EvaluationOptions {
  readonly dataset: Pick<Dataset, "name" | "version">;
  readonly items: readonly { readonly id: string; readonly cassette: Cassette }[];
  readonly checks: Checks;
  /** How often each item is forked. */
  readonly runs: number;
  /** The model, the version of the prompt, and the budget of each fork. */
  readonly change: Omit<ForkWanted, "at" | "input">;
  /** Called with each line as it is known. */
  readonly tell: (line: ResultLine) => void;
}

/** Evaluates a dataset, one item after another. @throws `model.unknown`, `prompt.unknown` */
export async function evaluate(parts: ForkParts, options: EvaluationOptions): Promise<EvaluationSummary> {
  const { dataset, items, checks, runs, change } = options;
  const lines: ResultLine[] = [];
  let [modelCalls, usd] = [0, 0];
  for (const { id, cassette } of items)
    for (let run = 1; run <= runs; run += 1) {
      const forked = await forkedItem(parts, cassette, change);
      const { report } = forked;
      const at = { dataset: dataset.name, version: dataset.version, item: id, run, model: change.model, prompt: change.prompt };
      const cost = { status: report?.status ?? "refused", modelCalls: report?.modelCalls ?? 0, usd: report?.usd ?? 0 };
      modelCalls += cost.modelCalls;
      usd += cost.usd;
      for (const line of await linesOf(parts, forked, cassette, { checks, item: id, run })) {
        const full: ResultLine = { ...at, ...cost, ...line };
        lines.push(full);
        options.tell(full);
      }
    }
  return summaryOf(lines, { dataset: dataset.name, version: dataset.version, items: items.length, runs, modelCalls, usd }, checks.judges);
}

type Run = (Forked & { readonly refused?: undefined }) | { readonly report?: undefined; readonly refused: string };

/** Forks an item. An item that the system does not take cannot be scored; a wrong model or prompt is a fault of the evaluation. */
async function forkedItem(parts: ForkParts, cassette: Cassette, change: EvaluationOptions["change"]): Promise<Run> {
  try {
    return await fork(parts, { ...change, cassette, at: FROM_START });
  } catch (error) {
    if (isFault(error) && (error.code === "model.unknown" || error.code === "prompt.unknown")) throw error;
    const { code, message } = faultFrom(error, "turn.failed");
    return { refused: `${code}: ${message}` };
  }
}

type OwnPart = Pick<ResultLine, "kind" | "check" | "result" | "score" | "detail">;

async function linesOf(
  { models }: ForkParts,
  run: Run,
  cassette: Cassette,
  { checks, item, run: count }: { readonly checks: Checks; readonly item: string; readonly run: number },
): Promise<OwnPart[]> {
  const gates = [...checks.gates, ...(entryOf(checks.items, item) ?? [])];
  const lines = gates.map((check): OwnPart => {
    const said = { kind: "gate" as const, check: canonicalJson(plainJson(check)) };
    if (run.report === undefined) return { ...said, result: "unscored", detail: run.refused };
    const { status, code = "" } = run.report;
    const fits = status === "completed" || status === "partial" ? true : code.startsWith("schema.") ? false : undefined;
    return { ...said, ...score(check, { ...run, fits }) };
  });
  for (const judge of checks.judges)
    for (let time = 1; time <= judge.runs; time += 1) {
      const output = run.report?.output;
      const given = { input: new RecordedRun(cassette, FROM_START).input, output: output ?? null, key: `${item}/${count}/${time}` };
      const verdict = output === undefined ? { detail: "there is no output" } : await judged(models, judge, given);
      lines.push({ kind: "judge", check: judge.name, ...verdict, ...("score" in verdict ? {} : { result: "unscored" }) });
    }
  return lines;
}
