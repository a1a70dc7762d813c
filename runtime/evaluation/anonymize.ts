/**
 * @module Replaces personal data and secrets in a cassette by placeholders, the same text by the same one everywhere, so that calls are
 * found by their arguments as before. Pure.
 *
 * What is replaced: the contents of fields with certain names, the same contents in other places, and texts of certain forms.
 */
import { hashJson } from "../canonical.ts";
import type { Cassette } from "../cassette/cassette.ts";
import { Contents } from "../cassette/contents.ts";
import type { Json } from "../faults.ts";

/** Which texts are replaced. */
export interface AnonymizeRules {
  /** Names of fields, without regard to case, `-` and `_`. */
  readonly fields: readonly string[];
  /** Forms of texts, by the name of their placeholders. */
  readonly patterns: Readonly<Record<string, RegExp>>;
}

/** Fields whose contents are personal or secret in most systems, and forms of addresses, numbers and keys. */
export const ANONYMIZE_DEFAULT: AnonymizeRules = {
  fields: [
    ...["password", "passwd", "secret", "token", "apiKey", "accessToken", "refreshToken", "authorization", "cookie"],
    ...["email", "phone", "mobile", "ssn", "iban", "cardNumber", "firstName", "lastName", "fullName", "birthDate"],
  ],
  patterns: {
    email: /[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/g,
    key: /\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA|eyJ)[A-Za-z0-9_.-]{16,}|\bBearer [A-Za-z0-9._~+/-]{16,}=*/g,
    iban: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b/g,
    card: /(?<![\w-])\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}(?![\w-])/g,
    phone: /(?<![\w.-])(?:\+\d{1,3}[ ./-]?|\(?0)\d{1,4}\)?(?:[ ./-]?\d{2,4}){2,4}(?![\w-])/g,
  },
};

/** A cassette without what the rules name. */
export interface Anonymized {
  readonly cassette: Cassette;
  /** Texts that were replaced. */
  readonly replaced: number;
  /** Its model requests are the same as before, so it can be replayed. A fork from the start does not need that. */
  readonly replays: boolean;
  /** Calls whose arguments are in no record, so that they may not be found again after the replacement. */
  readonly unknown: readonly string[];
}

/** Shorter contents of named fields are not replaced: they would be found in too many texts. */
const REPLACED_CHARS_MIN = 2;

/** Replaces what the rules name. */
export function anonymize(cassette: Cassette, rules: AnonymizeRules = ANONYMIZE_DEFAULT): Anonymized {
  const names = new Placeholders(rules);
  const { slips, texts } = contentsOf(cassette);
  names.collect(texts as unknown as Json);
  if (names.count === 0) return { cassette, replaced: 0, replays: true, unknown: [] };
  const hashes = new Map<string, string>();
  const { known, unknown } = argumentsOf(cassette);
  for (const input of known) {
    const [before, after] = [hashJson(input), hashJson(names.rewritten(input))];
    if (before !== after) hashes.set(before, after);
  }
  const rewritten = new Hashes(hashes).in(names.rewritten(texts as unknown as Json, ROOT)) as unknown as Cassette;
  const hasModels = cassette.processes.some(({ works }) => works.some(({ work }) => (work.modelCalls ?? []).length > 0));
  const kept = { ...rewritten, values: { ...rewritten.values, ...slips } };
  return { cassette: kept, replaced: names.count, replays: !hasModels && unknown.length === 0, unknown };
}

