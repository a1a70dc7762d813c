/** @module The packing bench and the label printer: the external systems of the parcels. Counts parcels on the bench at once. */
import { setTimeout as sleep } from "node:timers/promises";

const PACKING_MS = 20;

const labels = new Map<string, string>();
const takenBack = new Set<string>();
let onBench = 0;
let onBenchMax = 0;

/** Packs a parcel, which takes a moment, and returns its weight in grams. */
export async function pack(items: readonly { readonly grams: number }[], signal: AbortSignal): Promise<number> {
  onBench += 1;
  onBenchMax = Math.max(onBenchMax, onBench);
  try {
    await sleep(PACKING_MS, undefined, { signal });
    return items.reduce((sum, { grams }) => sum + grams, 0);
  } finally {
    onBench -= 1;
  }
}

/** Prints a label, once per key; none for a key that was taken back. */
export function printLabel(key: string, to: string): string {
  if (takenBack.has(key)) throw new Error("the label was taken back before it was printed");
  if (!labels.has(key)) labels.set(key, `label to ${to}`);
  return labels.get(key) ?? "";
}

/** Takes a label back, if there is one. */
export function takeLabelBack(key: string): void {
  takenBack.add(key);
  labels.delete(key);
}

/** Returns the counts since the last call. */
export function benchReport(): { readonly parcelsAtOnceMax: number; readonly labels: number } {
  const report = { parcelsAtOnceMax: onBenchMax, labels: labels.size };
  onBenchMax = 0;
  labels.clear();
  return report;
}
