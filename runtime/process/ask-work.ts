/** @module How a work item is requested: its actor, its time, its grant. Pure. */
import { entryOf } from "../entries.ts";
import { evaluate } from "../expression.ts";
import { guardNesting } from "../cycle-guard.ts";
import { assertNever, Fault } from "../faults.ts";
import { childProcessId, encodeActorId, messageId, workActorId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import { type Doer, isPerWork } from "../slip.ts";
import type { Value } from "../value.ts";
import { type ProcessBuilder, slipOf, taskOf } from "./decision-builder.ts";
import { firstGrant } from "./grants.ts";
import { workEffect } from "./messages.ts";
import type { Work } from "./work.ts";

/** The time of a work item that follows from another one: a default gives way to the default of who does it now. */
export function timeoutMsAfter(builder: ProcessBuilder, before: Pick<Work, "target" | "timeoutMs">, target: Doer): number {
  return before.timeoutMs === defaultTimeoutMs(builder, before.target) ? defaultTimeoutMs(builder, target) : before.timeoutMs;
}

/** The time of one attempt where the call sets none. */
export function defaultTimeoutMs(builder: ProcessBuilder, target: Doer): number {
  if (target.kind === "route") return LIMITS.taskTimeoutMsDefault;
  const slip = slipOf(taskOf(builder.state).slip, builder.context);
  return entryOf(slip.agents, target.agent)?.timeoutMs ?? LIMITS.stopTimeoutMsDefault;
}

/** Records a work item and orders its request. */
export function askWork(builder: ProcessBuilder, work: Work): void {
  const grant = firstGrant(builder, work);
  const asked = grant === undefined ? work : { ...work, grant };
  builder.emit({ e: "asked", work: asked });
  builder.order(workEffect(builder.state, asked, builder.context));
}

interface Addressed {
  readonly actor: string;
  readonly version: number;
  readonly first?: true;
}

/**
 * Actor and version of the agent or route of a work item.
 * @throws `agent.unknown`, and the faults of the cycle guard
 */
export function addressOf(builder: ProcessBuilder, target: Doer, input: Value, id: string): Addressed {
  switch (target.kind) {
    case "agent":
      return agentAddress(builder, target.agent, input, id);
    case "route": {
      const task = taskOf(builder.state);
      const slip = slipOf(task.slip, builder.context);
      guardNesting(slip, [...task.nesting, task.route], target.route);
      return { actor: childProcessId(messageId(id, 1)), version: entryOf(slip.routes, target.route)?.version ?? 1 };
    }
    default:
      return assertNever(target);
  }
}

function agentAddress(builder: ProcessBuilder, name: string, input: Value, id: string): Addressed {
  const agent = entryOf(slipOf(taskOf(builder.state).slip, builder.context).agents, name);
  if (agent === undefined) throw new Fault("agent.unknown", `the slip has no agent ${JSON.stringify(name)}`);
  const { version, key } = agent;
  if (isPerWork(agent)) return { actor: workActorId(id), version, first: true };
  if (key === undefined) {
    const isFirst = !(builder.state.met ?? []).includes(name);
    return { actor: builder.state.id, version, ...(isFirst ? { first: true } : {}) };
  }
  const actor = evaluate(key, { input: readOne(input, builder.context) });
  if (typeof actor !== "string" && typeof actor !== "number")
    throw new Fault("slip.mapping", `the key of ${name} is ${actor === null ? "null" : `a ${typeof actor}`}, not a text or number`);
  return { actor: encodeActorId(String(actor)), version };
}
