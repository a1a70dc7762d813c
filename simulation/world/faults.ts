/**
 * @module Which faults a run may have, how often, and which it had.
 *
 * Every fault that happens has a name of its own (its kind and the number of the occasion), so that a failing run can be
 * run again with some of them only: that is how it shrinks.
 */
import { ALL_MODEL_FAULTS, MODEL_FAULT_TEXTS, type ModelRates, NO_MODEL_FAULTS } from "./model-faults.ts";
import { Random, STREAM } from "./random.ts";

/** Probabilities of faults at one occasion, 0 to 1, and numbers of faults that are planned for a run. */
export interface FaultRates extends ModelRates {
  /** A message that was published never comes. */
  readonly dropPublish: number;
  /** A message comes twice. */
  readonly duplicate: number;
  /** A message or answer takes much longer, so others pass it. */
  readonly delay: number;
  /** A call never reaches the other host. */
  readonly dropRequest: number;
  /** The turn ran, and its answer is lost. */
  readonly loseAnswer: number;
  /** The sidecar answers 200 with nothing although nothing ran. */
  readonly emptyAnswer: number;
  readonly dropHeartbeat: number;
  /** A write is not made and not answered. */
  readonly writeLost: number;
  /** A write is made and not answered. */
  readonly writeUnanswered: number;
  /** A write is made long after its caller gave it up. */
  readonly writeLate: number;
  readonly readFails: number;
  /** The reminder service does not take the call. */
  readonly reminderCallFails: number;
  readonly reminderLate: number;
  readonly reminderDoubled: number;
  /** An outside effect fails before it happened. */
  readonly effectFails: number;
  /** An outside effect happens and its answer is lost. */
  readonly effectUnanswered: number;
  /** An outside effect never answers; it happened or not. */
  readonly effectHangs: number;
  /** An outside effect happens long after its caller gave up. */
  readonly effectLate: number;
  /** A handler throws an error that is not a coded fault. */
  readonly handlerThrows: number;
  /** Hosts that are killed. */
  readonly crashes: number;
  /** Hosts that are stopped for a while, as with SIGSTOP. */
  readonly freezes: number;
  /** One-way cuts between two hosts, or between a host and the broker. */
  readonly partitions: number;
  /** Times in which placement lets two hosts own an actor. */
  readonly doubleOwners: number;
  /** Times in which the store does not answer. */
  readonly storeOutages: number;
  /** All reminders are lost, as when the scheduler's folder is deleted. */
  readonly remindersLost: number;
  /** The store loses the writes of its last second. */
  readonly storeForgets: number;
  /** Greatest difference between a host's clock and the world's, in milliseconds. */
  readonly clockOffsetMs: number;
  /** Greatest error of the speed of a host's clock. */
  readonly clockRate: number;
  /** The leases of hosts cannot be renewed or read. */
  readonly leaseFails: number;
  /** The leases are read as they were a while ago, so that a living host looks dead. */
  readonly leaseStale: number;
}

export const NO_FAULTS: FaultRates = {
  dropPublish: 0,
  duplicate: 0,
  delay: 0,
  dropRequest: 0,
  loseAnswer: 0,
  emptyAnswer: 0,
  dropHeartbeat: 0,
  writeLost: 0,
  writeUnanswered: 0,
  writeLate: 0,
  readFails: 0,
  reminderCallFails: 0,
  reminderLate: 0,
  reminderDoubled: 0,
  effectFails: 0,
  effectUnanswered: 0,
  effectHangs: 0,
  effectLate: 0,
  handlerThrows: 0,
  crashes: 0,
  freezes: 0,
  partitions: 0,
  doubleOwners: 0,
  storeOutages: 0,
  remindersLost: 0,
  storeForgets: 0,
  clockOffsetMs: 0,
  clockRate: 0,
  leaseFails: 0,
  leaseStale: 0,
  ...NO_MODEL_FAULTS,
};

/** The highest rates; each seed uses a part of them. The store loses nothing here: no promise holds for a store that does. */
export const ALL_FAULTS: FaultRates = {
  dropPublish: 0.3,
  duplicate: 0.2,
  delay: 0.2,
  dropRequest: 0.1,
  loseAnswer: 0.15,
  emptyAnswer: 0.1,
  dropHeartbeat: 0.3,
  writeLost: 0.08,
  writeUnanswered: 0.12,
  writeLate: 0.05,
  readFails: 0.05,
  reminderCallFails: 0.1,
  reminderLate: 0.3,
  reminderDoubled: 0.3,
  effectFails: 0.2,
  effectUnanswered: 0.15,
  effectHangs: 0.05,
  effectLate: 0.08,
  handlerThrows: 0.1,
  crashes: 4,
  freezes: 2,
  partitions: 2,
  doubleOwners: 2,
  storeOutages: 1,
  remindersLost: 1,
  storeForgets: 0,
  clockOffsetMs: 20_000,
  clockRate: 0.02,
  leaseFails: 0.3,
  leaseStale: 0.5,
  ...ALL_MODEL_FAULTS,
};

