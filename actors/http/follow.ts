/**
 * @module Followers of processes: server-sent events for a process on any host.
 *
 * A process on this host reports each of its records; one on another host is polled. Followers of one process share its
 * reads, so neither their number nor their speed affects the journal. Nothing is buffered for a slow reader: it gets
 * the events that still exist when it can take them, and a comment in place of those that were dropped.
 */
import type { Request, Response } from "express";
import PQueue from "p-queue";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { DeltaPlace } from "../../runtime/model/deltas.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import type { Clock } from "../engine/ports.ts";
import { event, type Heard, heardOf } from "./follow-events.ts";
import { Feed, type FeedSource } from "./follow-feed.ts";
import { identityOf } from "./guard.ts";

const STATUS_OK = 200;
const STATUS_NO_CONTENT = 204;
/** Pause before a reader reconnects, in milliseconds. */
const COME_AGAIN_MS = 2_000;

/** The followers of one host. */
export class Followers {
  readonly #operations: FeedSource;
  readonly #clock: Clock;
  readonly #looks = new PQueue({ concurrency: LIMITS.followLooksMax });
  readonly #feeds = new Map<string, Feed>();
  readonly #streams = new Set<Stream>();
  readonly #readers = new Map<string, number>();
  #count = 0;

  constructor(operations: FeedSource, clock: Clock) {
    this.#operations = operations;
    this.#clock = clock;
  }

  /**
   * Follows a process until its outcome, until the reader disconnects, or for LIMITS.followMsMax; with contents and pieces of
   * replies where its reader may see them. Resolves when the stream has begun.
   * Throws `stream.too-many`, `process.unknown` and what a read throws, all before anything is sent.
   */
  async serve(id: string, request: Request, response: Response, shownOf: (first: ProcessView) => Promise<Shown>): Promise<void> {
    const heard = heardOf(request.get("last-event-id"));
    if (this.#count >= LIMITS.followStreamsMax)
      throw new Fault("stream.too-many", `this host has ${LIMITS.followStreamsMax} followers already; try again later`);
    const reader = readerOf(request);
    const streams = this.#readers.get(reader) ?? 0;
    if (streams >= LIMITS.followStreamsPerReaderMax)
      throw new Fault("stream.too-many", `you follow ${LIMITS.followStreamsPerReaderMax} processes at this host already`);
    this.#count += 1;
    this.#readers.set(reader, streams + 1);
    const feed = this.#feedOf(id);
    let closed = false;
    // Every answer closes, with or without an error.
    response.once("close", () => {
      closed = true;
      this.#count -= 1;
      this.#left(reader);
      if (feed.leave()) this.#feeds.delete(id);
    });
    const first = await feed.first();
    const shown = await shownOf(first);
    if (first.phase === "ended" && heard?.line === "outcome" && heard.run === first.run) {
      // The only answer after which a browser's EventSource does not reconnect.
      response.status(STATUS_NO_CONTENT).end();
      return;
    }
    response
      .status(STATUS_OK)
      .set({ "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no" });
    if (request.method === "HEAD") response.end();
    else if (!closed) this.#begin(new Stream({ response, feed, heard, clock: this.#clock, ...shown }));
  }

  #left(reader: string): void {
    const streams = (this.#readers.get(reader) ?? 1) - 1;
    if (streams === 0) this.#readers.delete(reader);
    else this.#readers.set(reader, streams);
  }

  #begin(stream: Stream): void {
    this.#streams.add(stream);
    stream.run(() => this.#streams.delete(stream));
  }

  /** Ends every stream because this host stops. Readers reconnect to another host or after the restart. */
  end(): void {
    for (const stream of this.#streams) stream.end("this host is stopping");
  }

  #feedOf(id: string): Feed {
    const known = this.#feeds.get(id);
    if (known !== undefined) {
      known.join();
      return known;
    }
    const made = new Feed(id, this.#operations, this.#clock, (look) => this.#looks.add(look));
    this.#feeds.set(id, made);
    return made;
  }
}

/** Who follows: the subject of the token, or an address. */
export function readerOf(request: Request): string {
  const { subject, tenant } = identityOf(request).principal;
  return subject === ANONYMOUS.subject ? (request.socket.remoteAddress ?? "") : JSON.stringify([tenant, subject]);
}

/** One reader's stream. */
class Stream {
  readonly #response: Response;
  readonly #feed: Feed;
  readonly #clock: Clock;
  #run: number;
  /** Number of the next history event. */
  #next: number;
  #told: number | undefined;
  #ended = false;
  readonly #withContent: boolean;
  readonly #withDeltas: boolean;
  #place: DeltaPlace | undefined;
  /** The run whose last pieces were read. */
  #readLast: number | undefined;
  readonly #cancels: (() => void)[] = [];

  constructor({ response, feed, heard, clock, withContent, withDeltas }: StreamParts) {
    this.#withContent = withContent;
    this.#response = response;
    this.#feed = feed;
    this.#clock = clock;
    this.#run = heard?.run ?? 0;
    this.#next = heard === undefined ? 0 : heard.line === "outcome" ? Number.POSITIVE_INFINITY : heard.line + 1;
    this.#told = heard?.line === "outcome" ? heard.run : undefined;
    this.#withDeltas = withDeltas;
    this.#place = heard?.place;
  }

  run(done: () => void): void {
    this.#response.once("close", () => {
      this.#stop();
      done();
    });
    this.#response.on("drain", () => this.#tell());
    this.#response.write(`retry: ${COME_AGAIN_MS}\n\n`);
    this.#keepAlive();
    this.#cancels.push(
      this.#clock.after(LIMITS.followMsMax, () => this.end("this stream has reached its maximum duration; reconnect with Last-Event-ID")),
    );
    this.#cancels.push(this.#feed.read(() => this.#tell()));
    if (this.#withDeltas) this.#cancels.push(this.#feed.deltas.read(() => this.#tell()));
    this.#tell();
  }

