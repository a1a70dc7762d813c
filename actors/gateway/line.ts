/**
 * @module The calls of one model that wait for an endpoint: higher priorities first, then in the order of their arrival.
 *
 * A call waits only for what ends soon: a slot, a rate limit, a short rest. If all endpoints rest for longer or fail, it is refused at once
 * with the pause, which is recorded, and another model may be used.
 */
import { Fault, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock, ModelAttempt } from "../engine/ports.ts";
import { cancelled, type EndpointState, type Need, type Obstacle, withDetails } from "./endpoint-state.ts";

interface Waiting {
  readonly attempt: ModelAttempt;
  readonly need: Need;
  readonly admit: (state: EndpointState) => void;
  readonly refuse: (fault: Fault) => void;
}

/** The line of one model. */
export class Line {
  readonly model: string;
  readonly #states: readonly EndpointState[];
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  /** How much each endpoint is owed of the calls: smooth weighted round-robin. */
  readonly #owed = new Map<EndpointState, number>();
  #cancelTimer: (() => void) | undefined;

  constructor(model: string, states: readonly EndpointState[], clock: Clock) {
    this.model = model;
    this.#states = states;
    this.#clock = clock;
  }

  get states(): readonly EndpointState[] {
    return this.#states;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs the attempt at the endpoint whose turn it is. @throws `model.*` */
  async run(attempt: ModelAttempt, need: Need): Promise<Awaited<ReturnType<EndpointState["run"]>>> {
    await this.#connected();
    if (attempt.signal.aborted) throw unsent(cancelled(attempt.signal.reason));
    if (this.#waiting.length === 0) {
      const found = this.#choose(need);
      if (found instanceof Fault) throw found;
      if (found !== undefined) return this.#at(found, attempt, need);
    }
    return this.#wait(attempt, need);
  }

  /** Waits until one endpoint is connected, or none can be. A slow secret store of one endpoint holds up no call of the others. */
  async #connected(): Promise<void> {
    const connecting = this.#states.flatMap((state) => state.connect() ?? []);
    const isReady = (): boolean => this.#states.some((state) => state.isConnected);
    if (connecting.length === 0 || isReady()) return;
    const all = Promise.all(connecting);
    await Promise.race([all, ...connecting.map((one) => one.then(() => (isReady() ? undefined : all)))]);
  }

  /** Makes the attempt. If the account of the endpoint is refused, and another one can take the call, the fault is worth another try. */
  async #at(state: EndpointState, attempt: ModelAttempt, need: Need): ReturnType<EndpointState["run"]> {
    try {
      return await state.run(attempt, need);
    } catch (error) {
      if (!isFault(error) || !isOfAccount(error)) throw error;
      const others = this.#states.filter((other) => other !== state);
      if (!others.some((other) => this.#isUsable(other, need))) throw error;
      state.rest(LIMITS.accountRestMs);
      const { endpoint } = state;
      const text = `${error.message}; another endpoint of model ${JSON.stringify(this.model)} takes the next try`;
      throw new Fault("model.unavailable", text, { ...error.details, endpoint: endpoint.name, code: error.code, sent: false });
    }
  }

  #isUsable(state: EndpointState, need: Need): boolean {
    const obstacle = state.obstacle(need);
    return obstacle === undefined || this.#isSoonOver(obstacle);
  }

  async #wait(attempt: ModelAttempt, need: Need): ReturnType<EndpointState["run"]> {
    if (this.#waiting.length >= LIMITS.modelQueueMax)
      throw new Fault("model.busy", `${LIMITS.modelQueueMax} calls wait for model ${JSON.stringify(this.model)} on this host`, {
        sent: false,
      });
    const made = Promise.withResolvers<Awaited<ReturnType<EndpointState["run"]>>>();
    const one: Waiting = {
      attempt,
      need,
      // Started here, so that the next look at the endpoint counts it.
      admit: (state) => made.resolve(this.#at(state, attempt, need)),
      refuse: (fault) => made.reject(fault),
    };
    const priority = attempt.priority ?? 0;
    const place = this.#waiting.findIndex((other) => (other.attempt.priority ?? 0) < priority);
    this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, one);
    const leave = (): void => {
      const at = this.#waiting.indexOf(one);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      one.refuse(unsent(cancelled(attempt.signal.reason)));
      this.advance();
    };
    attempt.signal.addEventListener("abort", leave, { once: true });
    this.advance();
    try {
      return await made.promise;
    } finally {
      attempt.signal.removeEventListener("abort", leave);
    }
  }

