/**
 * @module The providers of models in the simulated world, and the ledger of what was bought.
 *
 * What a model says depends on the seed, the request and how often that request was made, and on nothing else, so that it says the same
 * in a run with fewer faults.
 */
import type { ModelAttempt, Models } from "../../actors/engine/ports.ts";
import { hashText } from "../../runtime/canonical.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { stopWorkParts } from "../../runtime/ids.ts";
import type { ModelReply, ModelRequest, ModelUsage } from "../../runtime/model/conversation.ts";
import { type Life, place } from "./life.ts";
import { askedIn, askedName, type Said, sayTo } from "./minds.ts";
import type { ModelRates } from "./model-faults.ts";
import { Random, STREAM } from "./random.ts";
import type { World } from "./world.ts";

/** One attempt that reached its provider. */
export interface BoughtLine {
  readonly atMs: number;
  /** `answered`: a reply was sent. `lost`: a reply was made and paid for, and did not arrive. `failed`: nothing was made or paid for. */
  readonly what: "answered" | "lost" | "failed";
  readonly model: string;
  /** The idempotency key of the call. */
  readonly key: string;
  /** Hash of the request as it was sent. */
  readonly request: string;
  readonly workId: string;
  readonly processId: string;
  readonly agent: string;
  readonly life: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Millionths of a US dollar. */
  readonly costMicros: number;
  /** What the attempt may have at most. A provider that overruns counts more. */
  readonly reserved: ModelUsage;
}

/** What checkers hear of an attempt when it is made. */
export interface AttemptMade {
  readonly key: string;
  readonly workId: string;
  readonly model: string;
  readonly request: string;
}

type Paid = Omit<BoughtLine, "atMs" | "what">;

/** Prices of all simulated models, in millionths of a US dollar for one token. */
const INPUT_MICROS_PER_TOKEN = 1;
const OUTPUT_MICROS_PER_TOKEN = 4;
/** A model of this name has no price. */
const UNPRICED = "unpriced";
const REPLY_MS_MIN = 5;
const REPLY_MS_MAX = 900;
/** A provider that has not answered by then is given up, as the gateway does. */
const GIVEN_UP_MS = 3_000;
const LATE_MS_MAX = 30_000;
const RETRY_AFTER_MS_MAX = 4_000;
/** The clock of a host may be too fast. */
const EARLY_RATIO = 0.97;
const FAILED_STATUS = 500;
const HALF_SHARE = 0.5;
const INPUT_SHARE_MIN = 0.8;
const OVERRUN_TOKENS_MAX = 400;
const SPOKEN_TOKENS_MAX = 300;
const SEED_DIGITS = 8;
const HEXADECIMAL_FORMAT = 16;

/** All providers of a world. */
export class SimModels {
  readonly ledger: BoughtLine[] = [];
  /** Hears of each attempt at the moment at which it reaches its provider. Returns the attempt of the work item that it is made in. */
  onAttempt: (made: AttemptMade) => number = () => 1;
  /** Hears of each request that reaches its provider. */
  onRequest: (workId: string, request: ModelRequest) => void = () => {};
  readonly #world: World;
  readonly #counts = new Map<string, number>();
  /** Calls that complete replies asked for, by work item. */
  readonly #asked = new Map<string, Set<string>>();
  /** Until when a host is to wait before it makes a call again, by key, host and attempt of the work item. */
  readonly #waits = new Map<string, number>();
  readonly #toolTexts = new WeakMap<ModelRequest["tools"], string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The port of one host. */
  of(life: Life): Models {
    return {
      attempt: (attempt) => this.#attempt(life, attempt),
      costMicrosMax: (model, inputTokens, outputTokens) => (model === UNPRICED ? undefined : costOf({ inputTokens, outputTokens })),
      costMicros: (endpoint, usage) => (endpoint === UNPRICED ? undefined : costOf(usage)),
    };
  }

