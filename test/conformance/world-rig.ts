/**
 * @module The view of a world that a conformance case has: ports to act on it, the arrivals at the app, and ways to disrupt it.
 *
 * The same cases run over the simulated world and over a real daprd. A case uses no clock but the rig's.
 */
import type { Reminders, InsertResult, StateStore, Transport } from "../../actors/engine/ports.ts";
import type { FaultCode, Json } from "../../runtime/faults.ts";
import { actorType, type Address, type Message, topics, type TurnAnswer } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";

/** The worlds under test: the simulated one, daprd on sqlite with topics in memory, daprd on Redis. */
export const WORLDS = ["simulated", "embedded", "redis"] as const;
/** One of {@link WORLDS}. */
export type WorldName = (typeof WORLDS)[number];

/** What arrived at the app. `event` is a message as the broker delivered it, before its actor was called. */
export type ArrivalKind = "turn" | "tick" | "nudge" | "inspect" | "beat" | "deactivate" | "event" | "notification";

export interface Arrival {
  readonly kind: ArrivalKind;
  /** The actor's id; for a notification the process that it is about. */
  readonly id: string;
  /** The message's or event's id, the reminder's name with what it carries, or the work item of a heartbeat. */
  readonly name: string;
  readonly atMs: number;
  /** Our routes saw it: the app did not answer before them. */
  heard: boolean;
  /** The app has finished with it. */
  ended: boolean;
}

/** How the app reacts to an arrival. The last two reactions happen before our routes see the request. */
export type Reaction =
  | { readonly kind: "answer" }
  | { readonly kind: "wrong-receipt" }
  | { readonly kind: "refuse"; readonly code: FaultCode }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly details?: Readonly<Record<string, Json>> }
  | { readonly kind: "throw" }
  | { readonly kind: "status"; readonly status: number; readonly body: string }
  | { readonly kind: "hang-up" };

export const ANSWER: Reaction = { kind: "answer" };
/** Answers of an app, or of a sidecar in its place, that do not show the result of a call. */
export const BLANKS = {
  "an empty 200": { kind: "status", status: 200, body: "" },
  "a 500 without a code": { kind: "status", status: 500, body: "oh" },
  "a 404": { kind: "status", status: 404, body: "" },
  "a cut connection": { kind: "hang-up" },
} as const satisfies Readonly<Record<string, Reaction>>;
/** One of {@link BLANKS}. */
export type Blank = keyof typeof BLANKS;

type React = (arrival: Arrival) => Reaction | Promise<Reaction>;

/** A part of the world that can be killed and restarted. `start` resolves when it can be used. */
export interface Mortal {
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A part that can also be frozen as by SIGSTOP. */
export interface Freezable extends Mortal {
  freeze(): Promise<void>;
  wake(): Promise<void>;
}

/** How a call can fail on its way. */
export type WriteTrouble = "lost" | "unanswered" | "late";
export type CallTrouble = "lost" | "unanswered";

export interface WorldRig {
  readonly world: WorldName;
  readonly system: string;
  readonly script: Script;
  readonly store: StateStore;
  readonly reminders: Reminders;
  readonly transport: Transport;
  /** A caller with a short timeout, so that a case need not wait. */
  readonly hasty: Transport;
  readonly hastyReminders: Reminders;
  readonly app: Freezable;
  readonly sidecar: Mortal;
  readonly scheduler: Mortal;
  readonly placement: Mortal;
  /** The process of the state and, on redis, of the topics. Absent where it is part of daprd. */
  readonly backend: Mortal | undefined;
  readonly broker: Mortal | undefined;
  /** Sets a reminder without a period. The ports have none, because of how daprd treats them. */
  setOnce(actor: Address, name: string, dueMs: number): Promise<void>;
  /** Drops all data of the scheduler. */
  loseReminders(): Promise<void>;
  /** A write that fails on its way, by a caller with a short timeout. */
  insert(trouble: WriteTrouble, key: string, text: string): Promise<InsertResult>;
  deliver(trouble: CallTrouble, message: Message): Promise<TurnAnswer>;
  /** The next call to an actor gets an inconclusive answer, and nothing runs. */
  blank(actor: Address, how: Blank): void;
  /** Advances the world's time. */
  elapse(ms: number): Promise<void>;
  /** Whether a condition becomes true within a time. It is checked whenever something arrived at the app. */
  comes(condition: () => boolean, withinMs: number): Promise<boolean>;
}

/** The app's reactions for a case, and what arrived. */
export class Script {
  readonly #arrivals: Arrival[] = [];
  readonly #reacts = new Map<string, React>();
  readonly #watchers = new Set<() => void>();

