/**
 * @module The heartbeats of all runs of one agent in this host: one timer, which stands only while something runs.
 *
 * An actor that is known to be in this host needs none (local-first-transport.ts): the table of runs says what runs.
 */
import { LIMITS } from "../../runtime/limits.ts";
import { pause } from "../engine/pause.ts";
import type { Clock, Transport } from "../engine/ports.ts";
import { type Active, isParked, statusOf } from "./active-run.ts";

/** Sends the heartbeats of the runs of one agent. */
export class Heartbeats {
  readonly #type: string;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #runs: () => Iterable<Active>;
  #isSending = false;

  constructor(type: string, clock: Clock, transport: Transport, runs: () => Iterable<Active>) {
    this.#type = type;
    this.#clock = clock;
    this.#transport = transport;
    this.#runs = runs;
  }

  /** Something runs: sends heartbeats until nothing does. */
  start(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#send();
  }

  /** Sends those of one actor now, because it moves: the host that gets it knows at once what runs here. */
  moved(actorId: string): void {
    for (const run of this.#runs()) if (run.actorId === actorId) this.#beat(run);
  }

  async #send(): Promise<void> {
    do {
      await pause(this.#clock, LIMITS.heartbeatMs);
      for (const run of this.#runs()) this.#beat(run);
    } while ([...this.#runs()].some((run) => !isParked(run)));
    this.#isSending = false;
  }

  /** A parked handler sends none: another host may hold its actor and continue it. */
  #beat(run: Active): void {
    if (isParked(run)) return;
    const { actorId, workId, token } = run;
    this.#transport.heartbeat({ type: this.#type, id: actorId }, { workId, token, ...statusOf(run) }).catch(() => {});
  }
}
