/** @module A careful client: it sends the same id again until it has a receipt. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ProcessView } from "../../runtime/process-view.ts";

const CALL_MS = 5_000;
const AGAIN_MS = 100;
const POLL_MS = 200;

const Receipt = z.looseObject({ id: z.string(), sequence: z.int() });

const Letters = z.looseObject({ entries: z.array(z.looseObject({ id: z.string() })), cursor: z.string().optional() });

export interface TaskOrder {
  readonly id: string;
  readonly route: string;
  readonly input: unknown;
  readonly timeoutMs?: number;
}

export class Client {
  readonly #urls: () => readonly string[];
  #turn = 0;
  /** Tries without a receipt: refused connections, timeouts, 503. */
  retries = 0;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(urls: () => readonly string[], token?: string) {
    this.#urls = urls;
    this.#headers = { "content-type": "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  }

  /** One try at the next host. */
  async #call(path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly body: unknown }> {
    const urls = this.#urls();
    this.#turn += 1;
    const url = urls[this.#turn % urls.length] ?? "";
    const answer = await fetch(url + path, { ...init, headers: this.#headers, signal: AbortSignal.timeout(CALL_MS) });
    return { status: answer.status, body: await answer.json() };
  }

  /** Sends a task until it has a receipt. Throws at an answer that a retry cannot change. */
  async submit(order: TaskOrder, endMs: number = Date.now() + 120_000): Promise<void> {
    for (;;) {
      const answer = await this.#call("/tasks", { method: "POST", body: JSON.stringify(order) }).catch(() => undefined);
      if (answer !== undefined && (answer.status === 202 || answer.status === 200)) {
        Receipt.parse(answer.body);
        return;
      }
      if (answer !== undefined && answer.status < 500 && answer.status !== 429)
        throw new Error(`task ${order.id}: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (Date.now() > endMs) throw new Error(`task ${order.id} was never accepted: ${JSON.stringify(answer)}`);
      this.retries += 1;
      await sleep(AGAIN_MS);
    }
  }

  /** The view of a process; undefined when no host answers. */
  async look(id: string): Promise<ProcessView | undefined> {
    const answer = await this.#call(`/processes/${id}`).catch(() => undefined);
    return answer?.status === 200 ? ProcessView.parse(answer.body) : undefined;
  }

  /** Waits until a process has ended; returns the last view if it has not by then. */
  async ended(id: string, endMs: number): Promise<ProcessView | undefined> {
    let last: ProcessView | undefined;
    for (;;) {
      last = (await this.look(id)) ?? last;
      if (last?.phase === "ended" || Date.now() > endMs) return last;
      await sleep(POLL_MS);
    }
  }

  async cancel(id: string): Promise<number> {
    return (await this.#call(`/processes/${id}/cancel`, { method: "POST", body: "{}" })).status;
  }

  /** One try to redrive a dead letter. */
  redrive(letter: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
    return this.#call(`/deadletters/${encodeURIComponent(letter)}/redrive`, { method: "POST", body: JSON.stringify(body) });
  }

  /** One dead letter with its content. */
  letter(id: string): Promise<{ readonly status: number; readonly body: unknown }> {
    return this.#call(`/deadletters/${encodeURIComponent(id)}`);
  }

  /** Waits until all of these dead letters wait for a decision. Throws at the end of its time. */
  async lettersCome(ids: readonly string[], endMs: number): Promise<void> {
    for (;;) {
      const there = await this.letters();
      if (ids.every((id) => there.has(id))) return;
      if (Date.now() > endMs) throw new Error(`letters are missing: ${ids.filter((id) => !there.has(id)).join(", ")}`);
      await sleep(POLL_MS);
    }
  }

  /** Waits until no dead letter waits for a decision; returns those that still do at the end of its time. */
  async lettersGone(endMs: number): Promise<ReadonlySet<string>> {
    for (;;) {
      const there = await this.letters().catch(() => undefined);
      if (there?.size === 0 || Date.now() > endMs) return there ?? new Set(["no host answers"]);
      await sleep(POLL_MS);
    }
  }

  /** Ids of all dead letters. */
  async letters(): Promise<Set<string>> {
    const ids = new Set<string>();
    for (let cursor: string | undefined; ;) {
      const answer = await this.#call(`/deadletters?limit=200${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      const page = Letters.parse(answer.body);
      for (const entry of page.entries) ids.add(entry.id);
      if (page.cursor === undefined || page.entries.length === 0) return ids;
      cursor = page.cursor;
    }
  }
}
