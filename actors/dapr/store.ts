/**
 * @module The state store over Dapr's state API: insert-only writes, and reads that tell absent from unavailable.
 *
 * An insert is ONE item with `concurrency: first-write` and no ETag. Every answer that is neither a clear success nor a
 * clear refusal is `unknown`, and the journal reads the key back. Observed on daprd 1.18.2 with sqlite, redis and
 * postgres: docs/dapr-client.md.
 *
 * Contents are written as JSON strings that hold their JSON text (`encodeContent`), because a store may rewrite JSON.
 */
import { z } from "zod";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { JsonContent } from "../../runtime/value.ts";
import type { InsertResult, StateStore, Tagged } from "../engine/ports.ts";
import { excerpt, parseJson, segment, type SidecarAnswer, type SidecarClient } from "./client.ts";

/** How stores report that a key exists already. sqlite: 409. The others: 500 with a text of their own. */
const REFUSALS: readonly RegExp[] = [
  // state.redis v1.18.3: the script that guards the first write failed.
  /ERR (Error running script|user_script).*failed to set key/s,
  /possible etag mismatch/,
  // state.postgresql v2: INSERT ... ON CONFLICT DO NOTHING changed no row.
  /no item was updated/,
];

/** How stores report that they take no writes. Nothing was written, and to write again at once changes nothing. */
const NO_WRITES: readonly (readonly [text: RegExp, code: "store.full" | "store.read-only", what: string])[] = [
  // state.redis: maxmemory. state.sqlite: SQLITE_FULL. state.postgresql: SQLSTATE 53100.
  [/\bOOM command not allowed|database or disk is full|No space left on device|SQLSTATE 53100/, "store.full", "is full"],
  // state.redis: a replica, a failed snapshot, too few replicas. state.sqlite: SQLITE_READONLY. state.postgresql: SQLSTATE 25006.
  [/\bREADONLY You can't write|\bMISCONF |\bNOREPLICAS |readonly database|read-only transaction/, "store.read-only", "takes no writes"],
];

/** Parallel reads of daprd for one bulk request, on stores without a bulk read. More slow sqlite down (docs/dapr-client.md). */
const BULK_PARALLELISM = 4;

/** Keys removed in one transaction. */
const REMOVED_AT_ONCE_MAX = 64;

const STATUS_CONFLICT = 409;
const STATUS_ERROR = 500;
const STATUS_OK = 200;
const STATUS_NO_CONTENT = 204;

/**
 * One item of a bulk answer. An item without `data` and without `error` is absent. The data is not validated: zod 4.6.7's z.json() drops
 * a key `__proto__` (core/schemas.js, records).
 */
const BulkItem = z.object({ key: z.string(), data: JsonContent.optional(), error: z.string().optional() });
const BulkAnswer = z.array(BulkItem);

/** A {@link StateStore} over one state component of the sidecar. */
export class DaprStore implements StateStore {
  readonly #client: SidecarClient;
  readonly #path: string;
  readonly #name: string;

  constructor(client: SidecarClient, component: string) {
    this.#client = client;
    this.#name = component;
    this.#path = `/v1.0/state/${segment(component)}`;
  }

  async insert(key: string, text: string): Promise<InsertResult> {
    let answer: SidecarAnswer;
    try {
      answer = await this.#client.call({ method: "POST", path: this.#path, body: `[${itemText(key, text)}]` });
    } catch {
      // No answer: it may have been written, or may still be written.
      return "unknown";
    }
    const result = insertResult(answer);
    const none = result === "unknown" ? NO_WRITES.find(([said]) => said.test(answer.text)) : undefined;
    if (none !== undefined) throw new Fault(none[1], `state store ${this.#name} ${none[2]}: ${excerpt(answer)}`);
    return result;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    const [first, ...others] = keys;
    if (first === undefined) return new Map();
    if (others.length === 0) return this.#readOne(first);
    const chunks: (readonly string[])[] = [];
    for (let at = 0; at < keys.length; at += LIMITS.loadBatchRecords) chunks.push(keys.slice(at, at + LIMITS.loadBatchRecords));
    const maps = await Promise.all(chunks.map((chunk) => this.#readBulk(chunk)));
    return new Map(maps.flatMap((map) => [...map]));
  }

  /**
   * Reads one key. Keys contain slashes, so they are encoded: daprd 1.18.2 decodes the segment after routing (verified by
   * test/conformance).
   */
  async #readOne(key: string): Promise<ReadonlyMap<string, Json>> {
    const answer = await this.#ask({ method: "GET", path: `${this.#path}/${segment(key)}` });
    if (answer.status === STATUS_NO_CONTENT) return new Map();
    const content = answer.status === STATUS_OK ? parseJson(answer.text) : undefined;
    // An empty 200 is not an answer. A caller that took it for "absent" would write the key again.
    if (content === undefined) throw this.#unavailable(excerpt(answer));
    return new Map([[key, decodeContent(content)]]);
  }

  async tagged(key: string): Promise<Tagged | undefined> {
    const answer = await this.#ask({ method: "GET", path: `${this.#path}/${segment(key)}` });
    if (answer.status === STATUS_NO_CONTENT) return undefined;
    const content = answer.status === STATUS_OK ? parseJson(answer.text) : undefined;
    if (content === undefined || answer.etag === undefined) throw this.#unavailable(excerpt(answer));
    return { content: decodeContent(content), tag: answer.etag };
  }

  async replace(key: string, text: string | undefined, tag: string): Promise<boolean> {
    try {
      const answer = await this.#client.call(
        text === undefined
          ? { method: "DELETE", path: `${this.#path}/${segment(key)}`, headers: { "if-match": tag } }
          : { method: "POST", path: this.#path, body: `[${itemText(key, text, tag)}]` },
      );
      return answer.status === STATUS_NO_CONTENT;
    } catch {
      // The caller reads the key back.
      return false;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE_MAX) await this.#removeSome(keys.slice(at, at + REMOVED_AT_ONCE_MAX));
  }

  /**
   * Removes keys in one transaction. Where transactions are unsupported (a cluster of Redis) or unanswered, removes the remaining keys
   * one by one.
   */
  async #removeSome(keys: readonly string[]): Promise<void> {
    const operations = keys.map((key) => `{"operation":"delete","request":{"key":${JSON.stringify(key)}}}`);
    if (await this.#isDone({ method: "POST", path: `${this.#path}/transaction`, body: `{"operations":[${operations.join(",")}]}` })) return;
    for (const key of (await this.read(keys)).keys()) {
      if (!(await this.#isDone({ method: "DELETE", path: `${this.#path}/${segment(key)}` })) && (await this.read([key])).has(key))
        throw this.#unavailable(`${key} could not be removed`);
    }
  }

  async #isDone(call: { readonly method: "POST" | "DELETE"; readonly path: string; readonly body?: string }): Promise<boolean> {
    try {
      return (await this.#client.call(call)).status === STATUS_NO_CONTENT;
    } catch {
      // The keys are read back.
      return false;
    }
  }

  async #readBulk(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    const answer = await this.#ask({
      method: "POST",
      path: `${this.#path}/bulk`,
      body: JSON.stringify({ keys, parallelism: BULK_PARALLELISM }),
    });
    const parsed = answer.status === STATUS_OK ? BulkAnswer.safeParse(parseJson(answer.text)) : undefined;
    if (parsed?.success !== true) throw this.#unavailable(excerpt(answer));
    const found = new Map<string, Json>();
    const answered = new Set<string>();
    for (const item of parsed.data) {
      if (item.error !== undefined) throw this.#unavailable(`${item.key}: ${item.error}`);
      answered.add(item.key);
      if (item.data !== undefined) found.set(item.key, decodeContent(item.data));
    }
    for (const key of keys) if (!answered.has(key)) throw this.#unavailable(`the answer to a bulk read does not mention ${key}`);
    return found;
  }

  async #ask(call: { readonly method: "GET" | "POST"; readonly path: string; readonly body?: string }): Promise<SidecarAnswer> {
    try {
      return await this.#client.call(call);
    } catch (error) {
      const why = error instanceof Error ? error.message : "no answer";
      throw new Fault("store.unavailable", `state store ${this.#name}: ${why}`, undefined, { cause: error });
    }
  }

  #unavailable(why: string): Fault {
    return new Fault("store.unavailable", `state store ${this.#name}: ${why}`);
  }
}

