/** @module The results of an evaluation: one line for each item, run and check, and their sum. Pure. */
import { z } from "zod";
import type { Judge } from "./checks.ts";
import { type Mean, meanOf } from "./interval.ts";

/** One line of a results file. */
export const ResultLine = z.object({
  dataset: z.string(),
  version: z.int(),
  item: z.string(),
  run: z.int().positive(),
  kind: z.enum(["gate", "judge"]),
  /** The check as its file says it; of a judge its name. */
  check: z.string(),
  result: z.enum(["pass", "fail", "unscored"]).optional().describe("Of a gate; of a judge only `unscored`."),
  score: z.number().min(0).max(1).optional().describe("Of a judge."),
  detail: z.string().optional(),
  status: z.string().describe("Of the forked run."),
  modelCalls: z.int().nonnegative(),
  usd: z.number().nonnegative(),
  model: z.string().optional(),
  prompt: z.string().optional(),
});
/** One line of a results file. */
export type ResultLine = z.infer<typeof ResultLine>;

/** The sum of an evaluation. */
export interface EvaluationSummary {
  readonly dataset: string;
  readonly version: number;
  readonly items: number;
  readonly runs: number;
  readonly gates: { readonly passed: number; readonly failed: number; readonly unscored: number };
  readonly judges: readonly {
    readonly name: string;
    readonly scores: Mean | undefined;
    readonly unscored: number;
    readonly meanMin?: number | undefined;
  }[];
  readonly modelCalls: number;
  readonly usd: number;
  /** No gate failed, at least one was scored, and each judge that is a gate has its mean. */
  readonly passed: boolean;
}

/** The sum of the lines of an evaluation. Each run counts once for its cost. */
export function summaryOf(
  lines: readonly ResultLine[],
  about: Pick<EvaluationSummary, "dataset" | "version" | "items" | "runs" | "modelCalls" | "usd">,
  judges: readonly Judge[],
): EvaluationSummary {
  const gates = lines.filter(({ kind }) => kind === "gate");
  const count = (result: ResultLine["result"]): number => gates.filter((line) => line.result === result).length;
  const [passed, failed, unscored] = [count("pass"), count("fail"), count("unscored")];
  const told = judges.map(({ name, meanMin }) => {
    const own = lines.filter(({ kind, check }) => kind === "judge" && check === name);
    const scores = meanOf(own.flatMap(({ score }) => score ?? []));
    return { name, scores, unscored: own.filter(({ score }) => score === undefined).length, meanMin };
  });
  const judged = told.every(({ scores, meanMin }) => meanMin === undefined || (scores !== undefined && scores.mean >= meanMin));
  const hasGates = passed > 0 || (gates.length === 0 && told.some(({ scores }) => scores !== undefined));
  return { ...about, gates: { passed, failed, unscored }, judges: told, passed: failed === 0 && judged && hasGates };
}
