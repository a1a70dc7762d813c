/**
 * @module Marks: words that stand in each untrusted text of a run and name its origin. What holds a mark was derived from that origin, so
 * marks are a reference for labels that shares no code with them. They also name the versions of documents and facts.
 */

const MARK = /\bzq\d+z\b/g;

/** Origins that have a mark in every world. */
const FIXED = ["principal:default/ann", "principal:default/bob", "principal:default/cid"] as const;

/** The mark of what a principal wrote, for others. */
export function principalMark(subject: "ann" | "bob" | "cid"): string {
  return `zq${FIXED.indexOf(`principal:default/${subject}`)}z`;
}

/** All marks of a world. */
export class Marks {
  readonly #origins: (string | undefined)[] = [...FIXED];

  /** A new word that names the origin. Without one it names only the text that it stands in. */
  make(origin: string | undefined): string {
    this.#origins.push(origin);
    return `zq${this.#origins.length - 1}z`;
  }

  /** The marks in a text. */
  in(text: string): readonly string[] {
    return text.includes("zq") ? [...new Set(text.match(MARK) ?? [])] : [];
  }

  /** The origins of all marks in a text. */
  originsIn(text: string): readonly string[] {
    const origins = this.in(text).flatMap((mark) => this.#origins[Number(mark.slice(2, -1))] ?? []);
    return [...new Set(origins)];
  }
}
