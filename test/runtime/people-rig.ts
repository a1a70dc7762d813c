/** @module A process that asks people: persons in data, decisions to give. */
import { hashJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Decision } from "../../runtime/machine.ts";
import { PersonData, type PersonDecision, RequestContent } from "../../runtime/people/request.ts";
import type { RequestLine } from "../../runtime/people/view.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { requestLines } from "../../runtime/process/people.ts";
import type { Effect, RequestNotification } from "../../runtime/protocol.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { carried, type Principal } from "../../runtime/protocol/principal.ts";
import type { Slip, Stop } from "../../runtime/slip.ts";
import { call, ProcessRig, slipOf, type SlipParts } from "./process-rig.ts";

/** A person in a slip. Without an output it approves, edits or denies. */
export function personData(more: Partial<PersonData> = {}): { readonly person: PersonData } {
  return { person: PersonData.parse({ roles: [], escalate: [], onExpiry: "deny", ...more }) };
}

const YES_NO = {
  type: "object",
  properties: { ok: { type: "boolean" } },
  required: ["ok"],
  additionalProperties: false,
} as const;

/** A slip whose agent P is a person with an answer. */
export function peopleSlip(stops: readonly Stop[], more: Partial<PersonData> = {}, parts: SlipParts = {}): Slip {
  return slipOf(stops, { ...parts, agents: { P: personData({ output: YES_NO, ...more }), ...parts.agents } });
}

/** A stop that asks P. */
export function asks(name: string, more: Partial<Parameters<typeof call>[1]> = {}): Stop {
  const { timeoutMs: _none, ...plain } = call("P");
  return { kind: "one", name, call: { ...plain, ...more } };
}

export const ANN: Principal = { subject: "ann", tenant: "default", permissions: [], roles: ["manager"] };
export const BOB: Principal = { subject: "bob", tenant: "default", permissions: [], roles: ["director"] };

export interface DecideParts {
  readonly by?: Principal;
  readonly request?: string;
  readonly hash?: string;
  readonly decisionId?: string;
}

/** A process and the people who decide. */
export class PeopleRig extends ProcessRig {
  /** The lines of all its requests. */
  get requests(): RequestLine[] {
    return requestLines(this.state);
  }

  /** The newest request. */
  get request(): RequestLine {
    const line = this.requests.at(-1);
    if (line === undefined) throw new Error("there is no request");
    return line;
  }

  content(line: RequestLine = this.request): RequestContent {
    const { content } = line;
    return RequestContent.parse("json" in content ? content.json : this.values.get(content.ref));
  }

  hashOf(input: Json): string {
    return hashJson(input);
  }

  decide(decision: PersonDecision, parts: DecideParts = {}): Decision<ProcessEvent> {
    const { request = this.request.id, decisionId = "d1", by = ANN } = parts;
    const hash = parts.hash ?? this.requests.find(({ id }) => id === request)?.hash ?? "";
    const message = this.message(`decide-${decisionId}`, { kind: "decide", requestId: request, hash, decisionId, decision });
    return this.give({ kind: "message", message: { ...message, principal: carried(by) } });
  }

  answer(output: Json, parts: DecideParts = {}): Decision<ProcessEvent> {
    return this.decide({ do: "answer", output: { json: output } }, parts);
  }

  approve(parts: DecideParts = {}): Decision<ProcessEvent> {
    return this.decide({ do: "approve" }, parts);
  }

  deny(reason = "no", parts: DecideParts = {}): Decision<ProcessEvent> {
    return this.decide({ do: "deny", reason }, parts);
  }
}

/** What a decision writes to the inbox. */
export function inboxOf({ effects }: { readonly effects: readonly Effect[] }): IndexEntry[] {
  return effects.flatMap((effect) => (effect.kind === "index" && effect.index === "Inbox" ? [effect.entry] : []));
}

/** What a decision tells on the topic of requests. */
export function toldOf({ effects }: { readonly effects: readonly Effect[] }): RequestNotification["what"][] {
  return effects.flatMap((effect) => (effect.kind === "notify" && effect.topic === "requests" ? [effect.data.what] : []));
}
