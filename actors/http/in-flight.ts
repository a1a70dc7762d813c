/** @module The memory that the requests in flight of one host take: estimated from their bodies, bounded, given back when they end. */
import type { IncomingMessage } from "node:http";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** The bytes in flight of one host. */
export class InFlight {
  readonly #max: number;
  #bytes = 0;

  constructor(max: number = LIMITS.inFlightBytesMax) {
    this.#max = max;
  }

  /** Begins to count the bytes of a request. */
  open(request: IncomingMessage): Holding {
    const holding = new Holding((bytes, own) => this.#take(bytes, own));
    holdings.set(request, holding);
    return holding;
  }

  /** A request that is alone is admitted, however large. A negative number gives bytes back. */
  #take(bytes: number, own: number): void {
    if (bytes > 0 && this.#bytes > own && this.#bytes + bytes > this.#max)
      throw new Fault("body.too-many", `the requests in flight at this host take ${this.#bytes} bytes; the limit is ${this.#max}`);
    this.#bytes += bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

/** The bytes of one request. They are given back when the request and all that it began have ended. */
class Holding {
  readonly #take: (bytes: number, own: number) => void;
  #bytes = 0;
  #users = 1;

  constructor(take: (bytes: number, own: number) => void) {
    this.#take = take;
  }

  /**
   * Counts bytes.
   * @throws `body.too-many`
   */
  add(bytes: number): void {
    this.#take(bytes, this.#bytes);
    this.#bytes += bytes;
  }

  /** Keeps the bytes until a promise, which goes on after the answer, has settled. */
  async until(promise: Promise<unknown>): Promise<void> {
    this.#users += 1;
    await promise.catch(() => {});
    this.end();
  }

  /** The request has ended, or what it began. */
  end(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#take(-this.#bytes, 0);
    this.#bytes = 0;
  }
}

const holdings = new WeakMap<IncomingMessage, Holding>();

/** The bytes of a request; undefined for one that no host counts. */
export function holdingOf(request: IncomingMessage): Holding | undefined {
  return holdings.get(request);
}
