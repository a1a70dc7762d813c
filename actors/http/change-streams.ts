/** @module Changes of the system's lists as server-sent events, for screens: ids, routes and how things stand, and no contents. */
import type { Request, Response } from "express";
import type { Change, ChangesNews } from "../../runtime/change.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";
import type { Operations } from "../operations/operations.ts";
import { readerOf } from "./follow.ts";
import { event } from "./follow-events.ts";

const STATUS_OK = 200;
/** Pause before a reader reconnects, in milliseconds. */
const COME_AGAIN_MS = 2_000;
/** Changes within this time are one event. */
const TOGETHER_MS = 250;

/** The streams of one host. */
export class ChangeStreams {
  readonly #clock: Clock;
  readonly #open = new Map<Response, { readonly reader: string; readonly leave: () => void }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sends changes until the reader leaves. A reader that comes again is told to read its lists again: what has changed meanwhile is not
   * kept. Throws `stream.too-many`.
   */
  serve(request: Request, response: Response, operations: Pick<Operations, "changes">): void {
    const reader = readerOf(request);
    if (this.#open.size >= LIMITS.changesStreamsMax)
      throw new Fault("stream.too-many", `this host has ${LIMITS.changesStreamsMax} followers already; try again later`);
    if ([...this.#open.values()].filter((one) => one.reader === reader).length >= LIMITS.followStreamsPerReaderMax)
      throw new Fault("stream.too-many", `you follow the lists of this host ${LIMITS.followStreamsPerReaderMax} times already`);
    response.writeHead(STATUS_OK, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    response.write(`retry: ${COME_AGAIN_MS}\n\n`);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const stream = new ChangeStream(response, this.#clock, Number(request.get("last-event-id") ?? 0) || 0);
    const unfollow = operations.changes((changes) => stream.tell(changes));
    const leave = (): void => {
      this.#open.delete(response);
      unfollow();
      stream.stop();
    };
    this.#open.set(response, { reader, leave });
    response.once("close", leave);
  }

  /** Ends all streams: the host stops. */
  end(): void {
    for (const [response, { leave }] of this.#open) {
      leave();
      response.end();
    }
  }
}

/** The stream of one reader. What it has not taken yet is kept, up to a number: then it is told to read its lists again. */
class ChangeStream {
  readonly #response: Response;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Change>();
  #count: number;
  #isMore: boolean;
  #isStopped = false;
  #cancelSend: (() => void) | undefined;
  #cancelComment = (): void => {};

  /** `count`: the id of the last event that its reader received; 0 for a new one. */
  constructor(response: Response, clock: Clock, count: number) {
    this.#response = response;
    this.#clock = clock;
    this.#count = count;
    this.#isMore = count > 0;
    response.on("drain", () => this.#schedule());
    this.#comment();
    this.#schedule();
  }

  tell(changes: readonly Change[]): void {
    for (const change of changes) {
      const key = `${change.kind} ${change.id}`;
      if (this.#waiting.has(key) || this.#waiting.size < LIMITS.changesToldMax) this.#waiting.set(key, change);
      else this.#isMore = true;
    }
    this.#schedule();
  }

  /** Writes nothing from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelSend?.();
    this.#cancelComment();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    if (this.#waiting.size > 0 || this.#isMore) this.#cancelSend ??= this.#clock.after(TOGETHER_MS, () => this.#send());
  }

  /** A reader that takes nothing gets the rest when it does. */
  #send(): void {
    this.#cancelSend = undefined;
    if (this.#response.writableNeedDrain) return;
    const news: ChangesNews = { changes: [...this.#waiting.values()], ...(this.#isMore ? { more: true } : {}) };
    this.#waiting.clear();
    this.#isMore = false;
    this.#count += 1;
    this.#response.write(event("changed", String(this.#count), news));
  }

  #comment(): void {
    this.#cancelComment = this.#clock.after(LIMITS.followKeepAliveMs, () => {
      if (!this.#response.writableNeedDrain) this.#response.write(": still here\n\n");
      this.#comment();
    });
  }
}
