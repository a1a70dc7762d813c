/** @module The lease of a host does not wait behind the reads and writes of its actors: a host that is only busy must not look dead. */
import { expect, test } from "vitest";
import { SILENT } from "../../../actors/engine/log.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { serveParty } from "./echo.ts";
import { type Asked, FakeSidecar, type Reply } from "./fake-sidecar.ts";

const STATE = "/v1.0/state/statestore";
const METADATA = {
  id: "party",
  runtimeVersion: "1.18.2",
  components: [
    { name: "statestore", type: "state.redis", version: "v1" },
    { name: "pubsub", type: "pubsub.redis", version: "v1" },
  ],
};
/** Reads that hang before the lease is watched: more than are in flight at once. */
const READS = 32;
/** In the time in which a host that waits for a read and its time limit has renewed its lease once at most. */
const RENEWALS = 2;
const WITHIN_MS = 0.9 * LIMITS.sidecarCallMs;

interface Item {
  readonly key: string;
  readonly value: unknown;
  readonly etag?: string;
}

/** The state of a sidecar: inserts and replacements under tags. */
class State {
  readonly #items = new Map<string, { readonly value: unknown; readonly tag: number }>();

  reply({ method, url, body }: Asked): Reply {
    if (url === "/v1.0/metadata") return { status: 200, text: JSON.stringify(METADATA) };
    if (!url.startsWith(STATE)) return { status: 204 };
    if (url === `${STATE}/bulk`)
      return { status: 200, text: JSON.stringify((JSON.parse(body) as { keys: string[] }).keys.map((key) => this.#found(key))) };
    if (url === `${STATE}/transaction`)
      return this.#remove((JSON.parse(body) as { operations: { request: Item }[] }).operations.map((one) => one.request.key));
    if (method === "POST")
      return (JSON.parse(body) as Item[]).every((item) => this.#write(item))
        ? { status: 204 }
        : { status: 500, text: "possible etag mismatch" };
    const item = this.#items.get(decodeURIComponent(url.slice(STATE.length + 1)));
    return item === undefined ? { status: 204 } : { status: 200, text: JSON.stringify(item.value), etag: String(item.tag) };
  }

  #found(key: string): object {
    const item = this.#items.get(key);
    return item === undefined ? { key } : { key, data: item.value };
  }

  #write({ key, value, etag }: Item): boolean {
    const there = this.#items.get(key);
    if (there === undefined ? etag !== undefined : etag !== String(there.tag)) return false;
    this.#items.set(key, { value, tag: (there?.tag ?? 0) + 1 });
    return true;
  }

  #remove(keys: readonly string[]): Reply {
    for (const key of keys) this.#items.delete(key);
    return { status: 204 };
  }
}

test("a host whose store keeps the reads of actors waiting renews its lease all the same", async () => {
  const sidecar = await FakeSidecar.start();
  const state = new State();
  sidecar.reply = (asked) => state.reply(asked);
  const host = await serveParty(sidecar, SILENT);
  try {
    await host.recovered;
    const isOfHosts = ({ url, body }: Asked): boolean => /party(\/|%2F)hosts?\b/.test(url) || /"party\/hosts?\b/.test(body);
    const renewals = (): number =>
      sidecar.asked.filter(({ url, method, body }) => method === "POST" && url === STATE && body.includes('"party/host/')).length;
    sidecar.reply = (asked) => (asked.url.startsWith(STATE) && !isOfHosts(asked) ? "hang" : state.reply(asked));
    const reads = Array.from({ length: READS }, (_, index) =>
      fetch(`http://127.0.0.1:${host.port}/processes/p-${index}`).catch(() => undefined),
    );
    await expect.poll(() => sidecar.asked.some(({ url }) => url.includes("p-0"))).toBe(true);
    const before = renewals();
    await expect.poll(() => renewals() - before, { timeout: WITHIN_MS }).toBeGreaterThanOrEqual(RENEWALS);
    sidecar.reply = (asked) => state.reply(asked);
    await Promise.all(reads);
  } finally {
    await host.stop();
    await sidecar.stop();
  }
});
