/**
 * @module Local-first transport: calls an actor that Dapr recently placed here directly, without the sidecar.
 *
 * Placement decides where an actor lives; the journal decides which write counts. So a host that Dapr recently called for an
 * actor may run the actor's next turn itself. If the actor has moved since, that turn loses its write to the other host and is
 * decided again, like any race of two owners (law "two owners cannot both win").
 */
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DeltaAnswer, DeltaRequest } from "../../runtime/model/deltas.ts";
import type { Address, Message, NotificationData, RequestNotification, TurnAnswer } from "../../runtime/protocol.ts";
import { LruMap } from "../engine/lru.ts";
import type { ActorHost, Clock, Heartbeat, Nudged, Transport } from "../engine/ports.ts";

/** Actors that Dapr called in this host, with the time of the last call. */
export class Placement {
  readonly #clock: Clock;
  #calledAtMs = new LruMap<string, number>(LIMITS.cachedActorsMax);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  called(actor: Address): void {
    this.#calledAtMs.set(keyOf(actor), this.#clock.nowMs());
  }

  /** A process begins here, independent of placement: it is assumed to be here for LIMITS.begunTrustMs. */
  begun(actor: Address): void {
    this.#calledAtMs.set(keyOf(actor), this.#clock.nowMs() - LIMITS.placementTrustMs + LIMITS.begunTrustMs);
  }

  left(actor: Address): void {
    this.#calledAtMs.delete(keyOf(actor));
  }

  /** A heartbeat came here, so the actor is here, but nothing says for how long. */
  heard(actor: Address): void {
    if (!this.wasCalled(actor)) this.#calledAtMs.set(keyOf(actor), Number.NEGATIVE_INFINITY);
  }

  /** The sidecar was away: it may have moved actors without a call here. */
  forget(): void {
    this.#calledAtMs = new LruMap(LIMITS.cachedActorsMax);
  }

  /** Whether Dapr called the actor here and has not deactivated it since. */
  wasCalled(actor: Address): boolean {
    return this.#calledAtMs.get(keyOf(actor)) !== undefined;
  }

  isHere(actor: Address): boolean {
    const at = this.#calledAtMs.get(keyOf(actor));
    return at !== undefined && this.#clock.nowMs() - at < LIMITS.placementTrustMs;
  }
}

function keyOf(actor: Address): string {
  return `${actor.type}/${actor.id}`;
}

/** A host that knows which processes begin in it. */
export interface BeginningHost extends ActorHost {
  /** As `receive`, of a message that this host has just recorded and sends for the first time. */
  begin(message: Message): Promise<TurnAnswer>;
  /** A process whose id this host has generated and not handed out before. */
  isNew(actor: Address): boolean;
  /** Whether no other host of the system lives, so that every actor of its types is here. */
  readonly isAlone: boolean;
}

/** The host as Dapr calls it. Each call shows that the actor is here. */
export class PlacedHost implements ActorHost {
  readonly #host: ActorHost;
  readonly #placement: Placement;

  constructor(host: ActorHost, placement: Placement) {
    this.#host = host;
    this.#placement = placement;
  }

  get types(): readonly string[] {
    return this.#host.types;
  }

  receive(message: Message): Promise<TurnAnswer> {
    this.#placement.called(message.to);
    return this.#host.receive(message);
  }

  tick(actor: Address, name: string, carried?: Json): Promise<void> {
    this.#placement.called(actor);
    return this.#host.tick(actor, name, carried);
  }

  nudge(actor: Address, run: number | undefined): Promise<Nudged> {
    this.#placement.called(actor);
    return this.#host.nudge(actor, run);
  }

  heartbeat(actor: Address, beat: Heartbeat): void {
    this.#placement.heard(actor);
    this.#host.heartbeat(actor, beat);
  }

  deltas(process: Address, request: DeltaRequest): DeltaAnswer {
    this.#placement.heard(process);
    return this.#host.deltas?.(process, request) ?? { followed: false };
  }

  inspect(actor: Address): Promise<Json> {
    this.#placement.called(actor);
    return this.#host.inspect(actor);
  }

  deactivate(actor: Address): void {
    this.#placement.left(actor);
    this.#host.deactivate(actor);
  }
}

/** A delivery that calls local actors directly. */
export class ShortTransport implements Transport {
  readonly #far: Transport;
  readonly #placement: Placement;
  readonly #host: () => BeginningHost;

  constructor(far: Transport, placement: Placement, host: () => BeginningHost) {
    this.#far = far;
    this.#placement = placement;
    this.#host = host;
  }

  /** A host that is alone needs no placement, which Dapr has to find anew after a restart. */
  #isHere(actor: Address): boolean {
    return this.#placement.isHere(actor) || this.#isAloneWith(actor);
  }

  #isAloneWith(actor: Address): boolean {
    return this.#host().isAlone && this.#host().types.includes(actor.type);
  }

  /** The broker finds a host for a message. A message to a local actor needs no broker; a lost one is sent again. */
  publish(topic: string, message: Message): Promise<void> {
    if (!this.#isHere(message.to) && !this.#beginsHere(message)) return this.#far.publish(topic, message);
    this.#host()
      .begin(message)
      .catch(() => {});
    return Promise.resolve();
  }

  /** For subscribers: a broker message to a new process may begin here; any other goes to its placement. */
  brought(message: Message): Promise<TurnAnswer> {
    return this.#beginsHere(message) ? this.#host().receive(message) : this.deliver(message);
  }

  /**
   * A per-process actor that has received no request has no placement yet, and no other host can know it: it begins where its
   * first message arrives. Later messages find it by placement; the journal tells that host what has begun.
   */
  #beginsHere(message: Message): boolean {
    return message.body.kind === "work" && message.body.first === true && this.#host().types.includes(message.to.type);
  }

  deliver(message: Message): Promise<TurnAnswer> {
    const { to } = message;
    if (this.#isHere(to)) return this.#host().receive(message);
    if (message.body.kind !== "task" || !this.#host().isNew(to)) return this.#far.deliver(message);
    this.#placement.begun(to);
    return this.#host().receive(message);
  }

  /** An actor that is here looks at the runs of its host; heartbeats are for any other. */
  heartbeat(actor: Address, beat: Heartbeat): Promise<void> {
    return this.#placement.wasCalled(actor) || this.#isAloneWith(actor) ? Promise.resolve() : this.#far.heartbeat(actor, beat);
  }

  async deltas(process: Address, request: DeltaRequest): Promise<DeltaAnswer> {
    const near = this.#isHere(process) ? this.#host().deltas?.(process, request) : undefined;
    return near ?? (await this.#far.deltas?.(process, request)) ?? { followed: false };
  }

  inspect(actor: Address): Promise<Json> {
    return this.#isHere(actor) ? this.#host().inspect(actor) : this.#far.inspect(actor);
  }

  nudge(actor: Address, run: number | undefined): Promise<Nudged> {
    return this.#isAloneWith(actor) ? this.#host().nudge(actor, run) : this.#far.nudge(actor, run);
  }

  notification(topic: string, id: string, data: NotificationData | RequestNotification): Promise<void> {
    return this.#far.notification(topic, id, data);
  }
}
