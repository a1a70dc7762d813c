/** @module How a process asks people: of stops, of handlers, at the end of a budget, about an output. Pure. */
import { plainJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { Fault } from "../faults.ts";
import { type Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import { ANY_PERSON, type PersonAsk, type PersonData, RequestContent } from "../people/request.ts";
import { cutAbout } from "../people/view.ts";
import type { Doer } from "../slip.ts";
import { type Value, valueHash } from "../value.ts";
import { totalSpent } from "../budget.ts";
import { type ProcessBuilder, slipOf, taskOf } from "./decision-builder.ts";
import { openRequests } from "./people.ts";
import type { PersonWait, Wait } from "./wait.ts";
import { beginWait } from "./waits.ts";

/** Where a request stands: the fields of its wait. */
export type RequestPlace = Pick<Wait, "id" | "stop" | "item" | "asker" | "optional" | "aside" | "again">;

/** What is asked. `content` is a stored `RequestContent`, `hash` that of its input. */
interface Asked {
  readonly person: string | undefined;
  readonly content: Value;
  readonly hash: string;
  /** Replaces the deadline of the person, in milliseconds. */
  readonly deadlineMs?: number | undefined;
}

/** The parts of a content that differ. */
export type ContentParts = Pick<RequestContent, "kind" | "input" | "reason" | "rule"> &
  Partial<Pick<RequestContent, "agent" | "evidence" | "label" | "inputSchema" | "outputSchema">>;

/** Whether a work item's target is a person. If so, no work message is sent; people are asked. */
export function personOf(builder: ProcessBuilder, target: Doer): PersonData | undefined {
  if (target.kind !== "agent") return undefined;
  return entryOf(slipOf(taskOf(builder.state).slip, builder.context).agents, target.agent)?.person;
}

/**
 * The person that is asked; without a name, all who may decide.
 * @throws `agent.unknown`
 */
function dataOf(builder: ProcessBuilder, name: string | undefined): PersonData {
  if (name === undefined) return ANY_PERSON;
  const data = personOf(builder, { kind: "agent", agent: name });
  if (data === undefined) throw new Fault("agent.unknown", `the slip has no person ${JSON.stringify(name)}`);
  return data;
}

/** A question to a person. `by`: what asks, for people. */
interface Question {
  readonly person: string;
  readonly input: Value;
  readonly label: Label | undefined;
  readonly by: string;
  /** The agent that asks. */
  readonly agent?: string;
  /** Replaces the usual reason. */
  readonly reason?: string;
}

/** Asks a person a question: the input of a stop, or of a handler's ask or hand-off. */
export function askPerson(builder: ProcessBuilder, place: RequestPlace, question: Question, deadlineMs?: number): PersonWait {
  const { person, input, label, by, agent, reason } = question;
  const data = dataOf(builder, person);
  const content = packContent(builder, {
    kind: "question",
    input: readOne(input, builder.context),
    reason: reason ?? `${by} asks ${person}`,
    rule: `question to ${person}`,
    ...(agent === undefined ? {} : { agent }),
    ...labelField(label),
    inputSchema: data.input ?? {},
    ...(data.output === undefined ? {} : { outputSchema: data.output }),
  });
  return beginRequest(builder, place, { person, content, hash: valueHash(input), deadlineMs });
}

/** Begins the wait for a decision that an agent asks for: a consent for a call. */
export function beginConsent(builder: ProcessBuilder, place: RequestPlace, { person, content, hash }: PersonAsk): PersonWait {
  const { input } = contentOf(content, builder);
  if (hash !== valueHash({ json: input })) throw new Fault("person.changed", "the hash of a request is not that of its input");
  return beginRequest(builder, place, { person, content, hash });
}

/** Stores the content of a request, with what the process has spent so far. */
export function packContent(builder: ProcessBuilder, parts: ContentParts): Value {
  const { account } = builder.state;
  const spent = account === undefined ? undefined : totalSpent(account.spent);
  const { reason, evidence = [], inputSchema = {}, ...rest } = parts;
  const content: RequestContent = {
    ...rest,
    reason: reason.slice(0, LIMITS.requestReasonCharsMax).toWellFormed(),
    evidence,
    inputSchema,
    ...(spent === undefined ? {} : { spent }),
  };
  return builder.pack(plainJson(content));
}

/** The content of a request. */
export function contentOf(content: Value, builder: Pick<ProcessBuilder, "context">): RequestContent {
  return RequestContent.parse(readOne(content, builder.context));
}

/**
 * Begins the wait for a decision.
 * @throws `person.too-many`, `agent.unknown`
 */
export function beginRequest(builder: ProcessBuilder, place: RequestPlace, asked: Asked): PersonWait {
  const { state } = builder;
  const { nowMs } = builder.context;
  const open = openRequests(state).length;
  if (open >= LIMITS.personRequestsMax) throw new Fault("person.too-many", `${open} requests of ${state.id} are open; that is the limit`);
  const { person, content, hash } = asked;
  const { roles, remindMs, escalate, onExpiry, agentsDecide, ...data } = dataOf(builder, person);
  const deadlineMs = asked.deadlineMs ?? data.deadlineMs;
  const { kind, agent, tool, reason } = contentOf(content, builder);
  const wait = {
    ...place,
    begunAtMs: nowMs,
    for: {
      kind: "person" as const,
      count: (state.people?.count ?? 0) + 1,
      about: kind,
      ...(person === undefined ? {} : { person }),
      ...(agent === undefined ? {} : { agent }),
      ...(tool === undefined ? {} : { tool }),
      reason: cutAbout(reason),
      content,
      hash,
      who: {
        roles,
        escalate,
        onExpiry,
        ...(remindMs === undefined ? {} : { remindMs }),
        ...(agentsDecide === undefined ? {} : { agentsDecide }),
      },
      ...(deadlineMs === undefined ? {} : { endsAtMs: nowMs + deadlineMs }),
      reminded: 0,
      escalated: 0,
      step: "asked" as const,
      toldAtMs: nowMs,
    },
  };
  const due = nextStepMs(wait);
  const begun: PersonWait = due === undefined ? wait : { ...wait, dueAtMs: due };
  beginWait(builder, begun);
  return begun;
}

/** When a request has its next step: its deadline, a reminder or an escalation. */
export function nextStepMs({
  begunAtMs,
  for: { who, endsAtMs, reminded, escalated, heldMs = 0 },
}: Pick<PersonWait, "begunAtMs" | "for">): number | undefined {
  const { remindMs, escalate } = who;
  const fromMs = begunAtMs + heldMs;
  const reminder = remindMs === undefined || reminded >= LIMITS.personRemindersMax ? undefined : fromMs + (reminded + 1) * remindMs;
  const step = escalate[escalated];
  const moments = [endsAtMs, reminder, step === undefined ? undefined : fromMs + step.afterMs].filter((moment) => moment !== undefined);
  return moments.length === 0 ? undefined : Math.min(...moments);
}
