/** @module Changes of the system's lists as server-sent events, for screens: they say that something has changed, and no more. */
import type { Request, Response } from "express";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock } from "../engine/ports.ts";
import type { Operations } from "../operations/operations.ts";

const STATUS_OK = 200;
/** Pause before a reader reconnects, in milliseconds. */
const COME_AGAIN_MS = 2_000;
/** Pause between two comments, which keep a connection open through proxies. */
const COMMENT_MS = 15_000;
/** Changes within this time are one event. */
const TOGETHER_MS = 250;

/** The streams of one host. */
export class ChangeStreams {
  readonly #operations: Pick<Operations, "changes">;
  readonly #clock: Clock;
  readonly #open = new Set<Response>();

  constructor(operations: Pick<Operations, "changes">, clock: Clock) {
    this.#operations = operations;
    this.#clock = clock;
  }

  /** Sends changes until the reader leaves. A reader that comes again is told that something may have changed. Throws `stream.too-many`. */
  serve(request: Request, response: Response): void {
    if (this.#open.size >= LIMITS.changesStreamsMax)
      throw new Fault("stream.too-many", `this host has ${LIMITS.changesStreamsMax} followers already; try again later`);
    response.writeHead(STATUS_OK, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    response.write(`retry: ${COME_AGAIN_MS}\n\n`);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    this.#open.add(response);
    let count = Number(request.get("last-event-id") ?? 0) || 0;
    let cancel: (() => void) | undefined;
    const send = (): void => {
      cancel = undefined;
      count += 1;
      // A reader that takes nothing loses nothing: the next event says the same.
      if (!response.writableNeedDrain) response.write(`event: changed\nid: ${count}\ndata: {}\n\n`);
    };
    const changed = (): void => {
      cancel ??= this.#clock.after(TOGETHER_MS, send);
    };
    if (count > 0) changed();
    const unfollow = this.#operations.changes(changed);
    const comment = setInterval(() => response.write(": still here\n\n"), COMMENT_MS);
    comment.unref();
    response.once("close", () => {
      this.#open.delete(response);
      clearInterval(comment);
      cancel?.();
      unfollow();
    });
  }

  /** Ends all streams: the host stops. */
  end(): void {
    for (const response of this.#open) response.end();
  }
}