  /** Admits or refuses the calls at the head of the line, as far as they need not wait. */
  advance(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let one = this.#waiting[0]; one !== undefined; one = this.#waiting[0]) {
      const found = this.#choose(one.need);
      if (found === undefined) break;
      this.#waiting.shift();
      if (found instanceof Fault) one.refuse(found);
      else one.admit(found);
    }
    const [head] = this.#waiting;
    if (head !== undefined) this.#wake(head);
  }

  /** Looks again when the first time limit of the head ends. A slot that becomes free calls `advance`. */
  #wake({ need }: Waiting): void {
    const times = this.#states.map((state) => freeAtOf(state.obstacle(need)));
    const atMs = Math.min(...times);
    if (Number.isFinite(atMs)) this.#cancelTimer = this.#clock.after(Math.max(1, atMs - this.#clock.nowMs()), () => this.advance());
  }

  /** The endpoint whose turn it is, `undefined` if the call must wait, or the fault if waiting would be too long. */
  #choose(need: Need): EndpointState | Fault | undefined {
    const looked = this.#states.map((state) => [state, state.obstacle(need)] as const);
    const free = looked.flatMap(([state, obstacle]) => (obstacle === undefined ? [state] : []));
    if (free.length > 0) return this.#turn(free);
    const obstacles = looked.flatMap(([, obstacle]) => obstacle ?? []);
    return obstacles.some((one) => this.#isSoonOver(one)) ? undefined : this.#refusal(obstacles);
  }

  /** Slots, rates and the one call that a breaker lets through end by themselves and cost no attempt; a short rest is not worth one. */
  #isSoonOver(obstacle: Obstacle): boolean {
    if (obstacle.kind === "slot" || obstacle.kind === "rate") return true;
    if (obstacle.kind === "breaker") return obstacle.freeAtMs === Number.POSITIVE_INFINITY;
    return obstacle.kind === "rest" && obstacle.freeAtMs <= this.#clock.nowMs() + LIMITS.modelWaitMsMax;
  }

  /** Smooth weighted round-robin among those that are free. An endpoint of weight 0 gets its turn only if all others are not free. */
  #turn(free: readonly EndpointState[]): EndpointState | undefined {
    const weighted = free.filter((state) => state.settings.weight > 0);
    const among = weighted.length > 0 ? weighted : free;
    let total = 0;
    let first: EndpointState | undefined;
    for (const state of among) {
      const weight = Math.max(state.settings.weight, MIN_WEIGHT);
      total += weight;
      this.#owed.set(state, (this.#owed.get(state) ?? 0) + weight);
      if (first === undefined || this.#owedTo(state) > this.#owedTo(first)) first = state;
    }
    if (first !== undefined) this.#owed.set(first, this.#owedTo(first) - total);
    return first;
  }

  #owedTo(state: EndpointState): number {
    return this.#owed.get(state) ?? 0;
  }

  #refusal(obstacles: readonly Obstacle[]): Fault {
    const nowMs = this.#clock.nowMs();
    const name = JSON.stringify(this.model);
    const timed = obstacles.filter((one) => one.kind !== "unconnected" && one.kind !== "context");
    if (timed.length === 0) {
      const small = obstacles.flatMap((one) => (one.kind === "context" ? [one.contextTokens] : []));
      if (small.length > 0) {
        const text = `the conversation is longer than model ${name} takes`;
        return new Fault("model.context-length", text, { contextTokens: Math.max(...small), sent: false });
      }
      const [first] = obstacles;
      return unsent(first?.kind === "unconnected" ? first.fault : new Fault("model.unknown", `model ${name} has no endpoint`));
    }
    const atMs = Math.min(...timed.map(freeAtOf));
    const retryAfterMs = Number.isFinite(atMs) ? atMs - nowMs : LIMITS.breakerPauseMs;
    const isLimit = timed.some((one) => one.kind !== "breaker");
    return new Fault(
      isLimit ? "model.rate-limited" : "model.unavailable",
      isLimit ? `no endpoint of model ${name} takes calls yet` : `the endpoints of model ${name} fail; the next call is made after a pause`,
      { sent: false },
      { retryAfterMs },
    );
  }
}

const MIN_WEIGHT = 1;
const REFUSED_STATUS: readonly unknown[] = [401, 403];

/** Whether a fault is about the account or the key of its endpoint, and not about the request. */
function isOfAccount({ code, details }: Fault): boolean {
  return code === "model.quota" || (code === "model.rejected" && REFUSED_STATUS.includes(details?.["status"]));
}

function freeAtOf(obstacle: Obstacle | undefined): number {
  return obstacle !== undefined && "freeAtMs" in obstacle ? obstacle.freeAtMs : Number.POSITIVE_INFINITY;
}

/** The same fault, which says that nothing was sent. */
function unsent(fault: Fault): Fault {
  return withDetails(fault, { sent: false });
}
