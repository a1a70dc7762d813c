/** @module The events of a followed process on the wire: their form, and their ids, with which a reader resumes. */
import { Fault } from "../../runtime/faults.ts";
import type { DeltaPlace } from "../../runtime/model/deltas.ts";

/** The last event that a reader received: an event of a run by its number, or the run's outcome. */
export interface Heard {
  readonly run: number;
  readonly line: number | "outcome";
  /** The next piece of replies. */
  readonly place: DeltaPlace | undefined;
}

/** A run, the number of its last event or `start`; and the next piece of replies, if there were pieces. */
const EVENT_ID = /^(\d{1,9})\.(\d{1,9}|outcome|start)(?:~([0-9a-f]{1,16})\.(\d{1,9}))?$/;

/**
 * The last event that a reader received, from its header.
 * @throws `body.invalid`
 */
export function heardOf(header: string | undefined): Heard | undefined {
  if (header === undefined || header === "") return undefined;
  const [, run, line, epoch, next] = EVENT_ID.exec(header) ?? [];
  if (run === undefined || line === undefined)
    throw new Fault("body.invalid", "Last-Event-ID is not the id of an event that this system sent");
  const place = epoch === undefined ? undefined : { epoch, next: Number(next) };
  return { run: Number(run), line: line === "outcome" ? line : line === "start" ? -1 : Number(line), place };
}

/** One server-sent event. */
export function event(name: string, id: string, data: object): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
