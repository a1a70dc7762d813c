/**
 * @module The comparison of a source's listing with the documents that its memory holds. Pure.
 *
 * A source says for each document an id and a version: a hash, an ETag, a time of change. Only a complete listing can show that a document
 * has vanished, so a comparison that does not reach the last page is thrown away.
 */
import { Fault } from "../faults.ts";
import { LIMITS } from "../limits.ts";

/** A document as its source lists it. */
export interface ListedDocument {
  readonly id: string;
  /** Another text whenever the content is another one: a hash, an ETag or a time of change. */
  readonly version: string;
}

/** What a complete listing shows, each in the order of the ids. */
export interface Difference {
  readonly added: readonly ListedDocument[];
  readonly changed: readonly ListedDocument[];
  /** Ids of known documents that are not listed. */
  readonly vanished: readonly string[];
  /** Number of documents in the listing. */
  readonly listed: number;
}

/** Compares the pages of one listing with the known documents: their versions by id. */
export class Comparison {
  readonly #source: string;
  readonly #known: ReadonlyMap<string, string>;
  readonly #listed = new Map<string, string>();

  constructor(source: string, known: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#known = known;
  }

  /**
   * Takes the next page. A document that is listed twice counts as it was listed last.
   * @throws `source.unavailable` for what is no document, `memory.full` for too many
   */
  take(page: readonly ListedDocument[]): void {
    for (const { id, version } of page) {
      requireText(this.#source, "id", id, LIMITS.sourceIdLengthMax);
      requireText(this.#source, "version", version, LIMITS.sourceVersionLengthMax);
      this.#listed.set(id, version);
    }
    if (this.#listed.size > LIMITS.sourceDocumentsMax)
      throw new Fault("memory.full", `source ${this.#source} lists more than ${LIMITS.sourceDocumentsMax} documents`);
  }

  /** What the listing shows, after its last page. */
  end(): Difference {
    const ids = [...this.#listed.keys()].sort();
    const documents = ids.map((id) => ({ id, version: this.#listed.get(id) ?? "" }));
    return {
      added: documents.filter(({ id }) => !this.#known.has(id)),
      changed: documents.filter(({ id, version }) => this.#known.has(id) && this.#known.get(id) !== version),
      vanished: [...this.#known.keys()].filter((id) => !this.#listed.has(id)).sort(),
      listed: ids.length,
    };
  }
}

function requireText(source: string, what: string, text: unknown, lengthMax: number): void {
  if (typeof text === "string" && text !== "" && text.length <= lengthMax) return;
  throw new Fault("source.unavailable", `source ${source} lists a document whose ${what} is no text of 1 to ${lengthMax} characters`, {
    source,
  });
}
