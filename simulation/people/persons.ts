/**
 * @module People who decide on requests in the simulated world: in time, late, after the deadline or never; twice, differently, several
 * at once; and others who may not decide, or who decide on something else than what was asked.
 */
import { Requests } from "../../actors/operations/requests.ts";
import { hashJson } from "../../runtime/canonical.ts";
import { faultFrom, isRetryable, type Json } from "../../runtime/faults.ts";
import type { PersonData, PersonDecision, RequestContent } from "../../runtime/people/request.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import { valueOf, wrongValueOf } from "../world/json-values.ts";
import { Random, STREAM } from "../world/random.ts";
import type { World } from "../world/world.ts";

/** A request as its process recorded it. */
export interface SeenRequest {
  readonly id: string;
  readonly processId: string;
  readonly hash: string;
  readonly content: RequestContent;
  readonly who: Pick<PersonData, "roles" | "escalate" | "agentsDecide">;
  /** The task's principal, who may not decide. */
  readonly principal: Principal;
  /** From now until its deadline; that of its process, if it has none. */
  readonly dueMs: number;
}

/** How people decide: each in time, or with all that goes wrong. */
export type PeopleMode = "all" | "honest";

/** A decision that a person makes. */
export interface Made {
  readonly request: SeenRequest;
  readonly decisionId: string;
  readonly principal: Principal;
  readonly hash: string;
  readonly decision: PersonDecision;
  /** Why it must be refused. Absent: it may stand. */
  readonly wrong?: "hash" | "role" | "self" | "kind" | "schema" | undefined;
}

/** What became of a decision. */
export interface Answered extends Made {
  /** The code of the refusal. Absent: it has a receipt. */
  readonly refused?: string | undefined;
}

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 1_500;
const PATIENCE_MS = 6_000;
const TRIES_MAX = 25;
const PROMPT_MS_MAX = 4_000;
const AFTER_MS_MAX = 20_000;
/** Just after the deadline, while the process may not have taken it yet. */
const JUST_AFTER_MS_MAX = 40;
const DECIDERS_MAX = 2;
const INTRUDERS_MAX = 2;
const NEVER_SHARE = 0.1;
const LATE_SHARE = 0.15;
const AFTER_SHARE = 0.1;
const TWICE_SHARE = 0.3;
const CHANGED_SHARE = 0.3;
const INTRUDER_SHARE = 0.5;
const DENY_SHARE = 0.2;
const EDIT_SHARE = 0.4;
const ALWAYS_SHARE = 0.3;
const ALWAYS_USES_MAX = 3;
const ALWAYS_MS = 60_000;
const EXPIRES_MS = 60_000;
const HEXADECIMAL_FORMAT = 16;
const SEED_DIGITS = 8;
const WRONGS = ["hash", "role", "self", "kind", "schema"] as const;

/** All people of a world. What they do depends on the seed and the request alone. */
export class Persons {
  readonly answered: Answered[] = [];
  readonly #world: World;
  readonly #mode: PeopleMode;
  readonly #seen = new Set<string>();
  /** All decisions that a person has begun to make. */
  readonly made: Made[] = [];
  #open = 0;

  constructor(world: World, mode: PeopleMode) {
    this.#world = world;
    this.#mode = mode;
  }

  /** Every decision that was begun has a receipt or a refusal. */
  get settled(): boolean {
    return this.#open === 0;
  }

  /** What a subject has decided under an id. */
  madeBy(decisionId: string, subject: string): readonly Made[] {
    return this.made.filter((made) => made.decisionId === decisionId && made.principal.subject === subject);
  }

  /** A process has recorded a request. */
  asked(request: SeenRequest): void {
    if (this.#seen.has(request.id)) return;
    this.#seen.add(request.id);
    const random = new Random(
      this.#world.options.seed,
      Number.parseInt(hashJson(request.id).slice(0, SEED_DIGITS), HEXADECIMAL_FORMAT) ^ (STREAM.system + 500),
    );
    const honest = this.#mode === "honest";
    const count = honest ? 1 : random.int(1, DECIDERS_MAX);
    const never = !honest && random.chance(NEVER_SHARE);
    for (let index = 0; index < count; index += 1) {
      const made = decisionOf(request, `${request.id}-d${index}`, personOf(request, index), random);
      const atMs = this.#whenOf(request, random, honest);
      if (never) continue;
      this.#later(atMs, made);
      if (!honest && random.chance(TWICE_SHARE)) this.#later(this.#whenOf(request, random, honest), made);
      if (!honest && random.chance(TWICE_SHARE * CHANGED_SHARE))
        this.#later(atMs + random.int(0, PROMPT_MS_MAX), { ...made, decision: { do: "deny", reason: "on second thoughts" } });
    }
    if (honest || !random.chance(INTRUDER_SHARE)) return;
    for (let index = random.int(1, INTRUDERS_MAX); index > 0; index -= 1)
      this.#later(random.int(1, PROMPT_MS_MAX), wrongOf(request, `${request.id}-w${index}`, random));
  }

  #whenOf({ dueMs }: SeenRequest, random: Random, honest: boolean): number {
    const at = random.next();
    const promptMs = random.int(1, Math.min(PROMPT_MS_MAX, Math.max(1, dueMs)));
    if (honest || at > LATE_SHARE + AFTER_SHARE) return promptMs;
    if (at < LATE_SHARE) return random.int(1, Math.max(1, dueMs));
    return dueMs + random.int(1, random.chance(0.5) ? JUST_AFTER_MS_MAX : AFTER_MS_MAX);
  }

