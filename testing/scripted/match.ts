/** @module Finds the rule of a script for a request. Pure. */
import type { Json } from "../../runtime/faults.ts";
import type { Asked } from "./request.ts";
import { type Condition, regexOf, type Reply, type Script, type ScriptRule } from "./script.ts";

/** Characters of a message that an error repeats. */
const ECHO_CHARS = 300;

/** The rule that matches, and its reply for this call. */
export interface Match {
  readonly rule: ScriptRule;
  readonly reply: Reply;
}

/** No rule matches a request. */
export class UnmatchedError extends Error {}

/** Returns the first rule that matches. @throws UnmatchedError that names the request's last message and the script's file */
export function matchRule(script: Script, asked: Asked, attempt: number): Match {
  const misses: Miss[] = [];
  for (const rule of script.rules) {
    const reply = rule.reply ?? rule.replies?.[asked.call - 1];
    const missed = missedOf(rule.when ?? {}, asked, attempt);
    if (reply === undefined) missed.push(`call (it has replies for ${rule.replies?.length ?? 0} calls)`);
    else if (missed.length === 0) return { rule, reply };
    misses.push({ rule, missed });
  }
  throw new UnmatchedError(unmatchedText(script, asked, misses));
}

interface Miss {
  readonly rule: ScriptRule;
  readonly missed: readonly string[];
}

function unmatchedText(script: Script, asked: Asked, misses: readonly Miss[]): string {
  const last = asked.messages.at(-1);
  const text = last === undefined ? "" : last.text.length <= ECHO_CHARS ? last.text : `${last.text.slice(0, ECHO_CHARS)}...`;
  const closest = misses.toSorted((one, other) => one.missed.length - other.missed.length)[0];
  const near = closest === undefined ? "" : `; the closest is ${closest.rule.place}, which differs in: ${closest.missed.join(", ")}`;
  const who = asked.agent === undefined ? "" : ` of agent ${asked.agent}`;
  return (
    `no rule of ${script.file} matches call ${asked.call}${who} to model ${asked.model}, ` +
    `whose last message (${last?.role ?? "none"}) is ${JSON.stringify(text)}${near}`
  );
}

/** The parts of a condition that do not match. */
function missedOf(when: Condition, asked: Asked, attempt: number): string[] {
  const { model, agent, instructions, user, input, call, tools, results, missing, choice } = when;
  const checks: readonly (readonly [name: string, matches: boolean])[] = [
    ["model", model === undefined || model === asked.model],
    ["agent", agent === undefined || agent === asked.agent],
    ["instructions", instructions === undefined || holds(asked.instructions, instructions)],
    ["user", user === undefined || holds(asked.user, user)],
    ["input", input === undefined || fits(asked.input, input)],
    ["call", call === undefined || isCounted(asked.call, call)],
    ["tools", tools === undefined || tools.every((tool) => asked.tools.includes(tool))],
    ["results", results === undefined || hasResults(asked.results, results)],
    ["missing", missing === undefined || !missing.some((tool) => asked.results.has(tool))],
    ["choice", choice === undefined || choice === asked.choice],
    ["attempt", when.attempt === undefined || isCounted(attempt, when.attempt)],
  ];
  return checks.flatMap(([name, matches]) => (matches ? [] : [name]));
}

function holds(text: string, pattern: string): boolean {
  return regexOf(pattern)?.test(text) ?? text.includes(pattern);
}

/** Whether a value has all that is expected of it. Objects may have further keys; a text may be a regular expression. */
function fits(value: Json, expected: Json): boolean {
  if (typeof expected === "string") {
    const regex = regexOf(expected);
    if (regex === undefined) return value === expected;
    return regex.test(typeof value === "string" ? value : JSON.stringify(value));
  }
  if (typeof expected !== "object" || expected === null) return value === expected;
  if (typeof value !== "object" || value === null || Array.isArray(value) !== Array.isArray(expected)) return false;
  const entries: readonly (readonly [string, Json])[] = Object.entries(expected);
  const values = new Map<string, Json>(Object.entries(value));
  if (Array.isArray(expected) && values.size !== entries.length) return false;
  return entries.every(([key, item]) => {
    const found = values.get(key);
    return found !== undefined && fits(found, item);
  });
}

function hasResults(results: ReadonlyMap<string, Json>, expected: NonNullable<Condition["results"]>): boolean {
  if (Array.isArray(expected)) return expected.every((tool) => results.has(tool));
  return Object.entries(expected).every(([tool, value]) => {
    const found = results.get(tool);
    return found !== undefined && fits(found, value);
  });
}

function isCounted(count: number, expected: NonNullable<Condition["call"]>): boolean {
  if (typeof expected === "number") return count === expected;
  return count >= (expected.min ?? 1) && count <= (expected.max ?? Number.POSITIVE_INFINITY);
}
