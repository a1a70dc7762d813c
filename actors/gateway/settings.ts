/**
 * @module Settings of endpoints that come from Dapr configuration stores: read at the start and again while the host makes calls.
 */
import { type Endpoint, type EndpointSettings, SETTING_BOUNDS } from "../../agents/model/endpoint.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";

/** Reads values of a configuration store; those that exist. */
export type ReadSettings = (store: string, keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** The parts of configured settings. */
export interface ConfiguredParts {
  readonly endpoints: readonly Endpoint[];
  readonly read: ReadSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with the settings of an endpoint that have changed. */
  readonly set: (endpoint: string, settings: EndpointSettings) => void;
}

const MODEL_CHARS_MAX = 128;

/** The configured settings of the endpoints of one host. */
export class ConfiguredSettings {
  readonly #parts: ConfiguredParts;
  readonly #known = new Map<string, string>();
  readonly #told = new Set<string>();
  #readAtMs: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(parts: ConfiguredParts) {
    this.#parts = { ...parts, endpoints: parts.endpoints.filter(({ configured }) => Object.keys(configured).length > 0) };
  }

  /** Reads in the background if it is time. The returned promise never rejects. */
  look(): Promise<void> | undefined {
    const { clock, endpoints } = this.#parts;
    if (endpoints.length === 0) return undefined;
    const nowMs = clock.nowMs();
    if (this.#readAtMs !== undefined && nowMs < this.#readAtMs + LIMITS.settingsReadMs) return undefined;
    this.#readAtMs = nowMs;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { endpoints } = this.#parts;
    const wanted = Map.groupBy(
      endpoints.flatMap(({ configured }) => Object.values(configured)),
      ({ store }) => store,
    );
    await Promise.all([...wanted].map(([store, settings]) => this.#readStore(store, [...new Set(settings.map(({ key }) => key))])));
    for (const endpoint of endpoints) this.#apply(endpoint);
  }

  async #readStore(store: string, keys: readonly string[]): Promise<void> {
    try {
      const values = await this.#parts.read(store, keys);
      for (const key of keys) {
        const value = values.get(key);
        if (value === undefined) this.#known.delete(place(store, key));
        else this.#known.set(place(store, key), value);
      }
      this.#told.delete(store);
    } catch (error) {
      this.#warnOnce(store, "a configuration store does not answer; the last known settings of models stay in force", {
        store,
        err: error,
      });
    }
  }

  #apply(endpoint: Endpoint): void {
    let settings: EndpointSettings = endpoint;
    for (const field of FIELDS) {
      const configured = endpoint.configured[field];
      const text = configured === undefined ? undefined : this.#known.get(place(configured.store, configured.key));
      if (configured === undefined || text === undefined) continue;
      const value = valueOf(field, text);
      const facts = { endpoint: endpoint.name, store: configured.store, key: configured.key };
      if (value === undefined) this.#warnOnce(`${endpoint.name} ${field} ${text}`, `a configured value does not fit ${field}`, facts);
      else settings = { ...settings, [field]: value };
    }
    this.#parts.set(endpoint.name, settings);
  }

  #warnOnce(what: string, text: string, facts: Readonly<Record<string, unknown>>): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#parts.log.warn(facts, text);
  }
}

const FIELDS = ["model", "weight", "timeoutMs", "concurrency", "requestsPerMinute", "tokensPerMinute"] as const;

function valueOf(field: (typeof FIELDS)[number], text: string): string | number | undefined {
  if (field === "model") return text !== "" && text.length <= MODEL_CHARS_MAX ? text : undefined;
  const [min, max] = SETTING_BOUNDS[field];
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function place(store: string, key: string): string {
  return JSON.stringify([store, key]);
}
