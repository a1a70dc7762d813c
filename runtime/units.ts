/** @module Units of time and size, in milliseconds and bytes; and numbers of things as text. */

/** One second. */
export const SECOND_MS = 1_000;
/** One minute. */
export const MINUTE_MS = 60 * SECOND_MS;
/** One hour. */
export const HOUR_MS = 60 * MINUTE_MS;
/** One day of 24 hours. */
export const DAY_MS = 24 * HOUR_MS;
/** One kibibyte. */
export const KIB_BYTES = 1_024;
/** One mebibyte. */
export const MIB_BYTES = 1_024 * KIB_BYTES;

/** A number of things, as text: `1 token`, `2 tokens`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
