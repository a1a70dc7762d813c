/**
 * @module The lines of the audit about checks: which tools an agent may use for a task, and the verdict about each call. Pure.
 *
 * A call has a line if its tool has a permission or a rule, or if its input may come from untrusted text. Ids are the same in each
 * execution of an attempt, so a line is written once.
 */
import { hashJson, plainJson } from "./canonical.ts";
import type { AgentWork } from "./agent/state.ts";
import { isUntrusted } from "./label.ts";
import { LIMITS } from "./limits.ts";
import { type CallFacts, type Judgement, mayUse } from "./policy.ts";
import type { IndexEntry } from "./protocol/bodies.ts";

/** What is checked in the audit: a call of a tool, or an agent that is made for a work item. */
const CHECKS = { call: "call", agent: "agent made" } as const;

type Worked = Pick<AgentWork, "id" | "attempt" | "processId" | "principal" | "agent">;

/** Whether the check of a call is a line of the audit. */
export function isAudited({ tool: { permission, approve, declassify }, label }: Pick<CallFacts, "tool" | "label">): boolean {
  return permission !== undefined || approve !== undefined || declassify !== undefined || isUntrusted(label);
}

/** The line of a call. `key` identifies the call in its work item. */
export function callEntry(work: Worked, { key, facts, judgement }: CheckedCall, atMs: number): IndexEntry {
  const { tool, input, label } = facts;
  const { verdict, rule } = judgement;
  const from = isUntrusted(label) ? `; derived from ${label.join(", ")}` : "";
  const why = `tool ${tool.name} (${tool.effect}) of ${work.agent} ${verdict}: ${rule}${from}`;
  return entryOf(work, {
    what: CHECKS.call,
    why,
    about: { key, input, verdict, rule },
    facts: { tool: tool.name, verdict, rule: cut(rule) },
    atMs,
  });
}

/** A call that was judged. */
export interface CheckedCall {
  readonly key: string;
  readonly facts: CallFacts;
  readonly judgement: Judgement;
}

/** The line of an agent that is made for a work item; undefined if none of its tools needs a permission. */
export function madeEntry(
  work: Worked,
  tools: Iterable<CallFacts["tool"]>,
  agent: readonly string[] | undefined,
  atMs: number,
): IndexEntry | undefined {
  const guarded = [...tools].filter(({ permission }) => permission !== undefined);
  if (guarded.length === 0 && agent === undefined) return undefined;
  const names = (may: boolean): string =>
    guarded
      .filter(({ permission }) => mayUse(permission, work.principal) === may)
      .map(({ name }) => name)
      .join(", ") || "none";
  const why = `agent ${work.agent} made; with permissions it may use: ${names(true)}; it may not use: ${names(false)}`;
  return entryOf(work, { what: CHECKS.agent, why, about: { made: work.agent }, facts: { verdict: "made" }, atMs });
}

interface Line {
  readonly what: string;
  readonly why: string;
  /** What makes the line another one within its attempt. */
  readonly about: object;
  readonly facts: IndexEntry["facts"];
  readonly atMs: number;
}

function entryOf({ id, attempt, processId, principal, agent }: Worked, { what, why, about, facts, atMs }: Line): IndexEntry {
  return {
    id: `${id}:${attempt}/check-${hashJson(plainJson(about))}`,
    open: false,
    atMs,
    facts: { who: principal.subject, what, target: processId, why: cut(why), agent, ...facts },
  };
}

function cut(text: string): string {
  return text.length <= LIMITS.requestReasonCharsMax ? text : text.slice(0, LIMITS.requestReasonCharsMax).toWellFormed();
}
