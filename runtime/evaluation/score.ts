/** @module Scores a forked run by the checks of a dataset. What cannot be scored is neither passed nor failed. Pure. */
import type { Cassette } from "../cassette/cassette.ts";
import type { ForkReport } from "../cassette/diff.ts";
import { type RunNode, runTree } from "../cassette/run-nodes.ts";
import { canonicalJson } from "../canonical.ts";
import type { Json } from "../faults.ts";
import { MICROS_PER_USD, usedOf } from "../budget.ts";
import { addWorkFacts, type WorkFacts } from "../summary.ts";
import { counted } from "../units.ts";
import type { Check } from "./checks.ts";

/** How one check ended. */
export interface Scored {
  readonly result: "pass" | "fail" | "unscored";
  readonly detail?: string | undefined;
}

/** A run that is scored. */
export interface ScoredRun {
  readonly report: ForkReport;
  readonly cassette: Cassette;
  /** Whether the output fits the schema of the route; undefined: the run has none. */
  readonly fits: boolean | undefined;
}

const NOT_CHECKED = "no claim was checked: no answer has one, or no model agent has the option grounding";
const PASS: Scored = { result: "pass" };

/** Scores a run by one check. */
export function score(check: Check, run: ScoredRun): Scored {
  const { report } = run;
  const calls = callsOf(run);
  const tree = runTree(run.cassette);
  const isWhole = report.status !== "unrecorded" && report.status !== "stopped" && report.status !== "open";
  const whole = (result: () => Scored): Scored => (isWhole ? result() : unscored(run));
  const count = (what: string, found: number, max: number | undefined): Scored | undefined =>
    max !== undefined && found > max ? fail(`${found} ${what}, at most ${max}`) : undefined;
  switch (check.check) {
    case "outcome":
      return whole(() =>
        report.status === check.is ? PASS : fail(`${report.status}${report.code === undefined ? "" : `: ${report.code}`}`),
      );
    case "schema":
      return whole(() => (run.fits === true ? PASS : fail(run.fits === false ? "the output does not fit" : `${report.status}: no output`)));
    case "called": {
      const found = calls.filter((call) => isSuch(call, check)).length;
      if (check.max !== undefined && found > check.max) return fail(`called ${found} times, at most ${check.max}`);
      // What follows where the run stopped is unknown, and more calls could only come.
      if (found >= check.min && (check.max === undefined || isWhole)) return PASS;
      return whole(() => fail(`called ${found} times, at least ${check.min}`));
    }
    case "not-called": {
      const found = calls.find((call) => isSuch(call, check));
      return found === undefined ? whole(() => PASS) : fail(`called with ${JSON.stringify(found.input)}`);
    }
    case "order":
      return inOrder(check.names, calls) ? PASS : whole(() => fail(`called ${calls.map(({ name }) => name).join(", ")}`));
    case "calls-max": {
      const { modelCalls, toolCalls } = usedOf(tree.spent);
      return count("model calls", modelCalls, check.models) ?? count("tool calls", toolCalls, check.tools) ?? whole(() => PASS);
    }
    case "budget": {
      const { tokens, costMicros } = usedOf(tree.spent);
      return count("tokens", tokens, check.tokens) ?? count("US dollars", costMicros / MICROS_PER_USD, check.usd) ?? whole(() => PASS);
    }
    case "path":
      return whole(() => atPath(check, report.output));
    case "grounded": {
      const works = run.cassette.processes.flatMap((process) => process.works);
      const { claims = 0, ungrounded = 0 } = works.reduce<WorkFacts>((sum, { work }) => addWorkFacts(sum, work.facts ?? {}), {});
      if (ungrounded > 0) return fail(`${counted(ungrounded, "claim")} without evidence`);
      return whole(() => (claims > 0 ? PASS : { result: "unscored", detail: NOT_CHECKED }));
    }
  }
}

function fail(detail: string): Scored {
  return { result: "fail", detail };
}

function unscored({ report: { status, unrecorded, code } }: ScoredRun): Scored {
  const where = unrecorded === undefined ? (code ?? "") : `${unrecorded.what} ${unrecorded.name} of ${unrecorded.agent}`;
  return { result: "unscored", detail: `${status}: ${where}` };
}

interface MadeCall {
  readonly name: string;
  readonly input: Json | undefined;
}

/** The tools and agents that were called, also the call at which the run stopped. */
function callsOf({ cassette, report: { unrecorded } }: ScoredRun): readonly MadeCall[] {
  const found: MadeCall[] = [];
  const walk = (nodes: readonly RunNode[]): void => {
    for (const { what, name, content, parts } of nodes) {
      if (what === "tool") found.push({ name, input: partOf(content, "arguments") });
      else if (what === "ask" || what === "stop") found.push({ name, input: partOf(content, "input") });
      walk(parts);
    }
  };
  walk(runTree(cassette).nodes);
  if (unrecorded?.what === "tool") found.push({ name: unrecorded.name, input: unrecorded.input });
  return found;
}

function isSuch(
  { name, input }: MadeCall,
  { name: wanted, with: fields }: { readonly name: string; readonly with?: Json | undefined },
): boolean {
  return name === wanted && (fields === undefined || hasParts(input ?? null, fields));
}

/** Whether a content has all parts of another: fields of objects, and equal contents otherwise. */
function hasParts(content: Json, parts: Json): boolean {
  if (!isObject(parts) || !isObject(content)) return canonicalJson(content) === canonicalJson(parts);
  return Object.entries(parts).every(([name, part]) => content[name] !== undefined && hasParts(content[name], part));
}

function inOrder(names: readonly string[], calls: readonly MadeCall[]): boolean {
  let next = 0;
  for (const { name } of calls) if (name === names[next]) next += 1;
  return next === names.length;
}

function atPath({ at, equals, matches }: Extract<Check, { check: "path" }>, output: Json | undefined): Scored {
  let found: Json | undefined = output;
  for (const [, name, index] of at.matchAll(/\.([\w$-]+)|\[(\d+)\]/g)) {
    const key = name ?? index ?? "";
    found = typeof found === "object" && found !== null ? (found as Readonly<Record<string, Json>>)[key] : undefined;
  }
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  if (equals !== undefined && (found === undefined || canonicalJson(found) !== canonicalJson(equals))) return fail(`${at} is ${shown}`);
  if (matches !== undefined && !(typeof found === "string" && new RegExp(matches, "u").test(found))) return fail(`${at} is ${shown}`);
  return found === undefined ? fail(`${at} is nothing`) : PASS;
}

function partOf(content: Json, name: string): Json | undefined {
  return isObject(content) ? content[name] : undefined;
}

function isObject(content: Json): content is { readonly [name: string]: Json } {
  return typeof content === "object" && content !== null && !Array.isArray(content);
}
