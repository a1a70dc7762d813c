/**
 * @module Settled work items of an agent actor outside of its state. Pure.
 *
 * The state holds the open work items and the last settled ones, so what a turn costs does not depend on how many work items the actor
 * remembers. Each older one is an entry of its own in the store. Retention removes it with its process. Invariants:
 * S1 An entry is named by its work item and by how often that had settled. Between two such moments a work item does not change, so each
 *    host that writes the entry writes the same content, also if its record is refused then.
 * S2 The entry is written before the record that drops the work item from the state, and so is one for each lower number: they are found
 *    by counting. The highest one is the last state of a work item that is not in the actor's.
 * S3 A message about a work item that is not in the state is decided only after its entry was looked up. The exception is a first request
 *    that its process made after the first requests of all work items that left: it is the first request of another one.
 */
import { textBytes } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import type { Json } from "../faults.ts";
import { settledRef } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { type DecisionContext, lookUpAll, processLookUp } from "../machine.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { keyedScope } from "../value.ts";
import type { AgentBuilder } from "./inputs.ts";
import { isSettled } from "./queue.ts";
import { type AgentState, AgentWork, isHarmless, standingOf } from "./state.ts";

/** What an entry leaves out: the message that looks it up has it, or nothing needs it. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...["id", "processId", "agent", "principal", "trace", "hop", "retainUntilMs"],
  ...["token", "holder", "askedAtMs", "settled"],
]);
/** What an entry leaves out where a work item has just this. */
const PLAIN: Readonly<Record<string, Json>> = {
  version: 1,
  attempt: 1,
  status: "done",
  mode: "do",
  begun: true,
  takeovers: 0,
  input: { json: null },
  ancestors: [],
  calls: [],
  steps: [],
  waits: [],
};
const PLAIN_TEXTS: ReadonlyMap<string, string> = new Map(Object.entries(PLAIN).map(([name, part]) => [name, JSON.stringify(part)]));
/** The text of an entry below the highest one. */
const SUPERSEDED = "{}";
/** Entries of a work item that are looked up at once. Most have settled once. */
const LOOKED_UP_COUNT = 2;

/** When the first request of a work item was made; not before it if the message is a later one. */
export function askedAtMs({ createdAtMs, body }: Message): number {
  return body.kind === "work" && body.attempt === 1 ? createdAtMs : createdAtMs + LIMITS.clockDriftMsMax;
}

/** Whether a settled work item's messages have expired on any clock. Its process may still exist. */
export function mayForget({ context }: AgentBuilder, work: AgentWork): boolean {
  return work.retainUntilMs < context.nowMs - LIMITS.clockDriftMsMax && isSettled(work);
}

/** The work item that a message is about, if it has settled and left the state. */
export function settledWork(state: AgentState, message: Message, context: DecisionContext): AgentWork | undefined {
  const { body } = message;
  if ((body.kind !== "work" && body.kind !== "undo" && body.kind !== "drop") || state.settledUntilMs === undefined) return undefined;
  if (entryOf(state.works, body.workId) !== undefined) return undefined;
  // Its entries may be gone, or on their way.
  if (message.expiresAtMs + LIMITS.clockDriftMsMax <= context.nowMs) return undefined;
  if (body.kind === "work" && body.attempt === 1 && message.createdAtMs > state.settledUntilMs) return undefined;
  const scope = keyedScope(body.agent, state.id);
  let last: Json = null;
  for (let count = 1; ; count += LOOKED_UP_COUNT) {
    const refs = Array.from({ length: LOOKED_UP_COUNT }, (_, index) => settledRef(body.workId, count + index));
    const found = lookUpAll(
      refs.map((ref) => ({ ref, scope, optional: true })),
      context,
    );
    const end = found.indexOf(null);
    last = (end < 0 ? found : found.slice(0, end)).at(-1) ?? last;
    if (end >= 0) return last === null ? undefined : restored(last, message, body, count + end - 1);
  }
}

function restored(content: Json, message: Message, body: BodyOf<"work" | "undo" | "drop">, settled: number): AgentWork {
  const { processId, trace, hop, principal } = message;
  return AgentWork.parse({
    ...PLAIN,
    ...(content as object),
    ...{ id: body.workId, agent: body.agent, retainUntilMs: body.retainUntilMs },
    ...{ processId, trace, hop, principal },
    ...{ token: "", holder: "", askedAtMs: 0, settled },
  });
}

/**
 * Drops the oldest settled work items from the state when there are too many. `before` is the state before the decision: what settles with
 * this record leaves with a later one, because the record may be refused and its entry would stay (S1).
 */
export function leaveSettled(builder: AgentBuilder, before: AgentState): void {
  const { works } = builder.state;
  if (Object.keys(works).length <= LIMITS.agentSettledMax) return;
  const settled = Object.values(before.works).filter((work) => isSettled(work) && entryOf(works, work.id) === work);
  if (settled.length <= LIMITS.agentSettledMax) return;
  const oldest = settled.slice(0, LIMITS.agentLeavingMax);
  const forgotten = new Set(forgettable(builder, oldest).map(({ id }) => id));
  const left = oldest.filter((work) => !forgotten.has(work.id) && keepEntry(builder, work));
  if (forgotten.size > 0) builder.emit({ e: "forgotten", workIds: [...forgotten] });
  if (left.length > 0) builder.emit({ e: "settled", workIds: left.map(({ id }) => id) });
}

/** Work items about which no message can come: theirs have expired, and there is nothing to undo or to report, or no process. */
function forgettable(builder: AgentBuilder, works: readonly AgentWork[]): readonly AgentWork[] {
  const expired = works.filter((work) => mayForget(builder, work));
  const needed = expired.filter((work) => !isHarmless(work) || standingOf(work).length > 0 || work.setState === true);
  const processes = [...new Set(needed.map(({ processId }) => processId))];
  const stands = lookUpAll(processes.map(processLookUp), builder.context);
  const standing = new Set(processes.filter((_, index) => stands[index] !== null));
  return expired.filter((work) => !needed.includes(work) || !standing.has(work.processId));
}

/** Stores the entries of a work item (S2). False if it is too large: then it stays in the state. */
function keepEntry(builder: AgentBuilder, work: AgentWork): boolean {
  const parts = Object.entries(work).filter(
    ([name, part]) => part !== undefined && !LEFT_OUT.has(name) && JSON.stringify(part) !== PLAIN_TEXTS.get(name),
  );
  const text = JSON.stringify(Object.fromEntries(parts));
  if (textBytes(text) > LIMITS.recordBytesMax) return false;
  const { id, agent, settled = 1 } = work;
  const scope = keyedScope(agent, builder.state.id);
  for (let count = 1; count < settled; count += 1) builder.keep({ ref: settledRef(id, count), scope, text: SUPERSEDED });
  builder.keep({ ref: settledRef(id, settled), scope, text });
  return true;
}
