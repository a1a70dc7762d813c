/**
 * @module The shadow of an actor: its state made from nothing but the records that the store took, and the laws of its chain.
 */
import { canonicalJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import { isTurnFailed, type JournalRecord, sameWriter, type Snapshot, type TurnFailed, type Writer } from "../../runtime/record.ts";

/** A broken law, and how it is broken. */
export type Find = (law: string, text: string) => void;

/** The state of one actor, made from its records. */
export interface Shadow<S> {
  readonly type: string;
  readonly id: string;
  state: S;
  sequence: number;
  writer: Writer | null;
  snapshots: number;
  snapshotSequence: number;
  /** Its journal was set aside, and the snapshot from which it goes on is not yet written. */
  isSetAside: boolean;
}

/** One key that was written: a record by its sequence, or a snapshot by its number. */
export interface WrittenKey {
  /** The sequence, or `snapshot`. */
  readonly number: string;
  readonly snapshotNumber: string | undefined;
  readonly content: Json;
}

/** The shadow of an actor that has no record yet. */
export function newShadow<S>(type: string, id: string, state: S): Shadow<S> {
  return { type, id, state, sequence: 0, writer: null, snapshots: 0, snapshotSequence: 0, isSetAside: false };
}

/**
 * Follows what was written. Each record has the next sequence and names the writer of the record before it. Snapshots only go
 * forward. `each` is called for each event, with the state before it.
 */
export function follow<S, E>(
  shadow: Shadow<S>,
  { number, snapshotNumber, content }: WrittenKey,
  evolve: (state: S, event: E) => S,
  find: Find,
  each: (event: E, before: S) => void = () => {},
): void {
  if (number === "snapshot") return followSnapshot(shadow, Number(snapshotNumber), content as unknown as Snapshot<S>, find);
  if (isBlocker(content)) {
    shadow.isSetAside = true;
    return find("nothing is set aside where the store forgets nothing", `${shadow.type}/${shadow.id}/${number} is a blocker`);
  }
  const record = content as unknown as JournalRecord<E | TurnFailed>;
  const name = `${shadow.type}/${shadow.id}/${number}`;
  if (record.sequence !== shadow.sequence + 1)
    find("no record is overwritten or left out", `${name} was written when record ${shadow.sequence} was the last`);
  if (!sameWriter(record.previous, shadow.writer))
    find("the chain is intact", `${name} follows a writer that is not that of the record before it`);
  shadow.sequence = record.sequence;
  shadow.writer = record.writer;
  for (const event of record.events) {
    if (isTurnFailed(event)) {
      find("no turn fails", `${name}: ${event.code}: ${event.message}`);
      continue;
    }
    const before = shadow.state;
    shadow.state = evolve(before, event);
    each(event, before);
  }
}

/** What fills the keys of a journal that is set aside; it goes on from the next snapshot. */
function isBlocker(content: Json): boolean {
  return typeof content === "object" && content !== null && "setAside" in content;
}

function followSnapshot<S>(shadow: Shadow<S>, number: number, snapshot: Snapshot<S>, find: Find): void {
  const name = `${shadow.type}/${shadow.id}/snapshot/${number}`;
  if (number !== shadow.snapshots + 1) find("snapshots have no gaps", `${name} was written after snapshot ${shadow.snapshots}`);
  if (snapshot.sequence <= shadow.snapshotSequence)
    find("snapshots never go backwards", `${name} is of record ${snapshot.sequence}, but the one before was of ${shadow.snapshotSequence}`);
  if (shadow.isSetAside) {
    shadow.state = snapshot.state;
    shadow.sequence = snapshot.sequence;
    shadow.writer = snapshot.writer;
    shadow.isSetAside = false;
  }
  if (snapshot.sequence === shadow.sequence && canonicalJson(snapshot.state as Json) !== canonicalJson(shadow.state as Json))
    find("a snapshot is the state", `${name} is not what the records say`);
  shadow.snapshots = number;
  shadow.snapshotSequence = snapshot.sequence;
}