export type FaultKind = keyof FaultRates;

const KINDS = Object.keys(NO_FAULTS) as FaultKind[];
/** Share of the kinds that a seed has at all ("swarm testing": Groce and others, 2012). */
const KIND_SHARE = 0.5;
/** Share of seeds without any fault. */
const CALM_SHARE = 0.02;

/** The rates of one seed: some kinds are left out, the others are more or less frequent. */
export function ratesOf(seed: number, most: FaultRates): FaultRates {
  const random = new Random(seed, STREAM.plan);
  const calm = random.chance(CALM_SHARE);
  const rates: { -readonly [Kind in FaultKind]: number } = { ...NO_FAULTS };
  for (const kind of KINDS) {
    const share = random.chance(KIND_SHARE) ? random.next() : 0;
    const scaled = most[kind] * share;
    if (!calm) rates[kind] = most[kind] >= 1 && most[kind] < 100 ? Math.round(scaled + (share > 0 ? 0.5 : 0)) : scaled;
  }
  return rates;
}

/** Faults as a reader of a trace sees them. */
const FAULT_TEXTS: Readonly<Record<FaultKind, string>> = {
  dropPublish: "this message never comes",
  duplicate: "this comes twice",
  delay: "this takes much longer",
  dropRequest: "this call reaches no host",
  loseAnswer: "the answer to this call will be lost",
  emptyAnswer: "the answer is 200 with nothing in it, and nothing ran",
  dropHeartbeat: "this heartbeat is lost",
  writeLost: "this write is not made",
  writeUnanswered: "this write is made and not answered",
  writeLate: "this write is made much later",
  readFails: "this read fails",
  reminderCallFails: "this call about a reminder fails",
  reminderLate: "this reminder rings late",
  reminderDoubled: "this reminder rings twice",
  effectFails: "the other program fails before it does anything",
  effectUnanswered: "the other program does it, and the answer is lost on the way",
  effectHangs: "the other program never answers",
  effectLate: "the other program does it long after it was given up",
  handlerThrows: "the handler throws",
  crashes: "a host is killed",
  freezes: "a host stands still",
  partitions: "one way is cut",
  doubleOwners: "placement names two owners",
  storeOutages: "the store goes away",
  remindersLost: "all reminders are lost",
  storeForgets: "the store forgets",
  clockOffsetMs: "a clock is wrong",
  clockRate: "a clock is too fast or slow",
  leaseFails: "the leases do not answer",
  leaseStale: "the leases are read as they were",
  ...MODEL_FAULT_TEXTS,
};

/** A fault that happened. */
export interface Fired {
  readonly name: string;
  readonly kind: FaultKind;
}

/**
 * Decides at every occasion whether a fault happens. `only` names the faults that may happen, for a run that repeats
 * another one in part; without it all may.
 */
export class Faults {
  readonly rates: FaultRates;
  readonly fired: Fired[] = [];
  readonly #only: ReadonlySet<string> | undefined;
  readonly #counts = new Map<FaultKind, number>();
  #on = true;
  /** Hears of every fault, in words. */
  told: ((line: string) => void) | undefined;

  constructor(rates: FaultRates, only: ReadonlySet<string> | undefined) {
    this.rates = rates;
    this.#only = only;
  }

  /** No faults are injected after this call. */
  end(): void {
    this.#on = false;
  }

  get on(): boolean {
    return this.#on;
  }

  /** Whether a fault of this kind happens at this occasion. */
  happens(kind: FaultKind, random: Random): boolean {
    return this.#on && this.isWilled(kind, random);
  }

  /** The same for what does not end with the faults: what a model says. */
  isWilled(kind: FaultKind, random: Random): boolean {
    const rate = this.rates[kind];
    return rate > 0 && random.next() < rate && this.allow(kind);
  }

  /** Takes the next number of the kind; whether a planned fault of that number may happen. */
  allow(kind: FaultKind): boolean {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `${kind}:${count}`;
    if (this.#only !== undefined && !this.#only.has(name)) return false;
    this.fired.push({ name, kind });
    this.told?.(`FAULT ${name}: ${FAULT_TEXTS[kind]}`);
    return true;
  }
}

/** A kill or stop of a host at one of its calls to the world. */
export interface CallFault {
  /** Number of the call, over all hosts, from 1. */
  readonly call: number;
  readonly kind: "crash-before" | "crash-after" | "freeze";
  /** Time until the host starts again or wakes; undefined: when the safety phase ends. */
  readonly forMs: number | undefined;
}

/** A stop of a host at the call of this number among those whose description matches. */
export interface Sleep extends CallFault {
  readonly at: RegExp;
}
