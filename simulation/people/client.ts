/**
 * @module Clients of the simulated system: they submit tasks until they hold a receipt, repeat themselves, and cancel.
 */
import { faultFrom, isRetryable } from "../../runtime/faults.ts";
import { ANONYMOUS, type Principal } from "../../runtime/protocol/principal.ts";
import type { Life } from "../world/life.ts";
import { Random } from "../world/random.ts";
import { NOTHING } from "../world/timeline.ts";
import type { OperatorAct } from "../../actors/operations/operations.ts";
import type { World } from "../world/world.ts";

/** A signal that a client sends, with its own id as the payload. */
export interface SimSignal {
  readonly name: string;
  readonly signalId: string;
  readonly atMs: number;
  /** The client sends it once more at this moment. */
  readonly againAtMs?: number | undefined;
}

export interface SimTask {
  readonly id: string;
  readonly route: string;
  readonly input: unknown;
  readonly timeoutMs: number;
  readonly atMs: number;
  /** Who submits it. Absent: a client without a name. */
  readonly principal?: Principal | undefined;
  /** The permissions that the submitter gives to it. Absent: all of its own. */
  readonly permissions?: readonly string[] | undefined;
  /** Signals to the process of the task. */
  readonly signals?: readonly SimSignal[] | undefined;
  /** What operators do with its process. */
  readonly acts?: readonly SimAct[] | undefined;
  /** A client cancels the task at this moment. */
  readonly cancelAtMs?: number | undefined;
  /** The task is submitted once more at this moment, as an impatient client does. */
  readonly againAtMs?: number | undefined;
}

/** What an operator does with the process of a task. `tree`: its nested routes too. */
export interface SimAct {
  readonly what: OperatorAct;
  readonly atMs: number;
  readonly tree: boolean;
}

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 1_500;
const PATIENCE_MS = 6_000;
const CANCELS_MAX = 20;
const SIGNALS_MAX = 20;
/** A host that names a task has its id in reserve for at most this time before, if it has. */
const RESERVED_MS_MAX = 10_000;
/** The stream of random numbers that says which ids are reserved. */
const RESERVE_STREAM_INDEX = 91;

export class Clients {
  /** Tasks with a receipt: accepted for good. */
  readonly accepted = new Set<string>();
  /** Tasks that were refused for good. */
  readonly refused = new Map<string, string>();
  /** Signals with a receipt, by process. */
  readonly signalled: { readonly processId: string; readonly signalId: string }[] = [];
  /** Processes whose termination has a receipt. */
  readonly terminated = new Set<string>();
  /** Tasks that some host was given. */
  readonly #given = new Set<string>();
  /** Ids that a host has in reserve, and those that it gave up, with which no task comes. */
  readonly #reserved = new Map<string, "waits" | "gone">();
  readonly #world: World;
  readonly #random: Random;
  #open: number;

