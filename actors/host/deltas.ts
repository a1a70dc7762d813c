/**
 * @module Sends the pieces of replies that this host receives to the hosts of their processes, where followers read them.
 *
 * Best effort, in batches, and never journaled. Where no follower reads them, a batch is tried at long intervals only, and a call that
 * ends before the first one sends nothing.
 */
import { hashText } from "../../runtime/canonical.ts";
import { pathText, stopWorkParts, workOfCall } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelDelta, ModelReply } from "../../runtime/model/conversation.ts";
import { type DeltaAnswer, type DeltaEntry, type DeltaRequest, joined, lastDeltas } from "../../runtime/model/deltas.ts";
import type { Address } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { Clock, ModelAttempt, Models, RandomSource, Transport } from "../engine/ports.ts";
import { DeltaRings } from "./delta-rings.ts";

/** Characters of what tells the numbers of this host from those of others. */
const EPOCH_CHARS = 8;

/** The parts of {@link Deltas}. */
export interface DeltasParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly transport: Transport;
  /** The actor type of processes. */
  readonly processType: string;
  readonly incarnation: string;
}

/** What waits to be sent to the host of one process. */
interface Outbox {
  entries: readonly DeltaEntry[];
  /** Calls that are being made. */
  open: number;
  /** What the host of the process said last. */
  followed: boolean | undefined;
  sending: boolean;
  /** Ends the timer of the next batch. */
  cancel: (() => void) | undefined;
}

/** The pieces of replies that pass through this host: those it receives, and those that followers read here. */
export class Deltas {
  readonly #parts: DeltasParts;
  readonly #rings: DeltaRings;
  readonly #outboxes = new Map<string, Outbox>();
  /** When the host of a process said last that it is followed. */
  readonly #followed = new LruMap<string, number>(LIMITS.deltaRingsMax);

  constructor(parts: DeltasParts) {
    this.#parts = parts;
    this.#rings = new DeltaRings(parts.clock, hashText(parts.incarnation).slice(0, EPOCH_CHARS));
  }

  /** Calls back at every piece of a process that comes to this host, until the returned function is called. */
  listen(process: string, news: () => void): () => void {
    return this.#rings.listen(process, news);
  }

  /** Answers a request to the host of a process. */
  receive(process: Address, request: DeltaRequest): DeltaAnswer {
    if ("add" in request) return { followed: this.#rings.add(process.id, request.add) };
    return this.#rings.read(process.id, request.after);
  }

  /** The models with an ear for the pieces of their replies. `agent` is the agent that calls them. */
  watched(models: Models, agent: string): Models {
    if (this.#parts.transport.deltas === undefined) return models;
    return {
      costMicrosMax: (model, inputTokens, outputTokens) => models.costMicrosMax(model, inputTokens, outputTokens),
      costMicros: (endpoint, usage) => models.costMicros(endpoint, usage),
      providerOf: (name) => models.providerOf?.(name),
      attempt: (attempt) => this.#attempt(models, agent, attempt),
    };
  }

  /** Forgets what waits, because this host stops. */
  stop(): void {
    for (const { cancel } of this.#outboxes.values()) cancel?.();
    this.#outboxes.clear();
  }

  async #attempt(models: Models, agent: string, attempt: ModelAttempt): Promise<ModelReply> {
    const { work, call } = workOfCall(attempt.idempotencyKey);
    const { process, stop, item } = stopWorkParts(work);
    const named = { work, stop: pathText(stop, item), agent, call, attempt: this.#parts.random.token() };
    const outbox = this.#outboxOf(process);
    outbox.open += 1;
    const onDelta = (delta: ModelDelta): void => {
      this.#push(process, outbox, { ...named, ...delta });
      attempt.onDelta?.(delta);
    };
    let ended: DeltaEntry["ended"] = "fault";
    try {
      const reply = await models.attempt({ ...attempt, onDelta });
      ended = "reply";
      return reply;
    } finally {
      outbox.open -= 1;
      this.#push(process, outbox, { ...named, ended });
      this.#leave(process, outbox);
    }
  }

  #outboxOf(process: string): Outbox {
    const known = this.#outboxes.get(process);
    if (known !== undefined) return known;
    const saidMs = this.#followed.get(process);
    const followed = saidMs !== undefined && this.#parts.clock.nowMs() - saidMs < LIMITS.deltaFollowedMs ? true : undefined;
    const made: Outbox = { entries: [], open: 0, followed, sending: false, cancel: undefined };
    this.#outboxes.set(process, made);
    return made;
  }

  #push(process: string, outbox: Outbox, entry: DeltaEntry): void {
    const last = outbox.entries.at(-1);
    const both = last === undefined ? undefined : joined(last, entry);
    outbox.entries = both === undefined ? [...outbox.entries, entry] : [...outbox.entries.slice(0, -1), both];
    this.#bound(outbox);
    this.#schedule(process, outbox);
  }

  /** Drops the oldest pieces that are not taken. */
  #bound(outbox: Outbox): void {
    const kept = lastDeltas(outbox.entries, LIMITS.deltaPendingCharsMax, LIMITS.deltaRingEntriesMax);
    if (kept.length === outbox.entries.length) return;
    const [first, ...rest] = kept;
    outbox.entries = first === undefined ? [] : [{ ...first, skipped: true }, ...rest];
  }

  #schedule(process: string, outbox: Outbox): void {
    if (this.#rings.isFollowed(process)) {
      // Its followers read here, so it is here.
      this.#rings.add(process, outbox.entries);
      outbox.entries = [];
      outbox.followed = true;
      return;
    }
    if (outbox.sending || outbox.cancel !== undefined || outbox.entries.length === 0) return;
    const pauseMs = outbox.followed === false ? LIMITS.deltaProbeMs : LIMITS.deltaBatchMs;
    outbox.cancel = this.#parts.clock.after(pauseMs, () => {
      outbox.cancel = undefined;
      void this.#send(process, outbox);
    });
  }

  async #send(process: string, outbox: Outbox): Promise<void> {
    const { transport, processType } = this.#parts;
    const { entries } = outbox;
    outbox.entries = [];
    outbox.sending = true;
    // A batch that is lost is not sent again.
    const answer = await transport.deltas?.({ type: processType, id: process }, { add: [...entries] }).catch(() => undefined);
    outbox.sending = false;
    outbox.followed = answer !== undefined && "followed" in answer && answer.followed;
    if (outbox.followed) this.#followed.set(process, this.#parts.clock.nowMs());
    else {
      outbox.entries = [...entries, ...outbox.entries];
      this.#bound(outbox);
    }
    if (!this.#leave(process, outbox)) this.#schedule(process, outbox);
  }

  /** Forgets a process whose calls have all ended, unless its last pieces are to be sent. Returns whether it did. */
  #leave(process: string, outbox: Outbox): boolean {
    const isWanted = outbox.followed === true && outbox.entries.length > 0;
    if (outbox.open > 0 || outbox.sending || isWanted) return false;
    outbox.cancel?.();
    outbox.cancel = undefined;
    if (this.#outboxes.get(process) === outbox) this.#outboxes.delete(process);
    return true;
  }
}