/** Slips and schemas hold names of fields, and no text of a user. */
function contentsOf(cassette: Cassette): { readonly slips: Record<string, Json>; readonly texts: Cassette } {
  const refs = new Set<string>();
  const look = (part: Json | undefined): void => {
    if (typeof part !== "object" || part === null) return;
    if (!Array.isArray(part))
      for (const name of ["slip", "schema"]) {
        const value = (part as Readonly<Record<string, Json>>)[name];
        if (isObject(value ?? null) && typeof (value as { readonly ref?: Json }).ref === "string")
          refs.add(String((value as { readonly ref?: Json }).ref));
      }
    for (const item of Object.values(part) as (Json | undefined)[]) look(item);
  };
  look(cassette.processes as unknown as Json);
  const entries = Object.entries(cassette.values);
  return {
    slips: Object.fromEntries(entries.filter(([ref]) => refs.has(ref))),
    texts: { ...cassette, values: Object.fromEntries(entries.filter(([ref]) => !refs.has(ref))) },
  };
}

/** Inputs that a record names by their hash, and keys of those that are in no record. */
function argumentsOf(cassette: Cassette): { readonly known: readonly Json[]; readonly unknown: readonly string[] } {
  const contents = new Contents([cassette]);
  const known: Json[] = [];
  const looked: { readonly call: string; readonly hash: string }[] = [];
  for (const { work } of cassette.processes.flatMap(({ works }) => works)) {
    for (const { key, tool, input } of work.calls) {
      const found = contents.argumentsOf(key, input);
      known.push(found);
      looked.push({ call: `${work.id}/${key}`, hash: key.slice(tool.length + 1, key.lastIndexOf("/")) });
    }
    for (const { for: wanted } of work.waits) {
      if (wanted.kind === "agent") known.push(contents.read(wanted.input));
      if (wanted.kind === "person") known.push(inputIn(contents.read(wanted.ask.content)));
    }
  }
  for (const event of cassette.processes.flatMap(({ records }) => records.flatMap(({ events }) => events)))
    if (event.e === "wait-begun" && event.wait.for.kind === "person") known.push(inputIn(contents.read(event.wait.for.content)));
  // A person may have changed the arguments; then the key has the hash of what the person was asked about.
  const hashes = new Set(known.map((input) => hashJson(input).slice(0, SHORT_HASH_CHARS)));
  return { known, unknown: looked.filter(({ hash }) => !hashes.has(hash)).map(({ call }) => call) };
}

function inputIn(content: Json): Json {
  return isObject(content) ? (content["input"] ?? null) : null;
}

/** The texts that are replaced, and by what. */
class Placeholders {
  readonly #fields: ReadonlySet<string>;
  readonly #patterns: readonly (readonly [kind: string, pattern: RegExp])[];
  readonly #by = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #all: RegExp | undefined;

  constructor({ fields, patterns }: AnonymizeRules) {
    this.#fields = new Set(fields.map(plainName));
    this.#patterns = Object.entries(patterns);
  }

  get count(): number {
    return this.#by.size;
  }

