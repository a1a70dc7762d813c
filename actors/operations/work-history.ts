/**
 * @module The stops of a process with what went in and what came out, read from its journal wherever the process lives.
 */
import { canonicalJson, plainJson, textBytes } from "../../runtime/canonical.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { isItemsPath } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine, type ProcessInput } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { WorksTold, type WorkTold } from "../../runtime/process/stops.ts";
import type { Value } from "../../runtime/value.ts";
import { Journal } from "../engine/journal.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** What the stops are read from. */
export interface StopsParts {
  readonly ports: Pick<Ports, "store" | "clock">;
  readonly system: string;
  /** Actor type of the process managers. */
  readonly type: string;
  readonly values: Values;
}

/** `{ stops, left? }` of a process whose journal stands at `sequence`. Throws `store.unavailable` and what is wrong with the journal. */
export async function stopsView({ ports, system, type, values }: StopsParts, id: string, sequence: number): Promise<Json> {
  const journal = new Journal<ProcessState, ProcessInput, ProcessEvent>(ports.store, ports.clock, processMachine, system, type);
  const told = new WorksTold(LIMITS.stopsShownMax);
  for await (const event of journal.events(id, Math.max(1, sequence - LIMITS.stopsRecordsMax + 1))) told.take(event);
  const room = { bytes: LIMITS.stopsContentBytesMax };
  const shown: Json[] = [];
  for (const work of told.works.toReversed()) shown.push(await viewOf(work, values, room));
  return { stops: shown.reverse(), ...(told.left === 0 ? {} : { left: told.left }) };
}

async function viewOf(told: WorkTold, values: Values, room: { bytes: number }): Promise<Json> {
  const { input, output, fault, item, endedAtMs, ...plain } = told;
  const [given, made] = [await contentOf(input, values, room), await contentOf(output, values, room)];
  return {
    ...plain,
    ...(isItemsPath(told.stop) ? { item } : {}),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(given === undefined ? {} : { input: given }),
    ...(made === undefined ? {} : { output: made }),
    ...(fault === undefined ? {} : { fault: plainJson(fault) }),
  };
}

/** Content while there is room for it; what was forgotten is left out too. */
async function contentOf(value: Value | undefined, values: Values, room: { bytes: number }): Promise<Json | undefined> {
  if (value === undefined) return undefined;
  const bytes = "json" in value ? textBytes(canonicalJson(value.json)) : value.bytes;
  if (bytes > room.bytes) return undefined;
  room.bytes -= bytes;
  try {
    return await values.read(value);
  } catch (error) {
    if (isFault(error) && error.code === "value.missing") return undefined;
    throw error;
  }
}