  /** A tool begins a call in a work item that has bought replies: one of them must have asked for it. */
  toolRuns(workId: string, tool: string, input: Json): void {
    const asked = this.#asked.get(workId);
    if (asked === undefined || asked.has(askedName(tool, input))) return;
    this.#world.outside.complain(
      "only what a complete reply asks for is done",
      `${workId} calls ${tool} with ${JSON.stringify(input)}, and no complete reply asked for it`,
    );
  }

  async #attempt(life: Life, attempt: ModelAttempt): Promise<ModelReply> {
    if (attempt.ready !== undefined) await attempt.ready();
    const request = this.#hashOf(attempt.model, attempt.request);
    return this.#world.port<ModelReply>(life, `model ${attempt.model}`, true, (resolve, reject) => {
      const count = (this.#counts.get(request) ?? 0) + 1;
      this.#counts.set(request, count);
      const workId = workIdOf(attempt.idempotencyKey);
      const { idempotencyKey: key, model } = attempt;
      this.onRequest(workId, attempt.request);
      const call = `${key} ${life.name} ${this.onAttempt({ key, workId, model, request })}`;
      if (!this.#asked.has(workId)) this.#asked.set(workId, new Set());
      const about: About = {
        ...{ request, workId, random: this.#random(`${request}/${count}`) },
        ...{ mood: this.#random(workId), spirit: this.#random(stopWorkParts(workId).process) },
      };
      this.#requireWaited(call);
      new Exchange(this.#world, life, attempt, about, {
        sent: (said) => {
          for (const name of askedIn(said)) this.#asked.get(workId)?.add(name);
        },
        note: (line) => void this.ledger.push(line),
        toWait: (ms) => void this.#waits.set(call, this.#world.timeline.nowMs + EARLY_RATIO * ms),
      }).begin(resolve, reject);
    });
  }

  #requireWaited(call: string): void {
    const earlyMs = (this.#waits.get(call) ?? 0) - this.#world.timeline.nowMs;
    if (earlyMs > 0) this.#world.outside.complain("Retry-After is kept", `${call} was made ${Math.round(earlyMs)} ms too early`);
  }

  #random(text: string): Random {
    return new Random(this.#world.options.seed, Number.parseInt(hashText(text).slice(0, SEED_DIGITS), HEXADECIMAL_FORMAT) ^ STREAM.models);
  }

  #hashOf(model: string, request: ModelRequest): string {
    const { tools, ...rest } = request;
    const known = this.#toolTexts.get(tools) ?? JSON.stringify(tools);
    this.#toolTexts.set(tools, known);
    return hashText(`${model} ${known} ${JSON.stringify(rest)}`);
  }
}

interface About {
  readonly request: string;
  readonly workId: string;
  readonly random: Random;
  readonly mood: Random;
  readonly spirit: Random;
}

interface Hooks {
  readonly sent: (said: Said) => void;
  readonly note: (line: BoughtLine) => void;
  /** The provider asked to wait. */
  readonly toWait: (ms: number) => void;
}

/** One attempt at its provider. */
class Exchange {
  readonly #world: World;
  readonly #life: Life;
  readonly #attempt: ModelAttempt;
  readonly #about: About;
  readonly #hooks: Hooks;
  readonly #agent: string;

  constructor(world: World, life: Life, attempt: ModelAttempt, about: About, hooks: Hooks) {
    this.#world = world;
    this.#life = life;
    this.#attempt = attempt;
    this.#about = about;
    this.#hooks = hooks;
    this.#agent = place.getStore()?.agent ?? "";
  }

