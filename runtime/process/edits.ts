/**
 * @module Edited inputs of redrives: what a person changed stays, in later runs too; everything else is what the mapping gives. Pure.
 *
 * A run may begin before the edited stop, and then the stop's mapping reads new outputs. So an edit is kept as a change, and not as a whole
 * input: the input that was edited, and what it became.
 */
import { z } from "zod";
import { canonicalJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import type { Json } from "../faults.ts";
import { joined, Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readAll } from "../machine.ts";
import { Doer } from "../slip.ts";
import { Value } from "../value.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import type { Work } from "./work.ts";

/** The edited input of a failed work item, and its agent or route. Persisted: changing this needs a version bump. */
export const Edit = z.strictObject({
  stop: z.string(),
  item: z.int().nonnegative(),
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

/** The edits after a further one. It contains what an earlier one at its place had changed. The oldest are given up above the limit. */
export function withEdit(edits: readonly Edit[] | undefined, edit: Edit | undefined): readonly Edit[] {
  if (edit === undefined) return edits ?? [];
  return [...(edits ?? []).filter((one) => one.stop !== edit.stop || one.item !== edit.item), edit].slice(-LIMITS.editsKeptMax);
}

/** The edit of the input of a failed work item. */
export function editOf(builder: ProcessBuilder, { stop, item, target, input: failed, chain }: Work, input: Value, label: Label): Edit {
  const known = editAt(builder.state.edits, { stop, item });
  const edit: Edit = { stop, item, target, input, ...labelField(label) };
  // An agent's own input is the first link of its chain; a further link is a hand-off.
  if (chain.length > 1 || (known !== undefined && known.before === undefined)) return edit;
  return { ...edit, before: known?.before === undefined ? failed : changed(builder, known.input, known.before, failed) };
}

/** The input of a call with an edit: `made` is what its mapping gives now, with the label of that. */
export function inputWith(
  builder: ProcessBuilder,
  { before, input, label }: Edit & { readonly before: Value },
  made: Value,
  own: Label,
): { readonly input: Value; readonly label: Label | undefined } {
  const next = changed(builder, before, input, made);
  // A person vouches for all that stood there, and not for what is made anew.
  return next === input ? { input, label } : { input: next, label: joined(label, own) };
}

/** `made` with the changes from one value to another. Is `to` itself if that is all that there is. */
function changed(builder: ProcessBuilder, from: Value, to: Value, made: Value): Value {
  const [before = null, edited = null, fresh = null] = readAll([from, to, made], builder.context);
  const next = merged(before, edited, fresh) ?? null;
  return canonicalJson(next) === canonicalJson(edited) ? to : builder.pack(next);
}

/**
 * A content with the changes between two others: fields of objects, and items of lists of equal length, one by one, everything else as a
 * whole. Undefined: absent. Where both sides differ from `before`, the edit stands.
 */
export function merged(before: Json | undefined, edited: Json | undefined, made: Json | undefined): Json | undefined {
  if (Array.isArray(before) && Array.isArray(edited) && Array.isArray(made)) {
    if (before.length === edited.length && before.length === made.length)
      return made.map((item, index) => merged(before[index], edited[index], item) ?? null);
  } else if (isFields(before) && isFields(edited) && isFields(made)) {
    const names = new Set([...Object.keys(made), ...Object.keys(edited)]);
    const fields = [...names].flatMap((name): [string, Json][] => {
      const field = merged(entryOf(before, name), entryOf(edited, name), entryOf(made, name));
      return field === undefined ? [] : [[name, field]];
    });
    return Object.fromEntries(fields);
  }
  return isSame(before, edited) ? made : edited;
}

/** Whether a content is an object. */
export function isFields(content: Json | undefined): content is { readonly [key: string]: Json } {
  return typeof content === "object" && content !== null && !Array.isArray(content);
}

/** Whether two contents are the same; undefined: absent. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other);
}
