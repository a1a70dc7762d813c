/**
 * @module A source: where documents of a memory come from, such as a folder, a store or a server.
 *
 * A host compares what a source lists with what its memory holds. What changed or vanished leaves the memory before anything is written.
 */
import type { Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { ListedDocument } from "../runtime/memory/compare.ts";
import { invalid, requireInt, requireKeys, requireName } from "./definition.ts";

/** A part of a listing. */
export interface SourcePage {
  readonly documents: readonly ListedDocument[];
  /** Passed to `list` for the next page; absent on the last page. */
  readonly cursor?: string | undefined;
}

/** What one call of a source receives. */
export interface SourceCall {
  /** Aborted when the call takes too long, or when the host shuts down. */
  readonly signal: AbortSignal;
}

/** Options of {@link source}. */
export interface SourceOptions {
  /**
   * Lists all documents that there are, page by page or at once. What it does not list has vanished. Throw if that is not known: then
   * nothing is changed.
   */
  readonly list: (
    cursor: string | undefined,
    call: SourceCall,
  ) => SourcePage | readonly ListedDocument[] | Promise<SourcePage | readonly ListedDocument[]>;
  /** Returns the content of a document, at most 32 KiB as JSON; `undefined` if it has vanished. */
  readonly read: (id: string, call: SourceCall) => Json | undefined | Promise<Json | undefined>;
  /** Pause between two comparisons in milliseconds, 1 second to 1 day. @default 5 minutes */
  readonly everyMs?: number | undefined;
  /** Whether its documents may hold texts of strangers: they carry the label `source:<name>`. @default true */
  readonly untrusted?: boolean | undefined;
}

/** A defined source, as hosts use it. */
export interface SourceDefinition extends Pick<SourceOptions, "list" | "read"> {
  readonly kind: "source";
  readonly name: string;
  readonly everyMs: number;
  readonly untrusted: boolean;
}

/** Defines a source, for the option `memory` of agents. @throws `definition.invalid` */
export function source(name: string, options: SourceOptions): SourceDefinition {
  requireName(name, "source");
  const where = `source ${JSON.stringify(name)}`;
  requireKeys(options, where, ["list", "read", "everyMs", "untrusted"]);
  const { list, read, everyMs = LIMITS.sourceEveryMsDefault, untrusted = true } = options;
  for (const [field, given] of Object.entries({ list, read }))
    if (typeof given !== "function") throw invalid(where, `${field} must be a function`);
  if (typeof untrusted !== "boolean") throw invalid(where, "untrusted must be true or false");
  requireInt(everyMs, where, "everyMs", LIMITS.sourceEveryMsMin, LIMITS.sourceEveryMsMax);
  return Object.freeze({ kind: "source", name, list, read, everyMs, untrusted });
}

/** The sources that agents declare, by name. Throws `definition.invalid` for two of one name. */
export function sourcesOf(lists: Iterable<readonly SourceDefinition[]>, where: string): ReadonlyMap<string, SourceDefinition> {
  const found = new Map<string, SourceDefinition>();
  for (const item of [...lists].flat()) {
    const known = found.get(item.name);
    if (known !== undefined && known !== item) throw invalid(where, `there are two sources named ${JSON.stringify(item.name)}`);
    found.set(item.name, item);
  }
  return found;
}
