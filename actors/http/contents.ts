/**
 * @module Contents in answers: inputs, outputs, arguments, facts. They are shown to tokens with the role `content` alone, and each look at
 * them is a line of the audit, written before the answer. Other tokens get the same answer without them, marked as hidden.
 */
import type { Request } from "express";
import { LruMap } from "../engine/lru.ts";
import { hashText } from "../../runtime/canonical.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Caller, LookedAt, Operations } from "../operations/operations.ts";
import { identityOf } from "./guard.ts";
import type { Role } from "./tokens.ts";

type Body = Readonly<Record<string, unknown>>;

/** How the contents of a route's answers are kept from who may not see them. */
export interface ContentSpec {
  readonly what: LookedAt;
  /** The path parameter that names it. */
  readonly param: string;
  /** A role that sees these contents, too: people see what they decide on. */
  readonly also?: Role | undefined;
  /** The answer without contents. Absent: the route's own role is `content`. */
  readonly hide?: ((body: Body) => Body) | undefined;
}

/** A process without its outputs. */
export function hideProcess({ outcome, ...view }: Body): Body {
  return { ...view, ...(isRecord(outcome) ? { outcome: without(outcome, ["output", "deadLetter"]) } : {}), hidden: true };
}

/** Work items without inputs and outputs. */
export function hideStops({ stops, ...view }: Body): Body {
  return { ...view, stops: listOf(stops).map((stop) => without(stop, ["input", "output"])), hidden: true };
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
    const { roles } = identityOf(asked.request);
    const isOwn = isRecord(body) && spec.what === "process" && body["by"] === asked.caller.principal.subject && body["id"] !== undefined;
    if (isOwn) return body;
    if (!roles.has("content") && (spec.also === undefined || !roles.has(spec.also)))
      return isRecord(body) && spec.hide !== undefined ? spec.hide(body) : body;
    await this.look(spec.what, String(asked.request.params[spec.param] ?? ""), asked);
    return body;
  }

  /** Notes a look: one line for each subject and thing in ten minutes. */
  async look(
    what: LookedAt,
    id: string,
    { caller, operations }: { readonly caller: Caller; readonly operations: Operations },
  ): Promise<void> {
    const { subject, tenant } = caller.principal;
    const span = Math.floor(this.#nowMs() / LIMITS.lookMs);
    const key = hashText(JSON.stringify([what, id, subject, tenant, span]));
    if (this.#noted.get(key) !== undefined) return;
    await operations.looked(what, id, `look-${key}`, caller);
    this.#noted.set(key, true);
  }
}
