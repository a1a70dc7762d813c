/**
 * @module The inputs that people edited in redrives, as the state keeps them. Pure.
 *
 * A run may begin before an edited stop, and then the stop's mapping reads new outputs. So an edit is kept as a change, and not as a whole
 * input: the input that was edited, and what it became (edited-input.ts).
 */
import { z } from "zod";
import { Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { Doer } from "../slip.ts";
import { Value } from "../value.ts";
import type { Work } from "./work.ts";

/** The edited input of a failed work item, and its agent or route. Persisted: changing this needs a version bump. */
export const Edit = z.strictObject({
  stop: z.string(),
  item: z.int().nonnegative(),
  /** Of an item of a `forEach`: the hash of its element. The edit is of that element, and of no other that has its index in a later run. */
  element: z.string().optional(),
  target: Doer,
  /** What the mapping had given. Absent: the input came from a hand-off, so the edit is the whole input. */
  before: Value.optional(),
  input: Value,
  /** Of `input`. Absent: trusted. */
  label: Label.optional(),
});
export type Edit = z.infer<typeof Edit>;

type Place = Pick<Edit, "stop" | "item">;

/** The edit of the input at a place. */
export function editAt(edits: readonly Edit[] | undefined, { stop, item }: Place): Edit | undefined {
  return edits?.find((one) => one.stop === stop && one.item === item);
}

/** The edits after a further one, which contains what an earlier one at its place had changed. */
export function withEdit(edits: readonly Edit[] | undefined, edit: Edit | undefined): readonly Edit[] {
  if (edit === undefined) return edits ?? [];
  return [...(edits ?? []).filter((one) => one.stop !== edit.stop || one.item !== edit.item), edit];
}

/** Whether no further input can be edited. */
export function isFull(edits: readonly Edit[] | undefined, place: Place): boolean {
  return edits !== undefined && edits.length >= LIMITS.editsKeptMax && editAt(edits, place) === undefined;
}

/** Whether an edited input of a failed work item is taken as a whole: it was handed off, or a redrive had given it as a whole. */
export function isTakenWhole(edits: readonly Edit[] | undefined, work: Pick<Work, "stop" | "item" | "chain">): boolean {
  const known = editAt(edits, work);
  // An agent's own input is the first link of its chain; a further link is a hand-off.
  return work.chain.length > 1 || (known !== undefined && known.before === undefined);
}