  begin(resolve: (reply: ModelReply) => void, reject: (error: unknown) => void): void {
    const { random } = this.#about;
    const { faults } = this.#world;
    const happens = (kind: keyof ModelRates): boolean => faults.happens(kind, random);
    const ms = random.int(REPLY_MS_MIN, REPLY_MS_MAX);
    const after = (delayMs: number, act: () => void): void => this.#world.toLife(this.#life, delayMs, act);
    const { signal } = this.#attempt;
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (happens("modelBusy")) {
      const retryAfterMs = random.chance(HALF_SHARE) ? random.int(1, RETRY_AFTER_MS_MAX) : undefined;
      return after(ms, () => {
        if (retryAfterMs !== undefined) this.#hooks.toWait(retryAfterMs);
        this.#fails(reject, new Fault("model.rate-limited", "the provider is busy", undefined, { retryAfterMs }));
      });
    }
    if (happens("modelFails"))
      return after(ms, () => this.#fails(reject, new Fault("model.unavailable", "the provider failed", { status: FAILED_STATUS })));
    if (happens("modelHangs")) return this.#lose(random.chance(HALF_SHARE) ? ms : undefined, GIVEN_UP_MS, "did not answer in time", reject);
    if (happens("modelLate")) return this.#lose(random.int(GIVEN_UP_MS, LATE_MS_MAX), GIVEN_UP_MS, "did not answer in time", reject);
    if (happens("modelCut")) return this.#lose(ms, ms, "broke its reply off", reject);
    if (faults.isWilled("modelOverflows", random))
      return after(ms, () => this.#fails(reject, new Fault("model.context-length", "the conversation is longer than the model takes")));
    const said = sayTo(this.#attempt.request, { ...this.#about, wills: (kind, by) => faults.isWilled(kind, by) });
    const usage = this.#count(said);
    const isCounted = !faults.isWilled("modelUncounted", random);
    this.#world.timeline.after(ms, () => {
      this.#note("answered", usage);
      this.#hooks.sent(said);
      this.#world.trace?.(`model ${this.#attempt.model} to ${this.#about.workId}: ${textOf(said)}`);
      after(this.#world.latency(), () =>
        resolve({ ...said, model: this.#attempt.model, endpoint: this.#attempt.model, ...(isCounted ? { usage } : {}) }),
      );
    });
  }

  #fails(reject: (error: unknown) => void, fault: Fault): void {
    this.#note("failed", { inputTokens: 0, outputTokens: 0 });
    reject(fault);
  }

  /** A reply that is made after a time, or never, and that does not arrive. */
  #lose(madeMs: number | undefined, failsMs: number, how: string, reject: (error: unknown) => void): void {
    if (madeMs !== undefined)
      this.#world.timeline.after(madeMs, () => this.#note("lost", this.#count({ text: "", calls: [], finish: "stop" })));
    this.#world.toLife(this.#life, failsMs, () => reject(new Fault("model.unavailable", `the provider ${how}`)));
  }

  /** Within what was reserved, unless the provider overruns. */
  #count(said: Said): ModelUsage {
    const { random } = this.#about;
    const { inputTokensMax, request } = this.#attempt;
    const most = Math.max(1, Math.min(request.outputTokensMax, SPOKEN_TOKENS_MAX));
    const inputTokens = Math.ceil(inputTokensMax * (INPUT_SHARE_MIN + (1 - INPUT_SHARE_MIN) * random.next()));
    const outputTokens = said.finish === "length" ? request.outputTokensMax : random.int(1, most);
    if (!this.#world.faults.isWilled("modelOverruns", random)) return { inputTokens, outputTokens };
    return random.chance(HALF_SHARE)
      ? { inputTokens: inputTokensMax + random.int(1, OVERRUN_TOKENS_MAX), outputTokens }
      : { inputTokens, outputTokens: request.outputTokensMax + random.int(1, OVERRUN_TOKENS_MAX) };
  }

  #note(what: BoughtLine["what"], usage: ModelUsage): void {
    const { request, workId } = this.#about;
    const { model, idempotencyKey: key, inputTokensMax } = this.#attempt;
    const paid: Paid = {
      ...{ model, key, request, workId, processId: stopWorkParts(workId).process, agent: this.#agent, life: this.#life.name },
      ...usage,
      costMicros: costOf(usage),
      reserved: { inputTokens: inputTokensMax, outputTokens: this.#attempt.request.outputTokensMax },
    };
    this.#hooks.note({ atMs: this.#world.timeline.nowMs, what, ...paid });
  }
}

/** What an attempt cost in millionths of a US dollar. */
export function costOf({ inputTokens, outputTokens }: ModelUsage): number {
  return inputTokens * INPUT_MICROS_PER_TOKEN + outputTokens * OUTPUT_MICROS_PER_TOKEN;
}

/** The work item of the idempotency key of a call. */
function workIdOf(key: string): string {
  return key.split("/").slice(0, -2).join("/");
}

function textOf({ text, calls, refusal, finish }: Said): string {
  const asked = calls.map((call) => `${call.name}(${call.arguments})`).join(" ");
  return [refusal === undefined ? "" : "refuses", text, asked, finish === "stop" || finish === "calls" ? "" : `(cut: ${finish})`]
    .filter((part) => part !== "")
    .join(" ");
}
