/**
 * @module Virtual time: a queue of events, and the loop that runs them one by one.
 *
 * Between two events everything that can go on without time goes on. A callback of `process.nextTick` that was asked for
 * by a microtask runs when no microtask is left (node 24 lib/internal/process/task_queues.js, processTicksAndRejections),
 * so the loop needs no guess about how many turns a chain of promises takes.
 */

/** The result of an event that did nothing, such as a cancelled timer: no code can continue because of it. */
export const NOTHING = Symbol("nothing was done");

/** An event. */
export type Happening = () => void | typeof NOTHING;

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: Happening;
}

/** Virtual time in milliseconds from 0, and the events to come. */
export class Timeline {
  readonly #heap: Event[] = [];
  #order = 0;
  #nowMs = 0;
  #count = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that were run. */
  get count(): number {
    return this.#count;
  }

  /** Runs something after a delay. Of two events at one moment the one that was asked for first runs first. */
  after(delayMs: number, run: Happening): void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  /** Runs the next event. Returns whether it did anything, or undefined when there is none up to `untilMs`. */
  step(untilMs: number): boolean | undefined {
    const next = this.#heap[0];
    if (next === undefined || next.atMs > untilMs) return undefined;
    this.#pop();
    this.#nowMs = next.atMs;
    this.#count += 1;
    return next.run() !== NOTHING;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const right = heap[child + 1];
      let least = heap[child];
      if (least === undefined) break;
      if (right !== undefined && isBefore(right, least)) {
        child += 1;
        least = right;
      }
      if (!isBefore(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Queues a microtask at a fraction of the cost of `queueMicrotask`, which creates a resource for async hooks each time. */
const settled = Promise.resolve();

/** Runs events until `done`, or until none is left up to `untilMs`. Rejects with what an event throws. */
export function drive(timeline: Timeline, untilMs: number, done: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (): void => {
      try {
        for (let did: boolean | undefined = false; did === false;) {
          if (done()) return resolve();
          did = timeline.step(untilMs);
          if (did === undefined) return resolve();
        }
      } catch (error) {
        return reject(error instanceof Error ? error : new Error(String(error)));
      }
      void settled.then(afterMicrotasks);
    };
    const afterMicrotasks = (): void => process.nextTick(step);
    void settled.then(afterMicrotasks);
  });
}
