/**
 * @module What a person changed in the input of a failed work item, applied to what its mapping gives in a later run. Pure.
 */
import { canonicalJson, hashJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { evaluate, namesIn } from "../expression.ts";
import { isFault, type Json } from "../faults.ts";
import { isItemsPath, itemsPath } from "../ids.ts";
import { joined, type Label, labelField } from "../label.ts";
import { readAll } from "../machine.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, routeOf, scopeOf } from "./decision-builder.ts";
import { type Edit, editAt, isTakenWhole } from "./edits.ts";
import { longItemAt } from "./join.ts";
import type { Work } from "./work.ts";

/** The edit of the input of a failed work item. */
export function editOf(builder: ProcessBuilder, failed: Work, input: Value, label: Label): Edit {
  const { edits } = builder.state;
  const { stop, item, target } = failed;
  const element = elementOf(builder, failed);
  const edit: Edit = { stop, item, ...(element === undefined ? {} : { element }), target, input, ...labelField(label) };
  if (isTakenWhole(edits, failed)) return edit;
  const known = editAt(edits, failed);
  if (known?.before === undefined || known.element !== element) return { ...edit, before: failed.input };
  return { ...edit, before: changed(builder, known.input, known.before, failed.input) };
}

/** The hash of the element of an item. Undefined for other work items. */
function elementOf(builder: ProcessBuilder, { stop: path, item }: Work): string | undefined {
  if (!isItemsPath(path)) return undefined;
  try {
    const stop = routeOf(builder).stops.find((one) => one.kind === "forEach" && itemsPath(one.name) === path);
    if (stop?.kind !== "forEach") return undefined;
    const list = "from" in stop.over ? entryOf(builder.state.lists ?? {}, stop.over.from[0] ?? "") : undefined;
    if (list !== undefined) return hashJson(longItemAt(list, item, builder.context));
    const items = evaluate(stop.over, scopeOf(builder, namesIn(stop.over)));
    return hashJson((Array.isArray(items) ? items[item] : undefined) ?? null);
  } catch (error) {
    // The list could be read when the item was asked.
    if (!isFault(error)) throw error;
    return undefined;
  }
}

/** The edit that holds for a call: that of its place, for an item of its very element. */
export function editFor(
  builder: ProcessBuilder,
  place: { readonly stop: string; readonly item: number },
  element: Json | undefined,
): Edit | undefined {
  const edit = editAt(builder.state.edits, place);
  return edit?.element === undefined || (element !== undefined && edit.element === hashJson(element)) ? edit : undefined;
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
