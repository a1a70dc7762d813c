/**
 * @module Whether the claims of an answer stand in its evidence: in what the prompts of its run held from others. Pure.
 *
 * Evidence is the instructions, the input, facts of the memory and results of calls. What the model itself wrote is none: neither its
 * earlier replies, nor what it was told about them, nor a summary that it made. A claim that is computed or paraphrased from evidence can
 * be without evidence by this rule, and one that a tool only repeats from its arguments has some. What entailment by a model adds to
 * such a check: Es et al., "RAGAS: Automated Evaluation of Retrieval Augmented Generation", 2023, faithfulness.
 */
import type { Json } from "../faults.ts";
import { type Claim, type ClaimKind, claimsOf, numbersIn, valuesOf } from "./claims.ts";

/** Which claims of answers are checked, and what happens with an answer that has claims without evidence. */
export interface Grounding {
  readonly kinds: readonly ClaimKind[];
  /** `refuse`: the model is told, as of an answer that does not fit. `count`: they are only counted. */
  readonly onUngrounded: "refuse" | "count";
}

/** What was found in an answer. */
export interface Grounded {
  /** Number of claims. */
  readonly claims: number;
  readonly ungrounded: readonly Claim[];
}

/** Looks for the claims of an answer in the evidence. The cost is that of reading the evidence once, and nothing if there is no claim. */
export function groundedIn(answer: Json, evidence: readonly string[], kinds: readonly ClaimKind[]): Grounded {
  const claims = claimsOf(answer, kinds);
  if (claims.length === 0) return { claims: 0, ungrounded: [] };
  const written = evidence.join("\n");
  const text = plain(written.includes("\\") ? `${written}\n${unescaped(written)}` : written);
  const numbers = numbersIn(text);
  return { claims: claims.length, ungrounded: claims.filter((claim) => !stands(claim, text, numbers)) };
}

function stands({ kind, text }: Claim, evidence: string, numbers: ReadonlySet<number>): boolean {
  switch (kind) {
    case "number":
      return valuesOf(text).some((value) => hasNumber(value, decimalsOf(text), numbers));
    case "date":
      return hasDate(text, evidence, numbers);
    case "id":
    case "address":
      return hasWord(plain(text), evidence);
    case "link":
      return evidence.includes(plain(text).replace(/\/$/, ""));
    case "quote":
      return evidence.includes(plain(text).replace(/[.,;:!?]+$/, ""));
  }
}

/** As the texts are compared: in lower case, white space as one space. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[’‘]/g, "'").toLowerCase();
}

/** Without the escapes of JSON strings: evidence is often JSON, and answers say what it means. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(u[0-9a-f]{4}|.)/gi, (_found, escape: string) => (/^[bfnrtu]/.test(escape) ? " " : escape));
}

function decimalsOf(text: string): number {
  const at = text.search(/[.,]\d+$/);
  return at === -1 ? 0 : text.length - at - 1;
}

/** The number, or one that it is a rounding of, or a hundredfold or hundredth: shares are written as percent, amounts in cents. */
function hasNumber(value: number, decimals: number, numbers: ReadonlySet<number>): boolean {
  if (numbers.has(value) || numbers.has(value / 100) || numbers.has(Math.round(value * 100))) return true;
  const half = 0.5 * 10 ** -decimals;
  for (const number of numbers) if (!Number.isInteger(number) && Math.abs(number - value) <= half) return true;
  return false;
}

/** The day as it is written, or its year and its day among the numbers: months are written in many ways. */
function hasDate(text: string, evidence: string, numbers: ReadonlySet<number>): boolean {
  const day = text.slice(0, "2026-01-31".length);
  const [year = "", , date = ""] = day.split("-");
  return evidence.includes(day) || (numbers.has(Number(year)) && numbers.has(Number(date)));
}

/** Whether a word stands in a text, not as a part of a longer one. */
function hasWord(word: string, text: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1))
    if (!isOfWord(text[at - 1]) && !isOfWord(text[at + word.length])) return true;
  return false;
}

function isOfWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