  constructor(world: World, random: Random, tasks: readonly SimTask[]) {
    this.#world = world;
    this.#random = random;
    this.#open = tasks.length + tasks.filter(({ againAtMs }) => againAtMs !== undefined).length;
    for (const task of tasks) {
      world.timeline.after(task.atMs, () => this.#begin(task));
      if (task.againAtMs !== undefined) world.timeline.after(task.againAtMs, () => this.#submit(task, false));
      for (const signal of task.signals ?? [])
        for (const atMs of [signal.atMs, signal.againAtMs])
          if (atMs !== undefined) world.timeline.after(atMs, () => this.#signal(task.id, signal, 1));
      for (const act of task.acts ?? []) world.timeline.after(act.atMs, () => this.#act(task.id, act, 1));
      if (task.cancelAtMs !== undefined) world.timeline.after(task.cancelAtMs, () => this.#cancel(task, 1));
    }
  }

  /** Every task was accepted or refused, each time that it was submitted: a refused one may be accepted by another host. */
  get settled(): boolean {
    return this.#open === 0;
  }

  /** Half of the ids that hosts make are in reserve before their tasks come: their index entries stand already. */
  #begin(task: SimTask): void {
    const random = new Random(Math.floor(task.atMs), RESERVE_STREAM_INDEX);
    const maker = random.chance(1 / 2) && !this.#given.has(task.id) ? this.#world.anyUp(random) : undefined;
    if (maker?.host === undefined) return this.#submit(task, true);
    this.#given.add(task.id);
    this.#reserved.set(task.id, "waits");
    void maker.host.processes.reserved.reserve(task.id);
    this.#world.timeline.after(random.int(1, RESERVED_MS_MAX), () => this.#claim(task, maker));
  }

  /** Only the host that has an id in reserve knows it. If it has given it up or died, no task comes with that id. */
  #claim(task: SimTask, maker: Life): void {
    const { id } = task;
    if (maker.state === "frozen") return this.#world.timeline.after(RETRY_MS_MAX, () => this.#claim(task, maker));
    if (maker.state === "up" && maker.host?.processes.reserved.claim(id) === true) {
      this.#world.trace?.(`task ${id} begins with an id that ${maker.name} had in reserve`);
      maker.host.processes.noteMadeId(id);
      this.#reserved.delete(id);
      return this.#submit(task, false, maker);
    }
    this.#reserved.set(id, "gone");
    this.refused.set(id, "id.invalid");
    this.#open -= 1;
  }

  /** Tries until there is a receipt or a refusal for good. A host that dies never answers, so patience has an end. */
  #submit(task: SimTask, isFirst: boolean, at?: Life): void {
    const reserved = this.#reserved.get(task.id);
    if (reserved === "gone") this.#open -= 1;
    if (reserved === "waits") this.#world.timeline.after(RETRY_MS_MAX, () => this.#submit(task, isFirst));
    if (reserved !== undefined) return;
    const life = at?.state === "up" ? at : this.#world.anyUp(this.#random);
    let over = false;
    const end = (then: () => void): void | typeof NOTHING => {
      if (over) return NOTHING;
      over = true;
      return then();
    };
    const again = (): void => this.#world.timeline.after(this.#random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#submit(task, isFirst));
    if (life?.operations === undefined) return again();
    this.#world.timeline.after(PATIENCE_MS, () => end(again));
    const { id, route, input, timeoutMs, permissions, principal = ANONYMOUS } = task;
    // As if that host had named the task: its process starts there, regardless of placement.
    if (isFirst && !this.#given.has(id)) life.host?.processes.noteMadeId(id);
    this.#given.add(id);
    this.#world.trace?.(`a client gives task ${id} to ${life.name}`);
    life.operations.submit({ id, route, input, timeoutMs, permissions }, { principal }, 0).then(
      () =>
        end(() => {
          if (life.state === "dead") return again();
          this.accepted.add(id);
          this.#world.trace?.(`task ${id} is ACCEPTED: the client has its receipt`);
          this.#open -= 1;
        }),
      (error: unknown) =>
        end(() => {
          const fault = faultFrom(error, "turn.failed");
          if (isRetryable(fault)) return again();
          this.refused.set(id, fault.code);
          this.#world.trace?.(`task ${id} is refused: ${fault.code}`);
          this.#open -= 1;
        }),
    );
  }

  /** Sends a signal until it has a receipt, or is refused for good. */
  #signal(processId: string, signal: SimSignal, attempt: number): void {
    const life = this.#world.anyUp(this.#random);
    const again = (): void => {
      if (attempt < SIGNALS_MAX)
        this.#world.timeline.after(this.#random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#signal(processId, signal, attempt + 1));
    };
    if (life?.operations === undefined) return again();
    const { name, signalId } = signal;
    this.#world.trace?.(`a client sends signal ${signalId} to ${processId}`);
    life.operations.signal(processId, name, { signalId }, { principal: ANONYMOUS }, signalId).then(
      () => void (life.state === "dead" ? undefined : this.signalled.push({ processId, signalId })),
      (error: unknown) => {
        const fault = faultFrom(error, "turn.failed");
        this.#world.trace?.(`signal ${signalId} to ${processId} is refused: ${fault.code}`);
        if (isRetryable(fault)) again();
      },
    );
  }

  #act(id: string, act: SimAct, attempt: number): void {
    const life = this.#world.anyUp(this.#random);
    const again = (): void => {
      if (attempt < CANCELS_MAX)
        this.#world.timeline.after(this.#random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#act(id, act, attempt + 1));
    };
    if (life?.operations === undefined) return again();
    this.#world.trace?.(`an operator orders ${act.what} of ${id}`);
    life.operations.act(id, act.what, { reason: "an incident", tree: act.tree }, { principal: ANONYMOUS }).then(
      () => void (act.what === "terminate" && life.state !== "dead" ? this.terminated.add(id) : undefined),
      (error: unknown) => {
        if (isRetryable(faultFrom(error, "turn.failed"))) again();
      },
    );
  }

  #cancel(task: SimTask, attempt: number): void {
    const life = this.#world.anyUp(this.#random);
    const again = (): void => {
      if (attempt < CANCELS_MAX)
        this.#world.timeline.after(this.#random.int(RETRY_MS_MIN, RETRY_MS_MAX), () => this.#cancel(task, attempt + 1));
    };
    if (life?.operations === undefined) return again();
    this.#world.trace?.(`a client cancels ${task.id}`);
    life.operations.cancel(task.id, "no longer wanted", { principal: ANONYMOUS }).catch((error: unknown) => {
      if (isRetryable(faultFrom(error, "turn.failed"))) again();
    });
  }
}
