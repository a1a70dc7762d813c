/**
 * @module Contents in answers: inputs, outputs, arguments, facts. They are shown to tokens with the role `content` alone, and each look at
 * them is a line of the audit, written before the answer. Other tokens get the same answer without them, marked as hidden.
 */
import type { Request } from "express";
import { LruMap } from "../engine/lru.ts";
import { hashText } from "../../runtime/canonical.ts";
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { DEFAULT_TENANT, isOfTenant } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { RequestLine } from "../../runtime/people/view.ts";
import { forbids } from "../../runtime/people/who.ts";
import type { Caller, LookedAt, Operations } from "../operations/operations.ts";
import { identityOf } from "./guard.ts";
import type { Identity } from "./tokens.ts";

type Body = Readonly<Record<string, unknown>>;

/** How the contents of a route's answers are kept from who may not see them. */
export interface ContentSpec {
  readonly what: LookedAt;
  /** The path parameters that name what is looked at: a line of the audit for each. */
  readonly params: readonly string[];
  /** Who else sees these contents. */
  readonly also?: ((body: Body, identity: Identity) => boolean) | undefined;
  /** The answer without contents. Absent: the route's own role is `content`. */
  readonly hide?: ((body: Body) => Body) | undefined;
}

/** A process without its outputs and the contents of its requests to people. */
export function hideProcess({ outcome, requests, ...view }: Body): Body {
  return {
    ...view,
    ...(isRecord(outcome) ? { outcome: without(outcome, ["output", "deadLetter"]) } : {}),
    ...(requests === undefined ? {} : { requests: listOf(requests).map((line) => without(line, ["content"])) }),
    hidden: true,
  };
}

/** Work items without inputs and outputs, and without the input of the task. */
export function hideStops({ stops, ...view }: Body): Body {
  return { ...without(view, ["task"]), stops: listOf(stops).map((stop) => without(stop, ["input", "output"])), hidden: true };
}

/** A dead letter without its message. */
export function hideLetter(body: Body): Body {
  return { ...body, letter: null, hidden: true };
}

/** A request to a person without what is asked. */
export function hideRequest(body: Body): Body {
  return { ...without(body, ["always"]), input: null, evidence: [], hidden: true };
}

/** A memory without the contents of its facts. */
export function hideMemory({ facts, ...view }: Body): Body {
  return { ...view, facts: listOf(facts).map((fact) => without(fact, ["value"])), hidden: true };
}

/** A fact without its content. */
export function hideFact(body: Body): Body {
  return { ...without(body, ["value"]), hidden: true };
}

/** Whether a caller has submitted a process. A subject of one tenant is not the subject of that name of another one. */
export function isOwn({ id, by }: { readonly id?: unknown; readonly by?: unknown }, { principal, tenant }: Identity): boolean {
  // A token of a tenant is only answered about processes of its tenant, by the ids that it gave them.
  return by === principal.subject && typeof id === "string" && (tenant !== undefined || isOfTenant(id, principal.tenant));
}

const Decidable = RequestLine.pick({ id: true, roles: true, agentsDecide: true, forSubject: true, tenant: true });

/** Whether a caller may decide on the request that is shown. */
export function mayDecide(body: Body, { roles, principal, isUnnamed }: Identity): boolean {
  const parsed = Decidable.safeParse(body);
  if (!parsed.success || !roles.has("decide") || isUnnamed === true) return false;
  const { forSubject: subject, tenant = DEFAULT_TENANT, ...request } = parsed.data;
  return forbids({ ...request, for: { subject, tenant } }, principal) === undefined;
}

function without(body: Body, names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

function listOf(value: unknown): readonly Body[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Body {
  return typeof value === "object" && value !== null;
}

/** Decides who sees contents, and notes the looks of one host. */
export class Contents {
  readonly #nowMs: () => number;
  readonly #noted = new LruMap<string, true>(LIMITS.looksKnownMax);

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The answer of a route as its caller may see it. Throws what the audit throws: then nothing is shown. */
  async shown(
    spec: ContentSpec,
    body: unknown,
    asked: { readonly request: Request; readonly caller: Caller; readonly operations: Operations },
  ): Promise<unknown> {
    const identity = identityOf(asked.request);
    if (isRecord(body)) {
      if (spec.what === "process" && isOwn(body, identity)) return body;
      const isShown = identity.roles.has("content") || spec.also?.(body, identity) === true;
      if (!isShown && spec.hide !== undefined) return spec.hide(body);
    }
    for (const param of spec.params) await this.look(spec.what, String(asked.request.params[param] ?? ""), asked);
    return body;
  }

  /** Notes a look: one line for each subject and thing in ten minutes. Throws `audit.unavailable`. */
  async look(
    what: LookedAt,
    id: string,
    { caller, operations }: { readonly caller: Caller; readonly operations: Operations },
  ): Promise<void> {
    const { subject, tenant } = caller.principal;
    const span = Math.floor(this.#nowMs() / LIMITS.lookMs);
    const key = hashText(JSON.stringify([what, id, subject, tenant, span]));
    if (this.#noted.get(key) !== undefined) return;
    try {
      await operations.looked(what, id, `look-${key}`, caller);
    } catch (error) {
      const { code, message } = faultFrom(error, "turn.failed");
      throw new Fault("audit.unavailable", `a look at contents could not be written to the audit: ${code}: ${message}`);
    }
    this.#noted.set(key, true);
  }
}
