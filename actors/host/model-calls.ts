/**
 * @module Makes model calls: records each try with what it reserves, makes it without a slot, tries again after transient faults, and
 * records the end.
 *
 * The gateway makes one attempt and never retries; the loop of the agent decides what follows a bad answer. So transient faults have one
 * owner, and it is here.
 */
import type { EndedTry, InputOf, ModelName } from "../../runtime/agent/inputs.ts";
import type { Reservation } from "../../runtime/agent/spending.ts";
import type { AgentWork, Failure, ModelCall as KnownCall } from "../../runtime/agent/state.ts";
import { plainJson } from "../../runtime/canonical.ts";
import { Fault, faultFrom, type WireFault } from "../../runtime/faults.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import { type ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import { MODEL_RETRY_DEFAULT, nextTryMs } from "../../runtime/model/retry.ts";
import { endpointOfFault, spentOnFault, spentOnUsage, usageOfFault } from "../../runtime/model/settle.ts";
import type { Clock, Models, RandomSource } from "../engine/ports.ts";
import type { CallTelemetry } from "../telemetry/calls.ts";
import { isGrantNeeded, type HandlerBudget, whyNotBegun } from "./handler-budget.ts";
import type { ReadValues } from "./own-values.ts";
import type { Replay } from "./replay.ts";
import type { SlotUse } from "./slot-use.ts";

/** What an execution reports to its actor about model calls. */
export type ToldOfModel =
  | Pick<InputOf<"model-begun">, "kind" | "call">
  | Pick<InputOf<"model-tried">, "kind" | "call" | "tries" | "fault" | "pauseMs">
  | Pick<InputOf<"model-dropped">, "kind" | "key">
  | Pick<InputOf<"model-ended">, "kind" | "call">;

/** The parts of model calls. */
export interface ModelCallsParts {
  readonly work: AgentWork;
  readonly values: ReadValues;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Aborted when the execution is stopped: no further try is made. */
  readonly signal: AbortSignal;
  /** Aborted when its open tries are given up. */
  readonly tries: AbortSignal;
  readonly replay: Replay;
  readonly slot: SlotUse;
  readonly budget: HandlerBudget;
  /** Absent: the host has no models. */
  readonly models: Models | undefined;
  readonly telemetry: CallTelemetry;
  /** Records a report. Throws the refusal. */
  readonly tell: (told: ToldOfModel) => Promise<unknown>;
  /** Makes a call, from its first look at the records to its own. */
  readonly acting: <T>(make: () => Promise<T>) => Promise<T>;
  /** Throws the recorded failure of this attempt, if there is one. */
  readonly throwFailure: (kind: Failure["kind"], key: string) => Promise<void>;
  /** Looks right before a request is sent whether what it may hold is still true. @throws `memory.stale` */
  readonly requireCurrent: (() => Promise<void>) | undefined;
  /** Resolves when all records were reached. */
  readonly ready: () => Promise<void>;
  /** Records a failure, and returns what the handler receives. */
  readonly failed: (kind: Failure["kind"], key: string, error: unknown) => Promise<unknown>;
}

/** A model call of this execution. */
interface Made {
  readonly call: ModelCall;
  readonly key: string;
  readonly known: KnownCall | undefined;
  tries: number;
  /** When the first try of this attempt began. */
  firstAtMs: number;
  /** When the next try may begin. */
  againAtMs: number;
}

/** The model calls of one execution. */
export class ModelCalls {
  readonly #parts: ModelCallsParts;

  constructor(parts: ModelCallsParts) {
    this.#parts = parts;
  }

  /** Returns the recorded reply, or makes the call. Throws the recorded fault. */
  async chat(call: ModelCall, key: string): Promise<ModelReply> {
    const { replay, acting, budget } = this.#parts;
    const made = this.#madeOf(call, key, replay.model(key));
    return budget.within(key, () => acting(() => this.#recordedOrMade(made)));
  }

  #madeOf(call: ModelCall, key: string, known: KnownCall | undefined): Made {
    const { clock, work } = this.#parts;
    const firstAtMs = known?.first.attempt === work.attempt ? known.first.atMs : clock.nowMs();
    const tried = known?.tried?.attempt === work.attempt ? known.tried : { tries: 0, againAtMs: 0 };
    return { call, key, known, tries: tried.tries, againAtMs: tried.againAtMs, firstAtMs };
  }

  async #recordedOrMade(made: Made): Promise<ModelReply> {
    const { throwFailure, replay, values, ready, models, failed, budget } = this.#parts;
    const { key, known, call } = made;
    await throwFailure("model", key);
    if (known?.reply !== undefined) {
      const reply = await replay.handed(known, values.read(known.reply));
      budget.note(known.spent);
      return ModelReply.parse(reply);
    }
    await ready();
    if (models === undefined)
      throw await failed("model", key, new Fault("model.unknown", `this host has no model ${call.model}`, { model: call.model }));
    return this.#make(made, models);
  }

