/** @module The stored form of invalid bytes: as text where possible, limited in size, with the size and hash of the whole. */
import { createHash } from "node:crypto";
import { hashText } from "../../runtime/canonical.ts";
import { bucketOf } from "../../runtime/index-actor.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** The body of an invalid message. */
export interface InvalidBytes {
  readonly bytes: Uint8Array;
  /** Size of the whole body, in bytes. */
  readonly size: number;
  /** SHA-256 of the whole body in hex, if `bytes` is only its beginning. */
  readonly sha256?: string | undefined;
  /** When it was published, according to its event. Milliseconds since the epoch. */
  readonly publishedAtMs?: number | undefined;
}

/** The bytes as a dead letter stores them. */
export interface KeptBytes {
  /** At most the first LIMITS.invalidBytesMax bytes. */
  readonly bytes: string;
  /** `utf8`: `bytes` is the text itself. */
  readonly encoding: "utf8" | "base64";
  /** Size of the whole body in bytes, and its SHA-256 in hex. */
  readonly size: number;
  readonly sha256: string;
  /** Whether the body had more bytes than are stored. */
  readonly cut: boolean;
}

/** The stored form of a body. */
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

/** The bytes as text, if a value can hold it and return the same bytes. Text full of escapes would not fit into one. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark at the beginning is part of the bytes.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") || JSON.stringify(text).length > ESCAPED_RATIO_MAX * (bytes.length + 1) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Maximum JSON characters for each byte. */
const ESCAPED_RATIO_MAX = 2;
const HASH_CHARS = 40;
const INVALID_ID = /^invalid-(\d{1,20})-[0-9a-f]+$/;

/** The id of an invalid message, which contains its time slice. */
export function invalidId(bucket: string, topic: string, sha256: string): string {
  return `invalid-${bucket.split(".")[0] ?? ""}-${hashText(`${topic}\n${sha256}`).slice(0, HASH_CHARS)}`;
}

/** The first bucket that may contain an invalid message; undefined for ids of other dead letters. */
export function invalidSlice(id: string): string | undefined {
  const slice = INVALID_ID.exec(id)?.[1];
  return slice === undefined ? undefined : `${slice}.0000`;
}

/**
 * The buckets that may contain an invalid message already; a new one goes to the first. The time of publishing is the
 * same at every redelivery. If it is missing or impossible, the current time is used, and a redelivery may come in the
 * next slice.
 */
export function invalidBuckets(nowMs: number, publishedAtMs: number | undefined): readonly [string, ...string[]] {
  const isTold =
    publishedAtMs !== undefined &&
    publishedAtMs <= nowMs + LIMITS.clockDriftMsMax &&
    publishedAtMs > nowMs - LIMITS.messageLifetimeMsDefault;
  return isTold ? [bucketOf(publishedAtMs, 0)] : [bucketOf(nowMs, 0), bucketOf(nowMs - LIMITS.indexBucketMs, 0)];
}
