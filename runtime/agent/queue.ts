/**
 * @module Which work item of an agent actor runs, and what its process is told. Pure.
 */
import { entryOf } from "../entries.ts";
import { workActorId } from "../ids.ts";
import type { Json } from "../faults.ts";
import { keyedScope, type Value } from "../value.ts";
import type { AgentBuilder } from "./inputs.ts";
import { replyEffect, undoReplyEffect } from "./messages.ts";
import type { AgentWork } from "./state.ts";

/** Whether `renew` gives the work item a new token, independent of how an earlier execution ended. */
export interface StartOptions {
  readonly renew: boolean;
}

/** Sends open waits again when a waiting work item is requested again: the message may have been lost with its host. */
export function startOrLook(builder: AgentBuilder, options?: StartOptions): void {
  const { works, running } = builder.state;
  const holder = running === undefined ? undefined : entryOf(works, running);
  if (holder === undefined) return startNext(builder, options);
  builder.order({ kind: holder.holder === builder.context.incarnation ? "run" : "watch", workId: holder.id, token: holder.token });
}

/**
 * A1: begins the first ready work item if none is running. A parked handler of this incarnation continues under its token; a new
 * attempt has no token yet.
 */
export function startNext(builder: AgentBuilder, options: StartOptions = { renew: false }): void {
  const { state, context } = builder;
  const next = state.ready[0];
  if (state.running !== undefined || next === undefined) return;
  const work = entryOf(state.works, next);
  if (work === undefined) return;
  const goesOn = !options.renew && work.token !== "" && work.holder === context.incarnation && work.mode === "do" && work.waits.length > 0;
  const token = goesOn ? work.token : context.token;
  builder.emit({ e: "begun", workId: next, token, holder: context.incarnation, atMs: context.nowMs });
  builder.order({ kind: "run", workId: next, token });
}

/** Runs a work item again first, under a new token: another one changed the state that it had read, or its handler has settled. */
export function runAgain(builder: AgentBuilder, workId: string): void {
  builder.emit({ e: "readied", workId, first: true });
  startNext(builder, { renew: true });
}

/** Whether a work item needs no further action. */
export function isSettled(work: AgentWork): boolean {
  return work.status === "done" || work.status === "undone" || work.status === "tombstone";
}

/** Whether its last attempt failed. A further one may be asked for. */
export function hasFailed({ mode, status, result }: AgentWork): boolean {
  return mode === "do" && status === "done" && result !== undefined && "fault" in result;
}

/** The scope of a work item's values. The actor of one process or work item is purged with the process; any other keeps its own copy. */
export function ownScope(builder: AgentBuilder, work: AgentWork): string {
  const { id } = builder.state;
  return id === work.processId || id === workActorId(work.id) ? work.processId : keyedScope(work.agent, id);
}

/** Packs content of a work item for its own records. */
export function packOwn(builder: AgentBuilder, work: AgentWork, content: Json): Value {
  return work.stored === true ? builder.packStored(content, work.processId) : builder.pack(content, ownScope(builder, work));
}

/** Packs content of a work item that is sent to its process. */
export function packSent(builder: AgentBuilder, { stored, processId }: Pick<AgentWork, "stored" | "processId">, content: Json): Value {
  return stored === true ? builder.packStored(content, processId) : builder.pack(content, processId);
}

/** A value that came with a message, as the work item records it. */
export function recordedValue(builder: AgentBuilder, work: Pick<AgentWork, "stored" | "processId">, value: Value): Value {
  return work.stored === true && "json" in value ? builder.packStored(value.json, work.processId) : value;
}

/** Sends the result of a work item to its process, if there is one. */
export function reply(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.result !== undefined) builder.order(replyEffect(work, work.result, builder.context));
}

/** Sends the result of a compensation to its process, if it has ended. */
export function replyUndo(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.undo?.result !== undefined) builder.order(undoReplyEffect(work, builder.context));
}
