/** @module A cassette without contents: what happened can be read, and what was said cannot. Pure. */
import { textBytes } from "../canonical.ts";
import type { Json } from "../faults.ts";
import type { Cassette } from "./cassette.ts";

/**
 * The cassette with each content in the same shape: texts are replaced by their length, numbers by 0, `true` by `false`. Names of fields
 * stay if they look like names of a program. Ids of actors that are made of contents are numbered.
 */
export function redacted(cassette: Cassette): Cassette {
  const values = Object.fromEntries(Object.entries(cassette.values).map(([ref, content]) => [ref, hidden(content)]));
  const hide = new Hiding(cassette.processes.map(({ id }) => id));
  return { ...cassette, processes: hide.records(cassette.processes) as Cassette["processes"], values, redacted: true };
}

/** Inline contents are under the key `json`. The details of faults may quote them, and reasons too. */
const CONTENTS: ReadonlySet<string> = new Set(["json", "details", "reasons"]);
/** Texts of records that may repeat a content. */
const HIDDEN_TEXTS: ReadonlySet<string> = new Set(["message", "cause", "reason"]);
/** Records under names that a user chose, such as those of stops. */
const NAMED: ReadonlySet<string> = new Set([
  ...["outputs", "labels", "answers", "answerLabels", "failed", "lists", "works", "waits", "checks", "holdings"],
  ...["facts", "costs", "models"],
]);
/** Fields with the id of an actor, or with the name of the store of one. */
const IDS: ReadonlySet<string> = new Set(["actor", "scope", "memory"]);
/** Ids that are made of the ids of work items. */
const DERIVED_ID = /^(t-[0-9a-f]{16}\.)?(work|child)-[0-9a-f]+$/;

/** What is hidden in the records of one cassette. */
class Hiding {
  readonly #own: ReadonlySet<string>;
  readonly #numbers = new Map<string, number>();

  constructor(processes: readonly string[]) {
    this.#own = new Set(processes);
  }

  records(at: unknown): unknown {
    if (Array.isArray(at)) return at.map((one: unknown) => this.records(one));
    if (!isRecord(at)) return at;
    return Object.fromEntries(Object.entries(at).map(([name, value]) => [name, this.#field(name, value)]));
  }

  #field(name: string, value: unknown): unknown {
    if (CONTENTS.has(name)) return hidden(value as Json);
    if (typeof value === "string") return HIDDEN_TEXTS.has(name) ? "" : IDS.has(name) ? this.#id(value) : value;
    if (name === "chain" && Array.isArray(value)) return value.map((link: object) => ({ ...link, input: "" }));
    if (name === "ancestors" && Array.isArray(value))
      return value.map((one: { readonly id: string }) => ({ ...one, id: this.#id(one.id) }));
    if (!NAMED.has(name) || !isRecord(value)) return this.records(value);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, this.records(part)]));
  }

  /** The key of a keyed agent is made of its input, so it is a content. */
  #id(id: string): string {
    if (this.#own.has(id) || DERIVED_ID.test(id)) return id;
    const number = this.#numbers.get(id) ?? this.#numbers.size + 1;
    this.#numbers.set(id, number);
    return `hidden-${number}`;
  }
}

function isRecord(at: unknown): at is Readonly<Record<string, unknown>> {
  return typeof at === "object" && at !== null && !Array.isArray(at);
}

const FIELD_NAME = /^[A-Za-z_$][\w$-]{0,63}$/;

function hidden(content: Json): Json {
  if (typeof content === "string") return `(${textBytes(content)} bytes)`;
  if (typeof content === "number") return 0;
  if (typeof content === "boolean") return false;
  if (Array.isArray(content)) return content.map(hidden);
  if (typeof content !== "object" || content === null) return content;
  const fields = Object.entries(content).map(([name, value], index) => [
    FIELD_NAME.test(name) ? name : `(field ${index + 1})`,
    hidden(value),
  ]);
  return Object.fromEntries(fields) as Json;
}