  /** From now on the app reacts this way to arrivals for an actor or a process with this id. */
  on(id: string, react: React): void {
    this.#reacts.set(id, react);
  }

  /** The app reacts this way to the next arrival for this id, and then as before. */
  once(id: string, reaction: Reaction): void {
    const before = this.#reacts.get(id);
    this.on(id, () => {
      if (before === undefined) this.#reacts.delete(id);
      else this.#reacts.set(id, before);
      return reaction;
    });
  }

  /** Records an arrival and returns how the app must react. The caller reports when that is done. */
  async arrived(kind: ArrivalKind, id: string, name: string, atMs: number): Promise<{ readonly reaction: Reaction; done(): void }> {
    const arrival: Arrival = { kind, id, name, atMs, heard: true, ended: false };
    this.#arrivals.push(arrival);
    this.changed();
    const reaction = (await this.#reacts.get(id)?.(arrival)) ?? ANSWER;
    arrival.heard = reaction.kind !== "status" && reaction.kind !== "hang-up";
    return {
      reaction,
      done: () => {
        arrival.ended = true;
        this.changed();
      },
    };
  }

  /** The arrivals at the app for an actor, in their order, whether or not our routes saw them. */
  tries(id: string, kind: ArrivalKind): readonly Arrival[] {
    return this.#arrivals.filter((arrival) => arrival.id === id && arrival.kind === kind);
  }

  /** The arrivals at an actor, in their order. */
  of(id: string, kind: ArrivalKind): readonly Arrival[] {
    return this.tries(id, kind).filter(({ heard }) => heard);
  }

  count(id: string, kind: ArrivalKind): number {
    return this.of(id, kind).length;
  }

  /** Calls back whenever something changed; the returned function ends it. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** {@link WorldRig.comes} over a script and a clock. */
export function comes(
  script: Script,
  after: (ms: number, run: () => void) => void,
  condition: () => boolean,
  withinMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    if (condition()) return resolve(true);
    const end = script.watch(() => {
      if (!condition()) return;
      end();
      resolve(true);
    });
    after(withinMs, () => {
      end();
      resolve(condition());
    });
  });
}

/** A gate that holds its callers until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

let serial = 0;

/** An actor that no other case uses. */
export function freshActor(rig: WorldRig, agent = "Doer"): Address {
  serial += 1;
  return { type: actorType(rig.system, agent), id: `a-${serial}` };
}

/** A key that no other case uses. */
export function freshKey(rig: WorldRig): string {
  serial += 1;
  return `${rig.system}/${rig.system}.Doer/k-${serial}/1`;
}

/** The topic of an actor's messages. */
export function topicOf(rig: WorldRig, actor: Address): string {
  return topics.agent(rig.system, actor.type.slice(rig.system.length + 1));
}

const LIFETIME_MS = 3_600_000;

/** A message that the routes and schemas of a host accept. */
export function messageTo(actor: Address, id = `${actor.id}:m`, reason = "a conformance case"): Message {
  const createdAtMs = Date.UTC(2027, 0, 5);
  return {
    v: 1,
    id,
    to: actor,
    from: "nowhere/0",
    processId: actor.id,
    createdAtMs,
    expiresAtMs: createdAtMs + LIFETIME_MS,
    hop: 0,
    principal: { ...ANONYMOUS, permissions: [] },
    trace: { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` },
    body: { kind: "cancel", reason },
  };
}

/** How a promise ended: its value, or the code of its fault. */
export async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") return `thrown: ${error.code}`;
    return `thrown without a code: ${String(error)}`;
  }
}
