/**
 * @module Which work of an agent actor runs, and what its process is told. Pure.
 */
import { entryOf } from "../entries.ts";
import { workActorId } from "../ids.ts";
import { keyedScope } from "../value.ts";
import type { AgentBuilder } from "./inputs.ts";
import { replyEffect, undoReplyEffect } from "./messages.ts";
import type { AgentWork } from "./state.ts";

/** Whether `renew` gives the work a new token, whatever an earlier execution ended with. */
export interface StartOptions {
  readonly renew: boolean;
}

/** A work item that waits is asked for again: what it waits for may have died with its host, and nobody else may ask for that. */
export function startOrLook(builder: AgentBuilder, options?: StartOptions): void {
  const { works, running } = builder.state;
  const holder = running === undefined ? undefined : entryOf(works, running);
  if (holder === undefined) return startNext(builder, options);
  builder.order({ kind: holder.holder === builder.context.incarnation ? "run" : "watch", workId: holder.id, token: holder.token });
}

/**
 * A1: begins the first ready work when nothing runs. A parked handler of this incarnation goes on under its token; a further
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

/** Another work changed the state since this one read it, or its handler has settled: it runs under a new token, before all others. */
export function runAgain(builder: AgentBuilder, workId: string): void {
  builder.emit({ e: "readied", workId, first: true });
  startNext(builder, { renew: true });
}

/** A work item that nothing can be done for any more, or need be done. */
export function isSettled(work: AgentWork): boolean {
  return work.status === "done" || work.status === "undone" || work.status === "tombstone";
}

/** An actor of one process, or of one work item, goes with the process; one that outlives processes keeps a copy of its own. */
export function ownScope(builder: AgentBuilder, work: AgentWork): string {
  const { id } = builder.state;
  return id === work.processId || id === workActorId(work.id) ? work.processId : keyedScope(work.agent, id);
}

/** Tells the process the result of a work item, if there is one. */
export function reply(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.result !== undefined) builder.order(replyEffect(work, work.result, builder.context));
}

/** Tells the process how a compensation ended, if it has. */
export function replyUndo(builder: AgentBuilder, workId: string): void {
  const work = entryOf(builder.state.works, workId);
  if (work?.undo?.result !== undefined) builder.order(undoReplyEffect(work, builder.context));
}