  /** What is decided when the run is over is not decided. */
  #later(afterMs: number, made: Made): void {
    this.#world.timeline.after(afterMs, () => {
      this.#open += 1;
      this.made.push(made);
      this.#decide(made, 1);
    });
  }

  /** Tries until there is an answer for good. A host that dies never answers, so patience has an end, and so has a person. */
  #decide(made: Made, tries: number): void {
    const random = this.#world.random.system;
    const life = this.#world.anyUp(random);
    let over = false;
    const end = (then: () => void): void => {
      if (over) return;
      over = true;
      then();
    };
    const again = (): void => {
      if (tries < TRIES_MAX) return this.#world.timeline.after(random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#decide(made, tries + 1));
      this.#open -= 1;
    };
    const { ports } = life ?? {};
    if (life === undefined || ports === undefined) return again();
    this.#world.timeline.after(PATIENCE_MS, () => end(again));
    const { request, decisionId, principal, hash, decision } = made;
    this.#world.trace?.(`${principal.subject} decides on ${request.id} (${decisionId}): ${JSON.stringify(decision)}`);
    const requests = new Requests(ports, this.#world.options.system.name);
    const body = { kind: "decide", requestId: request.id, hash, decisionId, decision } as const;
    const message = requests.message(request.processId, body, { principal }, ports.clock.nowMs() + EXPIRES_MS, `decide-${decisionId}`);
    requests.insist(message).then(
      (answer) =>
        end(() => {
          if (life.state === "dead") return again();
          this.#answer(made, "refused" in answer ? answer.refused.code : undefined);
        }),
      (error: unknown) =>
        end(() => {
          const fault = faultFrom(error, "turn.failed");
          if (isRetryable(fault)) return again();
          this.#answer(made, fault.code);
        }),
    );
  }

  #answer(made: Made, refused: string | undefined): void {
    this.#world.trace?.(`${made.decisionId} ${refused === undefined ? "has a receipt" : `is refused: ${refused}`}`);
    this.answered.push({ ...made, refused });
    this.#open -= 1;
  }
}

/** A person who may decide: one of the first roles, later one of any role that the escalation names. */
function personOf({ who, principal }: SeenRequest, index: number): Principal {
  const roles = [...who.roles, ...who.escalate.flatMap((step) => step.roles)];
  const role = index === 0 ? who.roles.slice(0, 1) : roles.slice(-1);
  return { subject: `person-${role[0] ?? "any"}-${index}`, tenant: principal.tenant, permissions: [], roles: role };
}

function decisionOf(request: SeenRequest, decisionId: string, principal: Principal, random: Random): Made {
  const { content, hash } = request;
  const made = { request, decisionId, principal, hash };
  const texts = { random, texts: ["fine", "as agreed"] };
  if (random.chance(DENY_SHARE)) return { ...made, decision: { do: "deny", reason: "no" } };
  if (content.outputSchema !== undefined)
    return { ...made, decision: { do: "answer", output: { json: valueOf(content.outputSchema as JsonSchema, texts) } } };
  if (content.kind !== "budget" && random.chance(EDIT_SHARE))
    return { ...made, decision: { do: "edit", input: { json: editOf(content, random) } } };
  const count = content.always?.length ?? 0;
  if (count === 0 || !random.chance(ALWAYS_SHARE)) return { ...made, decision: { do: "approve" } };
  const always = { rule: random.int(0, count - 1), usesMax: random.int(1, ALWAYS_USES_MAX), forMs: ALWAYS_MS };
  return { ...made, decision: { do: "approve", always } };
}

/** The same arguments with one field changed: a person corrects, and does not write everything anew. */
function editOf({ input, inputSchema }: RequestContent, random: Random): Json {
  const other = valueOf(inputSchema as JsonSchema, { random, texts: ["corrected"] });
  if (typeof input !== "object" || input === null || Array.isArray(input) || typeof other !== "object" || other === null) return other;
  const keys = Object.keys(input);
  if (keys.length === 0 || Array.isArray(other)) return other;
  const key = random.pick(keys);
  const value = (other as Readonly<Record<string, Json>>)[key];
  return value === undefined ? (input as Json) : { ...(input as Readonly<Record<string, Json>>), [key]: value };
}

/** A decision that must be refused, and that leaves the request open. */
function wrongOf(request: SeenRequest, decisionId: string, random: Random): Made {
  const { who, content, principal } = request;
  const right = personOf(request, 0);
  const kinds = WRONGS.filter((wrong) => (wrong !== "role" || who.roles.length > 0) && (wrong !== "kind" || who.agentsDecide !== true));
  const wrong = random.pick(kinds);
  const yes = { ...decisionOf(request, decisionId, right, random), wrong };
  switch (wrong) {
    case "hash":
      return { ...yes, hash: hashJson(["something else", decisionId]) };
    case "role":
      return { ...yes, principal: { ...right, subject: "stranger", roles: ["clerk"] } };
    case "self":
      return { ...yes, principal: { ...principal, roles: right.roles ?? [] } };
    case "kind":
      return { ...yes, principal: { ...right, subject: "machine", kind: random.pick(["agent", "peer"] as const) } };
    case "schema": {
      const output = content.outputSchema as JsonSchema | undefined;
      if (output !== undefined) return { ...yes, decision: { do: "answer", output: { json: wrongValueOf(output, { random }) } } };
      return { ...yes, decision: { do: "edit", input: { json: wrongValueOf(content.inputSchema as JsonSchema, { random }) } } };
    }
    default:
      return wrong satisfies never;
  }
}
