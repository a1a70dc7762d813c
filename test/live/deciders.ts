/** @module People of the live tests: they read the inbox and decide over HTTP, again and again until a host answers. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { InboxPage } from "../../runtime/people/answers.ts";
import type { InboxEntry } from "../../runtime/people/view.ts";
import { AuditPage } from "../../runtime/answers.ts";

const CALL_MS = 5_000;
const AGAIN_MS = 50;
const END_MS = 60_000;
const STATUS_RETRY_MIN = 500;

/** How a decision was answered for good. */
export interface Answered {
  readonly status: number;
  readonly code: string;
}

const Refused = z.looseObject({ error: z.looseObject({ code: z.string() }) });

/** People at one app. */
export class Deciders {
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  /** The requests on the first page of the inbox. */
  async list(query: string): Promise<readonly InboxEntry[]> {
    return InboxPage.parse(await this.#get(`/inbox?limit=200&${query}`)).entries;
  }

  /** Waits until so many requests are listed. Throws after a minute. */
  async listed(query: string, count: number): Promise<readonly InboxEntry[]> {
    const end = Date.now() + END_MS;
    for (;;) {
      const entries = await this.list(query);
      if (entries.length === count) return entries;
      if (Date.now() > end) throw new Error(`the inbox lists ${entries.length} requests for ${query}, not ${count}`);
      await sleep(AGAIN_MS);
    }
  }

  /** Decides until a host answers for good. */
  async decide({ id, hash }: Pick<InboxEntry, "id" | "hash">, decision: object): Promise<Answered> {
    const end = Date.now() + END_MS;
    for (let last = ""; ;) {
      try {
        const answer = await fetch(`${this.#url()}/inbox/${id}/decision`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ hash, ...decision }),
          signal: AbortSignal.timeout(CALL_MS),
        });
        const body: unknown = await answer.json();
        if (answer.status < STATUS_RETRY_MIN) return { status: answer.status, code: answer.ok ? "" : Refused.parse(body).error.code };
        last = JSON.stringify(body);
      } catch (error) {
        last = String(error);
      }
      if (Date.now() > end) throw new Error(`no host decided on ${id}: ${last}`);
      await sleep(AGAIN_MS);
    }
  }

  /** What the audit says of a request: who did what. */
  async audit(id: string): Promise<readonly string[]> {
    const { entries } = AuditPage.parse(await this.#get("/audit?limit=200"));
    return entries.filter(({ target }) => target === id).map(({ what }) => what);
  }

  /** Asks until a host answers. */
  async #get(path: string): Promise<unknown> {
    const end = Date.now() + END_MS;
    for (;;) {
      const answer = await fetch(this.#url() + path, { signal: AbortSignal.timeout(CALL_MS) }).catch(() => undefined);
      if (answer?.ok === true) return answer.json();
      if (Date.now() > end) throw new Error(`${path}: ${answer?.status ?? "no answer"}`);
      await sleep(AGAIN_MS);
    }
  }
}