  async #make(made: Made, models: Models): Promise<ModelReply> {
    const { clock, signal, slot, failed } = this.#parts;
    for (;;) {
      const pauseMs = made.againAtMs - clock.nowMs();
      if (made.tries > 0 && pauseMs > 0) await slot.pause(pauseMs);
      if (signal.aborted) throw signal.reason;
      const { call, key } = made;
      const reserved = reservationOf(call, models);
      try {
        await this.#begin(made, reserved);
      } catch (error) {
        const why = whyNotBegun(error);
        throw isGrantNeeded(why) ? why : await failed("model", key, error);
      }
      if (signal.aborted) throw signal.reason;
      made.tries += 1;
      const reply = await this.#try(made, reserved, models);
      if (reply !== undefined) return reply;
    }
  }

  #begin({ call, key, tries }: Made, reserved: Reservation): Promise<unknown> {
    const { model, hash, facts } = call;
    return this.#parts.tell({ kind: "model-begun", call: { key, model, hash, facts, tries: tries + 1, reserved } });
  }

  /** Returns the reply; undefined if the try failed and another one follows. Throws the recorded fault. */
  async #try(made: Made, reserved: Reservation, models: Models): Promise<ModelReply | undefined> {
    const { signal } = this.#parts;
    let reply: ModelReply;
    try {
      reply = await this.#attempt(made, models);
    } catch (error) {
      const fault = faultFrom(error, "model.unavailable");
      if (signal.aborted) {
        await this.#drop(made, fault, reserved);
        throw error;
      }
      const usage = usageOfFault(fault);
      const endpoint = endpointOfFault(fault);
      const costMicros = usage === undefined || endpoint === undefined ? undefined : models.costMicros(endpoint, usage);
      const spent = usage === undefined ? spentOnFault(fault, reserved) : spentOnUsage(usage, costMicros, reserved);
      return this.#fail(made, { endpoint, usage, spent }, fault, error);
    }
    const { usage, endpoint, model: answered } = reply;
    const costMicros = usage === undefined ? undefined : models.costMicros(endpoint, usage);
    const ended = { endpoint, answered, usage, spent: spentOnUsage(usage, costMicros, reserved) };
    await this.#end(made, ended, reply);
    return reply;
  }

  #attempt({ call, key }: Made, models: Models): Promise<ModelReply> {
    const { model, request, inputTokensMax, priority } = call;
    const { tries: signal, work, slot, telemetry, requireCurrent: ready } = this.#parts;
    const attempt = { model, request, inputTokensMax, priority, idempotencyKey: idempotencyKey(work.id, key), signal, ready };
    const providerOf = (endpoint: string): string | undefined => models.providerOf?.(endpoint);
    return slot.away(() => telemetry.chat({ model, request, providerOf }, () => models.attempt(attempt)));
  }

  /** The execution was stopped. A try that has surely cost nothing gives its reservation back; any other one settles in full. */
  async #drop({ key }: Made, fault: WireFault, reserved: Reservation): Promise<void> {
    if (usageOfFault(fault) !== undefined || spentOnFault(fault, reserved) !== undefined) return;
    // If another execution has the work item already, it was settled in full.
    await this.#parts.tell({ kind: "model-dropped", key }).catch(() => undefined);
  }

  /** Records a reply. One that cannot be recorded, because it is too large, is a fault of the call. */
  async #end(made: Made, ended: EndedTry, reply: ModelReply): Promise<void> {
    const { signal, tell } = this.#parts;
    try {
      await tell({ kind: "model-ended", call: { ...nameOf(made), ...ended, end: { reply: plainJson(reply) } } });
    } catch (error) {
      if (signal.aborted) throw error;
      await this.#fail(made, ended, faultFrom(error, "model.malformed"), error, true);
    }
  }

  /** Records a failure. Throws it unless the same request is sent again. */
  async #fail(made: Made, ended: EndedTry, fault: WireFault, error: unknown, isFinal = false): Promise<undefined> {
    const { clock, random, tell } = this.#parts;
    const { tries, firstAtMs, call } = made;
    const policy = { ...MODEL_RETRY_DEFAULT, ...call.retry };
    const elapsedMs = clock.nowMs() - firstAtMs;
    const pauseMs = isFinal ? undefined : nextTryMs({ tries, elapsedMs, fault, policy, jitter01: random.jitter01() });
    if (pauseMs !== undefined) {
      await tell({ kind: "model-tried", call: { ...nameOf(made), ...ended }, tries, fault, pauseMs });
      made.againAtMs = clock.nowMs() + pauseMs;
      return undefined;
    }
    await tell({ kind: "model-ended", call: { ...nameOf(made), ...ended, end: { fault } } });
    throw Fault.fromWire(fault, error);
  }
}

function nameOf({ key, call }: Made): ModelName {
  return { key, model: call.model };
}

function reservationOf({ model, inputTokensMax, request }: ModelCall, models: Models): Reservation {
  const { outputTokensMax } = request;
  const costMicros = models.costMicrosMax(model, inputTokensMax, outputTokensMax);
  return { inputTokens: inputTokensMax, outputTokens: outputTokensMax, ...(costMicros === undefined ? {} : { costMicros }) };
}
