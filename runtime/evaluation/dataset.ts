/** @module A dataset: recorded runs as items, each a cassette in a file of its own, with a manifest that says what they are. Pure. */
import { z } from "zod";

/** Version of the manifests that are written. */
export const DATASET_VERSION = 1;

/** One item. */
export const DatasetItem = z.strictObject({
  id: z.string(),
  /** Its file, from the folder of the dataset. */
  file: z.string(),
  /** SHA-256 of the text of the file, in hex. */
  sha256: z.string(),
  route: z.string(),
  outcome: z.string(),
  /** Texts that were replaced. Absent: none. */
  replaced: z.int().positive().optional(),
  /** Absent: it can be replayed. Otherwise the requests to its models are others than recorded; it can be forked from the start. */
  replays: z.literal(false).optional(),
  /** Calls that a fork may not find again, since their arguments are in no record and may hold what was replaced. */
  unknown: z.array(z.string()).optional(),
  addedAtMs: z.int().nonnegative(),
});
/** One item. */
export type DatasetItem = z.infer<typeof DatasetItem>;

/** What a dataset consists of. Each change has a higher version. */
export const Dataset = z.strictObject({
  format: z.literal("troupe-dataset"),
  v: z.literal(DATASET_VERSION),
  name: z.string(),
  version: z.int().nonnegative(),
  items: z.array(DatasetItem),
});
/** What a dataset consists of. */
export type Dataset = z.infer<typeof Dataset>;

/** The dataset of the next version: with items that are new, or in the place of those with their ids. */
export function withItems(dataset: Dataset, items: readonly DatasetItem[]): Dataset {
  const ids = new Set(items.map(({ id }) => id));
  return { ...dataset, version: dataset.version + 1, items: [...dataset.items.filter(({ id }) => !ids.has(id)), ...items] };
}
