/**
 * @module When finished items of a `forEach` leave the state in parts, and how its output is joined from them. Pure.
 */
import { plainJson } from "../canonical.ts";
import { Fault, isFault, type Json } from "../faults.ts";
import { itemsPath, placeOf, stopWorkParts } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type DecisionContext, readAll, readOne } from "../machine.ts";
import { type ForEach, listUse } from "../slip-use.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, routeOf } from "./decision-builder.ts";
import { endedCount, leaving } from "./parts.ts";
import type { ProcessState, Progress } from "./state.ts";
import { type LongList, Part } from "./work.ts";

const NOTHING: Value = { json: null };

/** Lets the finished items of a `forEach` leave the state if they are many. Failed ones become due for compensation. */
export function sealItems(builder: ProcessBuilder, stop: ForEach): void {
  const path = itemsPath(stop.name);
  for (let { progress } = builder.state; progress !== undefined && areMany(builder.state, progress); { progress } = builder.state) {
    undoPlaces(
      builder,
      Object.keys(progress.failed).map((key) => placeOf(path, key)),
    );
    const asked = leaving(builder.state);
    const order = asked.reduce((highest, one) => Math.max(highest, one.order), 0);
    const part = packPart(builder, { outputs: Object.entries(progress.outputs), asked });
    builder.emit({ e: "sealed", part, ...(order === 0 ? {} : { order }) });
  }
}

function areMany(state: ProcessState, { outputs, failed }: Progress): boolean {
  if (Object.keys(outputs).length + Object.keys(failed).length >= LIMITS.partItems) return true;
  return state.asked.length >= LIMITS.partWorksMax && leaving(state).length >= LIMITS.partWorksMax;
}

/** Makes all work items at some places due for compensation: they may have had effects. */
export function undoPlaces(builder: ProcessBuilder, places: readonly string[]): void {
  if (places.length === 0) return;
  const [wanted, due] = [new Set(places), new Set(builder.state.undoing)];
  const workIds = builder.state.asked
    .filter((one) => wanted.has(placeOf(one.stop, stopWorkParts(one.id).item)) && !due.has(one.id))
    .map((one) => one.id);
  if (workIds.length > 0) builder.emit({ e: "undo-due", workIds, atMs: builder.context.nowMs });
}

/** Returns the work items of the last part to the state, because they are compensated next. */
export function unsealPart(builder: ProcessBuilder): void {
  const last = builder.state.sealed?.at(-1);
  if (last !== undefined) builder.emit({ e: "unsealed", asked: partOf(last.part, builder.context).asked });
}

function packPart(builder: ProcessBuilder, part: Part): Value {
  return builder.pack(plainJson(part));
}

function partOf(part: Value, context: DecisionContext): Part {
  return Part.parse(readOne(part, context));
}

// ---- the output of a forEach ---------------------------------------------------------------------------------------------------

/** All outputs of a stop by key, also those that have left the state. */
export function allOutputs(progress: Pick<Progress, "outputs" | "parts">, context: DecisionContext): Map<string, Value> {
  const { parts = [], outputs } = progress;
  const contents = readAll(parts, context).map((content) => Part.parse(content));
  return new Map([...contents.flatMap((part) => part.outputs), ...Object.entries(outputs)]);
}

/** Stores outputs of an earlier run as parts of a stop that begins again. */
export function packOutputs(builder: ProcessBuilder, outputs: readonly [string, Value][]): Value[] {
  const parts: Value[] = [];
  for (let at = 0; at < outputs.length; at += LIMITS.partItems)
    parts.push(packPart(builder, { outputs: outputs.slice(at, at + LIMITS.partItems), asked: [] }));
  return parts;
}

/** The output of a `forEach`: one list, in the order of its items. Not built if nothing reads it. */
export function joinItems(
  builder: ProcessBuilder,
  stop: ForEach,
  progress: Progress,
): { readonly outputs: Record<string, Value>; readonly list?: LongList } {
  const use = listUse(routeOf(builder), stop.name);
  if (use === "none") return { outputs: {} };
  const known = allOutputs(progress, builder.context);
  const values = Array.from({ length: progress.total }, (_, index) => known.get(String(index)) ?? NOTHING);
  if (use === "items" && (progress.bytes ?? 0) > LIMITS.valueBytesMax) return { outputs: {}, list: longList(builder, values) };
  try {
    return { outputs: { [stop.name]: builder.pack(readAll(values, builder.context)) } };
  } catch (error) {
    if (!isFault(error) || error.code !== "value.too-large") throw error;
    if (use === "items") return { outputs: {}, list: longList(builder, values) };
    throw tooLarge(stop, progress, Number(error.details?.["bytes"] ?? progress.bytes));
  }
}

/** The fault of a `forEach` whose outputs are already too large to be read as one list; undefined if they are not. */
export function joinFault(builder: ProcessBuilder, stop: ForEach, progress: Progress): Fault | undefined {
  const { bytes = 0 } = progress;
  if (bytes <= LIMITS.valueBytesMax) return undefined;
  const use = listUse(routeOf(builder), stop.name);
  return use === "value" ? tooLarge(stop, progress, bytes) : undefined;
}

function tooLarge(stop: ForEach, progress: Progress, bytes: number): Fault {
  return new Fault(
    "value.too-large",
    `stop ${stop.name}: the outputs of ${endedCount(progress)} of ${progress.total} items are ${bytes} bytes; the list of them may have ` +
      `${LIMITS.valueBytesMax} where a mapping or condition reads it; return less for each item, or read it as the items of a forEach`,
    { stop: stop.name, bytes, items: endedCount(progress) },
  );
}

function longList(builder: ProcessBuilder, values: readonly Value[]): LongList {
  const per = LIMITS.partItems;
  const lists: Value[] = [];
  for (let at = 0; at < values.length; at += per) lists.push(builder.pack(plainJson(values.slice(at, at + per))));
  return { per, count: values.length, lists };
}

/** One item of the current `forEach`. */
export function itemAt({ items, longItems }: Progress, index: number, context: DecisionContext): Json {
  if (longItems !== undefined) return longItemAt(longItems, index, context);
  return items === undefined ? null : ((readOne(items, context) as readonly Json[])[index] ?? null);
}

/** One item of a list that is stored in parts. */
export function longItemAt(longItems: LongList, index: number, context: DecisionContext): Json {
  const list = longItems.lists.at(index / longItems.per) ?? NOTHING;
  // This process stored it as a list of values.
  const value = (readOne(list, context) as unknown as readonly Value[])[index % longItems.per] ?? NOTHING;
  return readOne(value, context);
}
