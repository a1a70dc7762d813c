/**
 * @module What the hosts of a system tell each other about endpoints that rest, in one key of the state store.
 *
 * A topic would reach only one of the hosts that share a name. No times are stored, because clocks of two hosts are not compared: a rest
 * has an id and a length, and begins for each host when it sees the id. A host looks once a second, and only while it makes calls.
 */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Clock, RandomSource, StateStore } from "../engine/ports.ts";

const Rest = z.strictObject({ id: z.string(), ms: z.int().positive() });
/** By the name of the endpoint. Persisted: changing this needs a version bump. */
const Rests = z.strictObject({ rests: z.record(z.string(), Rest) });
type RestsByName = Readonly<Record<string, z.infer<typeof Rest>>>;

/** The parts of shared rests. */
export interface SharedRestsParts {
  readonly system: string;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** An endpoint of this host takes no calls for that time. */
  readonly rest: (endpoint: string, ms: number) => void;
}

/** The rests that the hosts of a system share. Nothing here fails a call: what cannot be read or written is not shared. */
export class SharedRests {
  readonly #parts: SharedRestsParts;
  readonly #key: string;
  /** Until when the rests last as this host sees it, by id. */
  readonly #seen = new Map<string, number>();
  readonly #restsUntilMs = new Map<string, number>();
  #lookedAtMs: number | undefined;
  #looking = false;

  constructor(parts: SharedRestsParts) {
    this.#parts = parts;
    this.#key = `${parts.system}/model-rests`;
  }

  /** Tells the other hosts. A pause that is too short to reach them, or that they know, is not written. */
  note(endpoint: string, ms: number): void {
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    const untilMs = nowMs + Math.min(ms, LIMITS.sharedRestMsMax);
    const isKnown = (this.#restsUntilMs.get(endpoint) ?? 0) >= untilMs - LIMITS.modelsReadMs;
    if (ms < LIMITS.modelsReadMs || isKnown) return;
    this.#restsUntilMs.set(endpoint, untilMs);
    this.#write(endpoint, { id: this.#parts.random.token(), ms: untilMs - nowMs }).catch(() => {});
  }

  /** Looks what the other hosts told, in the background, unless this host just did. */
  look(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#looking || (this.#lookedAtMs !== undefined && nowMs < this.#lookedAtMs + LIMITS.modelsReadMs)) return;
    this.#looking = true;
    this.#read(nowMs)
      .catch(() => {})
      .finally(() => {
        this.#looking = false;
      });
  }

  async #read(nowMs: number): Promise<void> {
    const found = restsIn((await this.#parts.store.read([this.#key])).get(this.#key));
    const gapMs = this.#lookedAtMs === undefined ? Number.POSITIVE_INFINITY : nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    for (const [endpoint, { id, ms }] of Object.entries(found)) {
      if (this.#seen.has(id)) continue;
      this.#seen.set(id, nowMs + ms);
      // A rest that began at some time in a long gap is kept only as far as it surely lasts.
      const restMs = gapMs <= 2 * LIMITS.modelsReadMs ? ms : ms - gapMs;
      if (restMs <= 0) continue;
      this.#restsUntilMs.set(endpoint, Math.max(this.#restsUntilMs.get(endpoint) ?? 0, nowMs + restMs));
      this.#parts.rest(endpoint, restMs);
    }
    for (const [id, untilMs] of this.#seen)
      if (untilMs < nowMs && !Object.values(found).some((one) => one.id === id)) this.#seen.delete(id);
  }

  /** Adds a rest, and removes those that are over for this host. */
  async #write(endpoint: string, rest: z.infer<typeof Rest>): Promise<void> {
    const { store, clock } = this.#parts;
    this.#seen.set(rest.id, clock.nowMs() + rest.ms);
    for (let attempt = 1; attempt <= LIMITS.commitAttemptsMax; attempt += 1) {
      const there = await store.tagged(this.#key);
      const kept = Object.entries(restsIn(there?.content)).filter(([, { id }]) => (this.#seen.get(id) ?? Infinity) > clock.nowMs());
      const text = JSON.stringify({ rests: { ...Object.fromEntries(kept), [endpoint]: rest } });
      const isDone =
        there === undefined ? (await store.insert(this.#key, text)) === "inserted" : await store.replace(this.#key, text, there.tag);
      if (isDone) return;
    }
  }
}

function restsIn(content: Json | undefined): RestsByName {
  const rests = Rests.safeParse(content);
  return rests.success ? rests.data.rests : {};
}
