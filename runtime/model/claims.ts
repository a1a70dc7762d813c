/**
 * @module The claims of an answer that can be checked without a model: numbers, dates, ids, links, addresses and quotations. Pure.
 *
 * Names, reasons and judgements are no claims here: a text alone does not say whether they follow from another one.
 */
import { z } from "zod";
import type { Json } from "../faults.ts";
import { LIMITS } from "../limits.ts";

/** What can be checked. `quote`: words between quotation marks. */
export const CLAIM_KINDS = ["number", "date", "id", "link", "address", "quote"] as const;
/** One of {@link CLAIM_KINDS}. */
export type ClaimKind = (typeof CLAIM_KINDS)[number];

/** A claim, as it stands in the answer. */
export interface Claim {
  readonly kind: ClaimKind;
  readonly text: string;
}

/** Claims of an answer, and how many of them are without evidence. Persisted: changing this needs a version bump. */
export const ClaimCounts = z.strictObject({ made: z.int().nonnegative(), ungrounded: z.int().nonnegative() });
export type ClaimCounts = z.infer<typeof ClaimCounts>;

/** Whole numbers up to it count steps, months, stars and list items, and are no claims. */
const SMALL_NUMBER_MAX = 12;
/** Characters of a shorter quotation: a word in quotation marks is no quotation. */
const QUOTE_LENGTH_MIN = 12;

const LINK = /\bhttps?:\/\/[^\s<>"'`)\]}]+/gi;
const ADDRESS = /[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}/g;
const QUOTE = /"([^"\n]{1,1000})"|“([^”\n]{1,1000})”|«([^»\n]{1,1000})»/g;
const DATE = /\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?/g;
/** Letters, digits, and what stands between them in ids and numbers. */
const WORD = /[\p{L}\p{N}](?:(?:[\p{L}\p{N}_\-./#:]|(?<=\d)[,'\u00A0\u202F](?=\d))*[\p{L}\p{N}])?/gu;
/** Digits, with what separates groups of them. */
const NUMBER = /\d+(?:[.,'\u00A0\u202F]\d+)*(?:e[+-]?\d+)?/g;
/** A number with a unit or an ending, such as `40kg`, `2nd` or `10am`. */
const WITH_UNIT = /^\d+(?:[.,]\d+)*\p{L}{1,3}$/u;

/** Claims of these kinds in a value: in its texts and numbers, not in names of properties. Each is listed once, up to a number. */
export function claimsOf(value: Json, kinds: readonly ClaimKind[]): readonly Claim[] {
  const found = new Map<string, Claim>();
  for (const claim of claimsIn(value)) if (kinds.includes(claim.kind)) found.set(`${claim.kind} ${claim.text.toLowerCase()}`, claim);
  return [...found.values()].slice(0, LIMITS.answerClaimsMax);
}

function claimsIn(value: Json): readonly Claim[] {
  if (typeof value === "string") return claimsOfText(value);
  if (typeof value === "number") return numberClaims(String(Math.abs(value)));
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(claimsIn);
}

function claimsOfText(given: string): readonly Claim[] {
  const claims: Claim[] = [];
  let text = given;
  /** What was taken is not looked at again. */
  const take = (kind: ClaimKind, pattern: RegExp, adjusted: (found: string) => string = (found) => found): void => {
    text = text.replace(pattern, (found) => {
      claims.push({ kind, text: adjusted(found) });
      return " ";
    });
  };
  take("link", LINK, (found) => found.replace(/[.,;:!?]+$/, ""));
  take("address", ADDRESS, (found) => found.replace(/[.-]+$/, ""));
  for (const match of text.matchAll(QUOTE)) {
    const quoted = (match[1] ?? match[2] ?? match[3] ?? "").trim();
    if (quoted.length >= QUOTE_LENGTH_MIN && quoted.includes(" ")) claims.push({ kind: "quote", text: quoted });
  }
  take("date", DATE);
  for (const [word] of text.matchAll(WORD)) claims.push(...claimsOfWord(word));
  return claims;
}

/** An id, or the numbers in a word. */
function claimsOfWord(word: string): readonly Claim[] {
  if (!/\d/.test(word)) return [];
  if (/\p{L}/u.test(word) && !WITH_UNIT.test(word)) return [{ kind: "id", text: word }];
  return numberClaims(word);
}

function numberClaims(text: string): readonly Claim[] {
  const found = [...text.matchAll(NUMBER)].map(([number]) => number);
  return found
    .filter((number) => !/^\d+$/.test(number) || Number(number) > SMALL_NUMBER_MAX)
    .map((number) => ({ kind: "number", text: number }));
}

/** What a number in a text can mean: its separators are read both ways. */
export function valuesOf(text: string): readonly number[] {
  const asWritten = Number(text.replaceAll(/[,'\u00A0\u202F]/g, ""));
  const withComma = Number(text.replaceAll(/[.'\u00A0\u202F]/g, "").replace(",", "."));
  return [...new Set([asWritten, withComma])].filter(Number.isFinite);
}

/** All numbers in a text, also those that are parts of ids and dates. */
export function numbersIn(text: string): ReadonlySet<number> {
  const values = new Set<number>();
  for (const [found] of text.matchAll(NUMBER)) {
    // Lists in JSON have no space behind a comma.
    for (const part of [found, ...found.split(/[,'\u00A0\u202F]/)]) for (const value of valuesOf(part)) values.add(value);
    for (const [digits] of found.matchAll(/\d+/g)) values.add(Number(digits));
  }
  return values;
}
