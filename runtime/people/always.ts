/**
 * @module The rules that a request offers for "always": conditions over `input`, made from the arguments that a person sees. Pure.
 *
 * Each rule holds only for inputs with the same fields: no arguments are not any arguments, and a field that the person did not see is
 * not let through. Numbers may only be smaller. What lists and objects hold stays as it is.
 */
import { holds } from "../condition/condition.ts";
import { isFault, type Json } from "../faults.ts";
import { isUntrusted, type Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { isObject } from "../shape.ts";
import type { RuleDraft } from "./request.ts";

/** The call that a person is asked about. */
export interface AlwaysFacts {
  readonly tool: string;
  readonly input: Json;
  readonly label: Label;
}

/** A text with that many words is taken for prose, which names nothing. */
const PROSE_WORDS_MIN = 4;
/** A longer text names nothing. */
const NAME_CHARS_MAX = 200;

type Fields = Readonly<Record<string, Json>>;
type Treatment = "same" | "up to" | "any";

/** Returns up to LIMITS.alwaysRulesMax rules, the narrowest first. A rule about untrusted text leaves no text open. */
export function alwaysDrafts({ tool, input, label }: AlwaysFacts): readonly RuleDraft[] {
  const exact = { about: "exactly this input", when: `input == ${JSON.stringify(input)}` };
  return [exact, ...(isObject(input) ? widerOf(input, tool, isUntrusted(label)) : [])]
    .filter(({ when }, index, all) => holdsFor(when, input) && all.findIndex((one) => one.when === when) === index)
    .slice(0, LIMITS.alwaysRulesMax);
}

function widerOf(input: Fields, tool: string, isBound: boolean): RuleDraft[] {
  if (isBound) return draftOf(input, boundedTreatment, "");
  return [...draftOf(input, namedTreatment, ""), ...draftOf(input, openTreatment, `any ${tool} `)];
}

/** None if all is the same, because the exact rule says that. */
function draftOf(input: Fields, treat: (value: Json) => Treatment, what: string): RuleDraft[] {
  const names = Object.keys(input).sort();
  const treated = names.map((name) => ({ name, value: input[name] ?? null, treatment: treat(input[name] ?? null) }));
  if (treated.every(({ treatment }) => treatment === "same")) return [];
  const conditions = treated.map(({ name, value, treatment }) => conditionOf(`input[${JSON.stringify(name)}]`, value, treatment));
  const named = (wanted: Treatment, text: (name: string, value: Json) => string): string[] =>
    treated.filter(({ treatment }) => treatment === wanted).map(({ name, value }) => text(name, value));
  const same = named("same", (name) => name);
  const parts = [
    ...(same.length === 0 ? [] : [`the same ${same.join(", ")}`]),
    ...named("up to", (name, value) => `${name} up to ${String(value)}`),
    ...named("any", (name) => `any ${name}`),
  ];
  return [{ about: `${what}with ${parts.join(", ")}`, when: [`size(input) == ${names.length}`, ...conditions].join(" && ") }];
}

function conditionOf(path: string, value: Json, treatment: Treatment): string {
  if (treatment === "same") return `${path} == ${JSON.stringify(value)}`;
  return treatment === "any" ? `has(${path})` : `${path} >= 0 && ${path} <= ${JSON.stringify(value)}`;
}

/** Numbers up to this one, all else the same. */
function boundedTreatment(value: Json): Treatment {
  return typeof value === "number" && value >= 0 ? "up to" : "same";
}

/** As {@link boundedTreatment}, and prose is open. */
function namedTreatment(value: Json): Treatment {
  return typeof value === "string" && isProse(value) ? "any" : boundedTreatment(value);
}

/** Numbers up to this one, other plain values open. */
function openTreatment(value: Json): Treatment {
  return typeof value === "string" || typeof value === "boolean" ? "any" : boundedTreatment(value);
}

function isProse(text: string): boolean {
  return text.length > NAME_CHARS_MAX || text.split(/\s+/).filter((word) => /\p{Ll}/u.test(word)).length >= PROSE_WORDS_MIN;
}

/** A rule that cannot be read, such as one that is too long, is not offered. */
function holdsFor(when: string, input: Json): boolean {
  try {
    return holds(when, { input });
  } catch (error) {
    if (!isFault(error)) throw error;
    return false;
  }
}
