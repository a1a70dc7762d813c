/**
 * @module What a handler records of its model calls: each try as begun with its reservation, and how it ended. Pure.
 *
 * The decision to begin is a turn, so two hosts cannot both spend the rest of a grant. As all records of a handler, each is idempotent.
 */
import { mayFail, onlyIn, refuseCancelled } from "./calls.ts";
import type { AgentBuilder, EndedTry, InputOf } from "./inputs.ts";
import { packOwn } from "./queue.ts";
import { isOverrun, modelRefusal } from "./spending.ts";
import type { AgentWork, ModelCall } from "./state.ts";

/** Records a try before it is made. Refuses `budget.exhausted`, `budget.price` or `budget.overrun` if the grant does not allow it. */
export function takeModelBegun(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"model-begun">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const known = modelCallOf(work, call.key);
  if (known?.open !== undefined || known?.reply !== undefined) return;
  const refused = modelRefusal(work, call.reserved);
  if (refused !== undefined) return builder.refuse(refused);
  builder.emit({ e: "model-begun", workId: work.id, ...call, attempt: work.attempt, atMs: builder.context.nowMs, ...onlyIn(work) });
}

/** Records a failed try that is made again after a pause. */
export function takeModelTried(builder: AgentBuilder, work: AgentWork, { call, tries, fault, pauseMs }: InputOf<"model-tried">): void {
  if (work.mode === "undo") return refuseCancelled(builder, work);
  const { key, model } = call;
  const known = modelCallOf(work, key);
  const { attempt } = work;
  if (known?.tried?.attempt === attempt && known.tried.tries >= tries) return;
  const againAtMs = builder.context.nowMs + pauseMs;
  builder.emit({
    e: "model-tried",
    ...{ workId: work.id, key, model, attempt, tries, fault },
    ...costOf(known, call),
    againAtMs,
    ...onlyIn(work),
  });
}

/** Records that a try has cost nothing and was given up, also for a cancelled handler: its reservation is free again. */
export function takeModelDropped(builder: AgentBuilder, work: AgentWork, { key }: InputOf<"model-dropped">): void {
  if (modelCallOf(work, key)?.open !== undefined) builder.emit({ e: "model-dropped", workId: work.id, key });
}

/** Records the end of a model call, also for a cancelled handler: it has been paid for. */
export function takeModelEnded(builder: AgentBuilder, work: AgentWork, { call }: InputOf<"model-ended">): void {
  const { key, model, end, usage, answered } = call;
  const known = modelCallOf(work, key);
  if (known?.reply !== undefined) return;
  const about = { e: "model-ended", workId: work.id, key, model, attempt: work.attempt } as const;
  const told = { ...(usage === undefined ? {} : { usage }), ...(answered === undefined ? {} : { answered }) };
  const more = { ...costOf(known, call), ...told, ...onlyIn(work) };
  if ("reply" in end) builder.emit({ ...about, reply: packOwn(builder, work, end.reply), ...more });
  else if (mayFail(builder, work, { kind: "model", key, fault: end.fault })) builder.emit({ ...about, fault: end.fault, ...more });
}

function costOf(known: ModelCall | undefined, { endpoint, spent }: EndedTry): Pick<EndedTry, "endpoint" | "spent"> & { overrun?: true } {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(spent === undefined ? {} : { spent }),
    ...(spent !== undefined && known?.open !== undefined && isOverrun(known.open, spent) ? { overrun: true } : {}),
  };
}

function modelCallOf(work: AgentWork, key: string): ModelCall | undefined {
  return work.modelCalls?.find((call) => call.key === key);
}
