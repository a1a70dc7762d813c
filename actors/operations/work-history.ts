/** @module The work history of a process: its stops with input and output, read from its journal, whichever host runs it. */
import { canonicalJson, plainJson, textBytes } from "../../runtime/canonical.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { processMachine, type ProcessInput } from "../../runtime/process/machine.ts";
import type { ProcessEvent, ProcessState } from "../../runtime/process/state.ts";
import { WorksTold, type WorkTold } from "../../runtime/process/stops.ts";
import type { Value } from "../../runtime/value.ts";
import { Journal } from "../engine/journal.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** What the work history is read from. */
export interface StopsParts {
  readonly ports: Pick<Ports, "store" | "clock">;
  readonly system: string;
  /** Actor type of the process managers. */
  readonly type: string;
  readonly values: Values;
}

/**
 * The view `{ stops, left? }` of a process whose journal has reached `sequence`. Throws `store.unavailable` and the faults of an
 * unreadable journal.
 */
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
    ...(told.stop.endsWith("[]") ? { item } : {}),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(given === undefined ? {} : { input: given }),
    ...(made === undefined ? {} : { output: made }),
    ...(fault === undefined ? {} : { fault: plainJson(fault) }),
  };
}

/** The content of a value while there is room for it. Content that was dropped is omitted too. */
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
