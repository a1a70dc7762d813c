/** @module Calls a source: its listing page by page, and its documents, each under a time limit. What fails is `source.unavailable`. */
import type { SourceCall, SourceDefinition, SourcePage } from "../../agents/source.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { Comparison, type Difference, type ListedDocument } from "../../runtime/memory/compare.ts";
import { requireJson } from "../../runtime/schema.ts";
import type { Clock } from "../engine/ports.ts";

/** A source, as one host calls it. */
export class SourceReader {
  readonly #source: SourceDefinition;
  readonly #clock: Clock;
  /** Aborted when the host shuts down. */
  readonly #signal: AbortSignal;

  constructor(source: SourceDefinition, clock: Clock, signal: AbortSignal) {
    this.#source = source;
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Lists all documents and compares them with the known ones.
   * @throws `source.unavailable`, `memory.full`
   */
  async compare(known: ReadonlyMap<string, string>): Promise<Difference> {
    const { name, list } = this.#source;
    const comparison = new Comparison(name, known);
    let cursor: string | undefined;
    for (let pages = 1; ; pages += 1) {
      const at = cursor;
      const page = pageOf(await this.#limited(`the listing of source ${name}`, (call) => list(at, call)), name);
      comparison.take(page.documents);
      cursor = page.cursor;
      if (cursor === undefined) return comparison.end();
      if (cursor === at || pages >= LIMITS.sourcePagesMax)
        throw new Fault("source.unavailable", `the listing of source ${name} does not end: ${pages} pages`, { source: name });
    }
  }

  /** The content of a document; undefined if it has vanished. @throws `source.unavailable` */
  async read(id: string): Promise<Json | undefined> {
    const { name, read } = this.#source;
    const what = `document ${JSON.stringify(id)} of source ${name}`;
    const content = await this.#limited(what, (call) => read(id, call));
    return content === undefined ? undefined : requireJson(content, what, "source.unavailable");
  }

  async #limited<T>(what: string, act: (call: SourceCall) => T | Promise<T>): Promise<T> {
    const controller = new AbortController();
    const { name } = this.#source;
    const ended = Promise.withResolvers<never>();
    const stop = (): void => controller.abort(this.#signal.reason);
    const cancel = this.#clock.after(LIMITS.sourceCallMs, () =>
      controller.abort(new Fault("source.unavailable", `${what} took longer than ${LIMITS.sourceCallMs} ms`, { source: name })),
    );
    this.#signal.addEventListener("abort", stop, { once: true });
    // A source may ignore the signal.
    controller.signal.addEventListener("abort", () => ended.reject(controller.signal.reason), { once: true });
    try {
      this.#signal.throwIfAborted();
      return await Promise.race([act({ signal: controller.signal }), ended.promise]);
    } catch (error) {
      throw faultOf(error, what, name);
    } finally {
      cancel();
      this.#signal.removeEventListener("abort", stop);
      ended.promise.catch(() => {});
    }
  }
}

function faultOf(error: unknown, what: string, source: string): Fault {
  if (isFault(error) && (error.code === "source.unavailable" || error.code === "system.stopping")) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new Fault("source.unavailable", `${what} failed: ${said}`, { source }, { cause: error });
}

function pageOf(page: SourcePage | readonly ListedDocument[], source: string): SourcePage {
  if (isList(page)) return { documents: page };
  if (typeof page === "object" && page !== null && isList(page.documents)) return page;
  throw new Fault("source.unavailable", `the listing of source ${source} gave neither documents nor a page`, { source });
}

/** `Array.isArray` does not narrow read-only lists. */
function isList(value: unknown): value is readonly ListedDocument[] {
  return Array.isArray(value);
}
