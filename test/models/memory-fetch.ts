/** @module A `fetch` that gives the answers of a scripted model without a network. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { WireAnswer } from "../../testing/scripted/wire.ts";

const NO_BODY_STATUS = 204;

/** A `fetch` for one answer at a time. */
export class MemoryFetch {
  /** What the next request gets. */
  next: WireAnswer = { status: 200, headers: {}, pieces: [], end: "complete" };

  readonly fetch: typeof fetch = (_input, init) => {
    const { next } = this;
    if (next.pieces.length === 0 && next.end === "cut") return Promise.reject(new TypeError("fetch failed"));
    const body = next.status === NO_BODY_STATUS ? null : streamOf(next, init?.signal ?? undefined);
    return Promise.resolve(new Response(body, { status: next.status, headers: next.headers }));
  };
}

function streamOf({ pieces, end }: WireAnswer, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      signal?.addEventListener("abort", () => controller.error(signal.reason), { once: true });
      for (const { text, delayMs } of pieces) {
        // A pause is one turn of the event loop.
        if (delayMs > 0) await nextTurn();
        if (signal?.aborted) return;
        controller.enqueue(encoder.encode(text));
      }
      if (signal?.aborted || end === "hang") return;
      if (end === "cut") controller.error(new TypeError("terminated"));
      else controller.close();
    },
  });
}
