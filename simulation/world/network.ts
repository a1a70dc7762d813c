/**
 * @module The simulated broker and sidecars. Messages are dropped, duplicated, delayed and so reordered. A call reaches no host, or its
 * answer is lost. One-way cuts separate hosts from each other and from the broker.
 */
import type { ActorHost, Transport } from "../../actors/engine/ports.ts";
import { Fault, isFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import {
  type Address,
  type Message,
  Message as MessageSchema,
  type Notification as AnyNotification,
  type NotificationData,
  type RequestNotification,
  topics,
  type TurnAnswer,
} from "../../runtime/protocol.ts";
import { type Life, reach } from "./life.ts";
import { NOTHING } from "./timeline.ts";
import type { World } from "./world.ts";

const DELAY_MS_MAX = 4_000;
const REFUSED_MS = 5;
/** The broker as an end of a cut. */
export const BROKER_INDEX = -1;
/** The scheduler as an end of a cut. */
export const SCHEDULER_INDEX = -2;

export interface Notification<Data = NotificationData> {
  readonly topic: string;
  readonly id: string;
  readonly data: Data;
}

export class SimNetwork {
  /** Messages that reached a host. */
  delivered = 0;
  readonly notifications: Notification[] = [];
  /** Notifications about requests to people. */
  readonly requests: Notification<RequestNotification>[] = [];
  /** When each message was last sent. */
  readonly sentAtMs = new Map<string, number>();
  /** Hears of each message that a host sends, on any way. */
  onSent: (message: Message) => void = () => {};
  readonly #world: World;
  readonly #cuts: { readonly from: number; readonly to: number; readonly untilMs: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  of(life: Life): Transport {
    return {
      publish: (topic, message) => {
        this.sentAtMs.set(message.id, this.#world.timeline.nowMs);
        return this.#publish(life, topic, message);
      },
      deliver: (message) => {
        this.sentAtMs.set(message.id, this.#world.timeline.nowMs);
        return this.#call(
          life,
          message.to,
          this.#describe(message),
          (face) => this.#receive(face, message),
          (answer) => "receipt" in answer && answer.receipt.messageId !== message.id,
        );
      },
      heartbeat: (actor, beat) => this.#heartbeat(life, actor, beat.workId, (face) => face.heartbeat(actor, beat)),
      inspect: (actor) => this.#call(life, actor, `look at ${actor.id}`, (face) => face.inspect(actor)),
      nudge: (actor, run) => this.#call(life, actor, `nudge ${actor.id}`, (face) => face.nudge(actor, run)),
      notification: (topic, id, data) => this.#notification(life, { topic, id, data }),
    };
  }

  /** Nothing gets from one node to another (or to the broker) for a while; the other way is free. */
  cut(from: number, to: number, forMs: number): void {
    this.#cuts.push({ from, to, untilMs: this.#world.timeline.nowMs + forMs });
  }

  fix(): void {
    this.#cuts.length = 0;
  }

  /** Whether nothing gets from one end to another now. */
  isCut(from: number, to: number): boolean {
    return (
      this.#cuts.length > 0 && this.#cuts.some((cut) => cut.from === from && cut.to === to && this.#world.timeline.nowMs < cut.untilMs)
    );
  }

  #way(): number {
    const { faults, random } = this.#world;
    return this.#world.latency() + (faults.happens("delay", random.network) ? random.network.int(1, DELAY_MS_MAX) : 0);
  }

  /** A message in a few words, for the trace. */
  #describe(message: Message): string {
    return this.#world.trace === undefined ? "" : describe(message);
  }

  /** Calls the host that an actor is placed on. The answer may be lost. */
  #call<T>(
    life: Life,
    to: Address,
    what: string,
    run: (face: ActorHost) => Promise<T>,
    isNone: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const world = this.#world;
    const { faults, random } = world;
    return world.port(life, `call: ${what}`, false, (resolve, reject) => {
      let settled = false;
      const fail = (delayMs: number, text: string): void =>
        world.toLife(life, delayMs, () => {
          if (settled) return NOTHING;
          settled = true;
          return reject(new Fault("sidecar.unavailable", text));
        });
      if (faults.happens("emptyAnswer", random.network)) return fail(world.latency(), "200 with nothing in it");
      fail(LIMITS.sidecarCallMs, "no answer in time");
      if (faults.happens("dropRequest", random.network)) return;
      const lost = faults.happens("loseAnswer", random.network);
      const ways = faults.happens("duplicate", random.network) ? 2 : 1;
      for (let way = 0; way < ways; way += 1) {
        world.timeline.after(this.#way(), () => {
          const target = world.owner(to);
          if (target === undefined || target.state === "dead") return fail(REFUSED_MS, "connection refused");
          // daprd looks again and again for a host of the type, longer than its caller waits.
          if (this.isCut(life.node, target.node) || target.face?.types.includes(to.type) !== true) return;
          return this.#arrive(target, what, run, (settle) => {
            if (lost || this.isCut(target.node, life.node)) return;
            world.toLife(life, this.#way(), () => {
              settled = true;
              settle(
                (answer) =>
                  isNone(answer) ? reject(new Fault("sidecar.unavailable", "the answer is to another question")) : resolve(answer),
                reject,
              );
            });
          });
        });
      }
    });
  }

  #arrive<T>(
    target: Life,
    what: string,
    run: (face: ActorHost) => Promise<T>,
    back: (settle: (resolve: (value: T) => void, reject: (error: unknown) => void) => void) => void,
  ): void | typeof NOTHING {
    return reach(target, () => {
      if (target.face === undefined) return;
      this.delivered += 1;
      this.#world.trace?.(`${target.name}: ${what} arrives`);
      run(target.face).then(
        (value) => back((resolve) => resolve(value)),
        (error: unknown) =>
          back((_resolve, reject) =>
            reject(isFault(error) ? error : new Fault("turn.failed", "an unexpected error in the turn", undefined, { cause: error })),
          ),
      );
    });
  }

  /** Copied messages pass the schema, as in a host's routes: an invalid message reaches no actor. */
  #receive(face: ActorHost, message: Message): Promise<TurnAnswer> {
    const copy = this.#world.copy(message);
    if (!this.#world.options.copies || MessageSchema.safeParse(copy).success) return face.receive(copy);
    return Promise.reject(new Fault("message.invalid", `message ${message.id} is none of this system's protocol`));
  }

  #publish(life: Life, topic: string, message: Message): Promise<void> {
    const world = this.#world;
    const { faults, random } = world;
    return world.port(life, `publish ${this.#describe(message)}`, false, (resolve, reject) => {
      if (this.isCut(life.node, BROKER_INDEX)) {
        return world.toLife(life, LIMITS.sidecarCallMs, () =>
          reject(new Fault("sidecar.unavailable", `the broker of ${topic} does not answer`)),
        );
      }
      world.toLife(life, world.latency(), resolve);
      // A topic without a subscriber, or of another actor type, delivers the message to no actor.
      if (topic !== topicOf(message.to)) return;
      if (faults.happens("dropPublish", random.network)) return;
      const ways = faults.happens("duplicate", random.network) ? 2 : 1;
      for (let way = 0; way < ways; way += 1) {
        world.timeline.after(this.#way(), () => {
          const target = world.owner(message.to);
          if (target === undefined || target.state === "dead" || this.isCut(BROKER_INDEX, target.node)) return;
          this.#arrive(
            target,
            this.#describe(message),
            (face) => this.#receive(face, message),
            () => {},
          );
        });
      }
    });
  }

  #heartbeat(life: Life, actor: Address, workId: string, run: (face: ActorHost) => void): Promise<void> {
    const world = this.#world;
    return world.port(life, `heartbeat of ${workId}`, false, (resolve) => {
      world.toLife(life, world.latency(), resolve);
      if (world.faults.happens("dropHeartbeat", world.random.network)) return;
      world.timeline.after(world.latency(), () => {
        const target = world.owner(actor);
        if (target === undefined || target.state === "dead" || this.isCut(life.node, target.node)) return;
        return reach(target, () => {
          if (target.face !== undefined) run(target.face);
        });
      });
    });
  }

  #notification(life: Life, { topic, id, data }: Notification<AnyNotification>): Promise<void> {
    const world = this.#world;
    return world.port(life, `notification ${topic}`, false, (resolve, reject) => {
      const fails = world.faults.happens("emptyAnswer", world.random.network) || this.isCut(life.node, BROKER_INDEX);
      if (!fails) {
        if ("requestId" in data) this.requests.push({ topic, id, data });
        else if ("processId" in data) this.notifications.push({ topic, id, data });
      }
      world.toLife(life, world.latency(), () =>
        fails ? reject(new Fault("sidecar.unavailable", "the broker does not answer")) : resolve(),
      );
    });
  }
}

/** The one topic whose readers take messages for actors of this type. */
function topicOf({ type }: Address): string {
  const dot = type.indexOf(".");
  const [system, name] = [type.slice(0, dot), type.slice(dot + 1)];
  return name === "ProcessManager" ? topics.manager(system) : topics.agent(system, name);
}

/** A message in a few words. */
function describe(message: Message): string {
  return `${message.body.kind} ${message.id} for ${message.to.type.slice(message.to.type.indexOf(".") + 1)}/${message.to.id}`;
}
