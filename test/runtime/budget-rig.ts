/** @module A process with a budget: the grants in its requests, and its answers to requests for more. */
import type { Grant, Spent } from "../../runtime/budget.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Stop } from "../../runtime/slip.ts";
import { sends } from "./machine-rig.ts";
import { ProcessRig, type SlipParts, slipOf } from "./process-rig.ts";

/** A spending on one model, at 10 micros a token. */
export const spent = (tokens: number, model = "fast"): Spent => ({
  toolCalls: 0,
  models: { [model]: { modelCalls: 1, inputTokens: tokens, outputTokens: 0, costMicros: tokens * 10 } },
});

/** A process that has begun. */
export function begun(stops: readonly Stop[], parts: SlipParts, task: Parameters<ProcessRig["accept"]>[0] = {}): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, parts));
  rig.accept(task);
  return rig;
}

/** The grants in the requests that are not answered, by work item without its process and run. */
export function grantsOf(rig: ProcessRig): Readonly<Record<string, Grant | undefined>> {
  return Object.fromEntries(
    sends(rig.outbox()).flatMap(({ body }) => {
      if (body.kind === "work") return [[body.workId.split(":").slice(2).join(":"), body.grant] as const];
      return body.kind === "task" ? [[body.parent?.workId.split(":").slice(2).join(":") ?? "", body.grant] as const] : [];
    }),
  );
}

/** A work item asks for more. */
export function needs(rig: ProcessRig, workId: string, need: Grant, index = 0): Decision<ProcessEvent> {
  return rig.body({ kind: "wait", workId, index, for: { kind: "budget", need } });
}

/** The answer of a decision to a request for more. */
export function answerOf(decision: Decision<ProcessEvent>): unknown {
  const body = sends(decision.effects).find((message) => message.body.kind === "answer")?.body;
  if (body?.kind !== "answer") return undefined;
  return "output" in body.result && "json" in body.result.output ? body.result.output.json : body.result;
}