/** Whether the sidecar answered a call that failed with this error. */
export function wasAnswered(error: unknown): boolean {
  return !(isFault(error) && error.cause !== undefined);
}

/** The item of a save or transaction request for a JSON text. With a tag it replaces that version; without one it is an insert. */
export function itemText(key: string, text: string, tag?: string): string {
  const etag = tag === undefined ? "" : `"etag":${JSON.stringify(tag)},`;
  return `{"key":${JSON.stringify(key)},"value":${encodeContent(text)},${etag}"options":{"concurrency":"first-write"}}`;
}

/** Marks base64 text. No JSON text begins like this. */
const BASE64_MARK = "base64:";
/** Room for the key and the envelope of a request, in bytes. */
const ENVELOPE_BYTES_MAX = 65_536;

/**
 * Encodes a JSON text as the JSON string that is stored. If it were stored as JSON, state.redis 1.18.3 would round
 * every number to six decimals (state/redis/redis.go: jsoniter.ConfigFastest), and daprd would sort keys and replace
 * half of a surrogate pair by U+FFFD. A text full of quotes and backslashes doubles in size. Where that would exceed
 * the limit of a body, base64 is used, which adds only a third.
 */
export function encodeContent(text: string): string {
  const quoted = JSON.stringify(text);
  if (Buffer.byteLength(quoted) <= LIMITS.bodyBytesMax - ENVELOPE_BYTES_MAX) return quoted;
  return `"${BASE64_MARK}${Buffer.from(text).toString("base64")}"`;
}

/** Decodes a stored content. Content that this project did not write is returned unchanged; no schema accepts it. */
export function decodeContent(stored: Json): Json {
  if (typeof stored !== "string") return stored;
  const text = stored.startsWith(BASE64_MARK) ? Buffer.from(stored.slice(BASE64_MARK.length), "base64").toString("utf8") : stored;
  const content = parseJson(text);
  return content === undefined ? stored : content;
}

/** The result that the answer to an insert stands for. */
function insertResult(answer: SidecarAnswer): InsertResult {
  if (answer.status === STATUS_NO_CONTENT) return "inserted";
  if (answer.status === STATUS_CONFLICT) return "refused";
  if (answer.status === STATUS_ERROR && REFUSALS.some((text) => text.test(answer.text))) return "refused";
  return "unknown";
}
