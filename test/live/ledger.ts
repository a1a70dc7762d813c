/**
 * @module The outside world of the live tests: a ledger that outlives every host and counts its effects.
 *
 * It runs in the test's own process. An effect is identified by its key, as in every API that takes idempotency keys:
 * the same key again changes nothing, and a key that was undone is refused forever. The purpose (`effect`) is separate
 * from the key, so an effect that happened twice under two keys is detected.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const Order = z.strictObject({ key: z.string(), process: z.string(), effect: z.string() });
const What = z.enum(["apply", "undo", "execute"]);

/** What happened under one idempotency key. */
export interface Entry {
  readonly key: string;
  readonly process: string;
  readonly effect: string;
  /** Calls that requested it; more than one is allowed. */
  applyCalls: number;
  undoCalls: number;
  applied: boolean;
  undone: boolean;
  /** Calls that came after the undo and were refused. */
  lateCalls: number;
  readonly callsMs: number[];
}

/** A call of the ledger. An `execute` has no effect: with it a handler tells that it executes. */
export interface LedgerCall {
  readonly what: z.infer<typeof What>;
  readonly key: string;
  readonly process: string;
}

export interface LedgerOptions {
  /** Answers take a random time up to this. */
  readonly answerMsMax: number;
  readonly random: () => number;
}

export class Ledger {
  readonly entries = new Map<string, Entry>();
  /** All calls, in the order in which they came. */
  readonly calls: LedgerCall[] = [];
  /** Calls that were received and not answered: effects in flight. */
  open = 0;
  /** Calls whose caller was gone when the answer was ready. */
  callerDied = 0;
  readonly #server: Server;
  readonly #options: LedgerOptions;

  private constructor(options: LedgerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response).catch(() => response.destroy()));
  }

  static async start(options: LedgerOptions): Promise<Ledger> {
    const ledger = new Ledger(options);
    await new Promise<void>((resolve) => ledger.#server.listen(0, "127.0.0.1", resolve));
    return ledger;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  of(process: string): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.process === process);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const order = Order.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    const what = What.parse(request.url?.slice(1));
    this.calls.push({ what, key: order.key, process: order.process });
    this.open += 1;
    try {
      const refused = what === "apply" ? await this.#apply(order) : what === "undo" && this.#undo(order);
      if (response.destroyed || request.socket.destroyed) this.callerDied += 1;
      response.writeHead(refused ? 409 : 200, { "content-type": "application/json" }).end(JSON.stringify({ ok: !refused }));
    } finally {
      this.open -= 1;
    }
  }

  /** Half of the time passes before the effect happens and half after it, so a caller may die on either side. */
  async #apply(order: z.infer<typeof Order>): Promise<boolean> {
    const pauseMs = this.#options.random() * this.#options.answerMsMax;
    await sleep(pauseMs / 2);
    const entry = this.#entry(order);
    entry.applyCalls += 1;
    if (entry.undone) {
      entry.lateCalls += 1;
      return true;
    }
    entry.applied = true;
    await sleep(pauseMs / 2);
    return false;
  }

  #undo(order: z.infer<typeof Order>): boolean {
    const entry = this.#entry(order);
    entry.undoCalls += 1;
    entry.undone = true;
    return false;
  }

  #entry(order: z.infer<typeof Order>): Entry {
    const known = this.entries.get(order.key);
    const entry = known ?? { ...order, applyCalls: 0, undoCalls: 0, applied: false, undone: false, lateCalls: 0, callsMs: [] };
    this.entries.set(order.key, entry);
    entry.callsMs.push(Date.now());
    return entry;
  }
}
