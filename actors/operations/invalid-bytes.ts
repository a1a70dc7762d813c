/**
 * @module What is kept of bytes that cannot be used: as text where they are text, at most so many, with size and hash of all.
 */
import { createHash } from "node:crypto";
import { hashText } from "../../runtime/canonical.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** What a body was. `cut`: it went on after these bytes. */
export interface InvalidBytes {
  readonly bytes: Uint8Array;
  /** Bytes of the whole body. */
  readonly size: number;
  /** SHA-256 of the whole body in hex, where `bytes` is not all of it. */
  readonly sha256?: string | undefined;
  /** When it was published, as its event says. Epoch, milliseconds. */
  readonly publishedAtMs?: number | undefined;
}

/** The bytes as they stand in a dead letter. */
export interface KeptBytes {
  /** The first LIMITS.invalidBytesMax bytes at most. */
  readonly bytes: string;
  /** `utf8`: `bytes` is the text itself. */
  readonly encoding: "utf8" | "base64";
  /** Bytes of the whole, and their SHA-256 in hex. */
  readonly size: number;
  readonly sha256: string;
  /** There were more bytes than are kept. */
  readonly cut: boolean;
}

/** What is kept of a body. */
export function keptBytes({ bytes, size, sha256 }: InvalidBytes): KeptBytes {
  const kept = bytes.subarray(0, LIMITS.invalidBytesMax);
  const text = textOf(kept);
  return {
    ...(text === undefined ? { bytes: Buffer.from(kept).toString("base64"), encoding: "base64" } : { bytes: text, encoding: "utf8" }),
    size,
    sha256: sha256 ?? createHash("sha256").update(bytes).digest("hex"),
    cut: kept.length < size,
  };
}

/** Text that a value can hold and give back byte by byte; text full of escapes would not fit in one. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    // A mark at the beginning (BOM) is a part of the bytes.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") || JSON.stringify(text).length > ESCAPED_RATIO_MAX * (bytes.length + 1) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Characters of JSON for each byte. */
const ESCAPED_RATIO_MAX = 2;
const HASH_CHARS = 40;
const POISON_ID = /^invalid-(\d{1,20})-[0-9a-f]+$/;

/** The id of a poison letter, which says in which slice of time it lies. */
export function invalidId(bucket: string, topic: string, sha256: string): string {
  return `invalid-${bucket.split(".")[0] ?? ""}-${hashText(`${topic}\n${sha256}`).slice(0, HASH_CHARS)}`;
}

/** The first bucket in which a poison letter may lie; undefined for ids of other letters. */
export function invalidSlice(id: string): string | undefined {
  const slice = POISON_ID.exec(id)?.[1];
  return slice === undefined ? undefined : `${slice}.0000`;
}

/**
 * The buckets in which a poison letter may stand already; a new one goes to the first. The moment of publishing is the same
 * at every repetition. Without one, or with one that cannot be, it is now, and a repetition may come in the slice after.
 */
export function invalidBuckets(nowMs: number, publishedAtMs: number | undefined): readonly [string, ...string[]] {
  const isTold =
    publishedAtMs !== undefined &&
    publishedAtMs <= nowMs + LIMITS.clockDriftMsMax &&
    publishedAtMs > nowMs - LIMITS.messageLifetimeMsDefault;
  return isTold ? [bucketOf(publishedAtMs, 0)] : [bucketOf(nowMs, 0), bucketOf(nowMs - LIMITS.indexBucketMs, 0)];
}
