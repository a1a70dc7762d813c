/** @module The load of the benchmarks of waiting processes: tasks and signals, each sent until it is accepted. */
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 200;
const POLL_MS = 100;
/** How long a request is repeated, and how long a program has to become ready. */
export const READY_MS = 120_000;

/** Posts until it is accepted. */
export async function post(url: string, body: object): Promise<void> {
  const end = performance.now() + READY_MS;
  for (let last = ""; ;) {
    try {
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
      last = `${answer.status} ${await answer.text()}`;
      if (answer.ok) return;
    } catch (error) {
      last = String(error);
    }
    if (performance.now() > end) throw new Error(`${url}: ${last}`);
    await sleep(RETRY_MS);
  }
}

/** Runs `send` for 0 to `count - 1` with that many callers. Returns how many were sent per second. */
export async function sendAll(count: number, callers: number, send: (n: number) => Promise<void>): Promise<number> {
  const begunMs = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await send(n);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return rounded(count / ((performance.now() - begunMs) / 1_000));
}

/** Waits until it is done, or throws after `ms` with what was not. */
export async function until(isDone: () => boolean, ms: number, what: () => string): Promise<void> {
  const end = performance.now() + ms;
  while (!isDone()) {
    if (performance.now() > end) throw new Error(`${what()} within ${ms} ms`);
    await sleep(POLL_MS);
  }
}

/** To three decimals. */
export function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