  end(why: string): void {
    if (this.#ended) return;
    this.#stop();
    this.#finish(`: ${why}\n\n`);
  }

  /** Ends the stream. The connection of a reader that does not take the end is closed. */
  #finish(text: string): void {
    const cancel = this.#clock.after(LIMITS.drainMs, () => this.#response.destroy());
    this.#response.once("close", cancel);
    this.#response.end(text);
  }

  #stop(): void {
    this.#ended = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  #keepAlive(): void {
    let cancel = (): void => {};
    const arm = (): void => {
      cancel = this.#clock.after(LIMITS.followKeepAliveMs, () => {
        if (!this.#response.writableNeedDrain) this.#response.write(": still here\n\n");
        arm();
      });
    };
    arm();
    this.#cancels.push(() => cancel());
  }

  /** Writes what is new, unless the reader has not yet taken what was written before. */
  #tell(): void {
    const view = this.#feed.latest;
    if (this.#ended || this.#response.writableNeedDrain || view === undefined) return;
    if (view.run !== this.#run) {
      this.#run = view.run;
      this.#next = 0;
    }
    this.#tellLines(view);
    if (this.#withDeltas) this.#tellDeltas();
    if (view.phase === "ended" && view.outcome !== undefined && this.#told !== view.run) {
      if (this.#readsLast(view.run)) return;
      this.#stop();
      const { output: _hidden, deadLetter: _too, ...rest } = view.outcome;
      this.#finish(event("outcome", `${view.run}.outcome`, this.#withContent ? view.outcome : { ...rest, hidden: true }));
    } else if (this.#feed.gone !== undefined) this.end(this.#feed.gone);
  }

  #tellLines({ run, historyFrom, history }: ProcessView): void {
    if (this.#next < historyFrom) this.#response.write(`: ${historyFrom - this.#next} lines are no longer kept\n\n`);
    for (const [index, line] of history.entries()) {
      const number = historyFrom + index;
      if (number >= this.#next) this.#response.write(event("line", `${run}.${number}${this.#placeText()}`, line));
    }
    this.#next = Math.max(this.#next, historyFrom + history.length);
  }

  /** Whether the last pieces of a run are being read. They are told before its outcome. */
  #readsLast(run: number): boolean {
    if (!this.#withDeltas || this.#readLast === run) return false;
    this.#readLast = run;
    const reading = this.#feed.deltas.last();
    void reading?.finally(() => this.#tell());
    return reading !== undefined;
  }

  #tellDeltas(): void {
    const { epoch, from, entries } = this.#feed.deltas.after(this.#place);
    const missed = this.#place?.epoch === epoch ? from - this.#place.next : 0;
    if (missed > 0) this.#response.write(`: ${missed} pieces of replies are no longer kept\n\n`);
    for (const [index, entry] of entries.entries()) {
      this.#place = { epoch, next: from + index + 1 };
      const line = this.#next === 0 ? "start" : this.#next - 1;
      this.#response.write(event("model-delta", `${this.#run}.${line}${this.#placeText()}`, entry));
    }
  }

  #placeText(): string {
    return this.#place === undefined ? "" : `~${this.#place.epoch}.${this.#place.next}`;
  }
}

/** What a reader may see. */
export interface Shown {
  readonly withContent: boolean;
  /** Pieces of replies as they come. */
  readonly withDeltas: boolean;
}

interface StreamParts extends Shown {
  readonly response: Response;
  readonly feed: Feed;
  readonly heard: Heard | undefined;
  readonly clock: Clock;
}