  /** Looks for texts that are to be replaced. */
  collect(content: Json, at: Place = ROOT, isNamed = false): void {
    if (typeof content === "string") return at === "content" ? this.#collectText(content, isNamed) : undefined;
    if (Array.isArray(content)) return content.forEach((item) => this.collect(item, at, isNamed));
    if (!isObject(content)) return;
    for (const [name, item] of Object.entries(content)) {
      const next = within(at, name);
      if (item === undefined || next === "kept") continue;
      this.collect(item, next, isNamed || (next === "content" && this.#fields.has(plainName(name))));
    }
  }

  #collectText(text: string, isNamed: boolean): void {
    const inner = innerJson(text);
    if (inner !== undefined) return this.collect(inner, "content", isNamed);
    for (const [kind, pattern] of this.#patterns) for (const [found] of text.matchAll(pattern)) this.#name(found, kind);
    if (isNamed && text.length >= REPLACED_CHARS_MIN && !this.#by.has(text)) this.#name(text, "text");
  }

  #name(text: string, kind: string): void {
    if (this.#by.has(text)) return;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    this.#by.set(text, placeholder(kind, number));
    this.#all = undefined;
  }

  /** The content with placeholders. */
  rewritten(content: Json, at: Place = "content"): Json {
    if (typeof content === "string") return at === "content" ? this.#rewrittenText(content) : content;
    if (Array.isArray(content)) return content.map((item) => this.rewritten(item, at));
    if (!isObject(content)) return content;
    const parts = Object.entries(content).map(([name, item]): readonly [string, Json] => {
      const next = within(at, name);
      return [name, item === undefined || next === "kept" ? item : this.rewritten(item, next)];
    });
    return Object.fromEntries(parts);
  }

  #rewrittenText(text: string): string {
    const inner = innerJson(text);
    if (inner !== undefined) {
      const next = this.rewritten(inner);
      return hashJson(next) === hashJson(inner) ? text : JSON.stringify(next);
    }
    this.#all ??= new RegExp(
      [...this.#by.keys()]
        .sort((a, b) => b.length - a.length)
        .map(asPattern)
        .join("|"),
      "g",
    );
    return text.replace(this.#all, (found) => this.#by.get(found) ?? found);
  }
}

/** Where a part of a cassette stands: in a record, in a content, or in what is kept as it is. */
type Place = "root" | "record" | "content" | "kept";
const ROOT: Place = "root";

/** Fields of records that may hold texts of users beside contents. */
const TEXTS: ReadonlySet<string> = new Set(["message", "details", "cause", "reason", "reasons", "subject", "by", "label"]);
/** Parts of contents with names of fields instead of texts. */
const SCHEMAS: ReadonlySet<string> = new Set(["inputSchema", "outputSchema"]);

function within(at: Place, name: string): Place {
  if (at === "content") return SCHEMAS.has(name) ? "kept" : at;
  if (at === "root") return name === "values" ? "content" : name === "processes" ? "record" : "kept";
  return name === "json" || TEXTS.has(name) ? "content" : "record";
}

/** A placeholder of the same form, so that it fits where the text stood. */
function placeholder(kind: string, number: number): string {
  switch (kind) {
    case "email":
      return `person${number}@example.invalid`;
    case "phone":
      return `+1 555 ${String(number).padStart(PHONE_DIGITS, "0")}`;
    case "card":
      return `0000 0000 0000 ${String(number).padStart(CARD_DIGITS, "0")}`;
    default:
      return `${kind}-${number}`;
  }
}

const PHONE_DIGITS = 7;
const CARD_DIGITS = 4;
const SHORT_HASH_CHARS = 16;

/** Puts the hashes of what was rewritten in the place of the hashes of what it was. */
class Hashes {
  readonly #full: ReadonlyMap<string, string>;
  readonly #short: ReadonlyMap<string, string>;

  constructor(hashes: ReadonlyMap<string, string>) {
    this.#full = hashes;
    this.#short = new Map([...hashes].map(([before, after]) => [before.slice(0, SHORT_HASH_CHARS), after.slice(0, SHORT_HASH_CHARS)]));
  }

  in(content: Json, at: Place = ROOT, name = ""): Json {
    if (at === "content") return content;
    if (typeof content === "string") return name === "key" || name === "hash" ? this.#text(content) : content;
    if (Array.isArray(content)) return content.map((item) => this.in(item, at, name));
    if (!isObject(content)) return content;
    const parts = Object.entries(content).map(([field, item]): readonly [string, Json] => {
      const next = within(at, field);
      return [field, item === undefined ? item : this.in(item, next, field)];
    });
    return Object.fromEntries(parts);
  }

  #text(text: string): string {
    const parts = text.split("/").map((part) => this.#short.get(part) ?? part);
    return this.#full.get(text) ?? parts.join("/");
  }
}

/** A text as a pattern that finds it as a word. */
function asPattern(text: string): string {
  const own = text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
  return `${/^\w/.test(text) ? "(?<!\\w)" : ""}${own}${/\w$/.test(text) ? "(?!\\w)" : ""}`;
}

/** What a text that holds an object or a list holds. */
function innerJson(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

function isObject(content: Json): content is { readonly [name: string]: Json } {
  return typeof content === "object" && content !== null && !Array.isArray(content);
}
