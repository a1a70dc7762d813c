/**
 * @module The gateway: the models of a system in one host. It chooses an endpoint, keeps its limits, and makes one attempt.
 *
 * It never retries: the work item that asked decides, and records each attempt.
 */
import type { Endpoint, EndpointEnvironment, EndpointSettings } from "../../agents/model/endpoint.ts";
import { endpointsOf } from "../../agents/model/models.ts";
import type { ModelsAnswer } from "../../runtime/answers.ts";
import { Fault } from "../../runtime/faults.ts";
import type { ModelReply, ModelUsage } from "../../runtime/model/conversation.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock, ModelAttempt, Models, RandomSource, StateStore } from "../engine/ports.ts";
import { EndpointState } from "./endpoint-state.ts";
import { Line } from "./line.ts";
import { ConfiguredSettings, type ReadSettings } from "./settings.ts";
import { SharedRests } from "./shared-rests.ts";

/** The parts of a gateway. */
export interface GatewayParts {
  readonly system: string;
  readonly models: ReadonlyMap<string, readonly Endpoint[]>;
  readonly environment: EndpointEnvironment;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where hosts of the system share which endpoints rest. Absent: they do not. */
  readonly shared?: { readonly store: StateStore; readonly random: RandomSource } | undefined;
  /** Reads configured settings. Absent: those of the definition stay. */
  readonly settings?: ReadSettings | undefined;
}

/** The models of a system in one host. */
export class Gateway implements Models {
  readonly #lines = new Map<string, Line>();
  readonly #states = new Map<string, EndpointState>();

  readonly #rests: SharedRests | undefined;
  readonly #configured: ConfiguredSettings | undefined;

  constructor({ system, models, environment, clock, log, shared, settings }: GatewayParts) {
    const stateOf = (endpoint: Endpoint): EndpointState => {
      const known = this.#states.get(endpoint.name);
      if (known !== undefined) return known;
      const state = new EndpointState({
        ...{ endpoint, environment, clock, log },
        onFree: () => this.#advance(endpoint.name),
        onRest: (ms) => this.#rests?.note(endpoint.name, ms),
      });
      this.#states.set(endpoint.name, state);
      return state;
    };
    for (const [model, endpoints] of models) this.#lines.set(model, new Line(model, endpoints.map(stateOf), clock));
    this.#rests = shared && new SharedRests({ ...shared, system, clock, rest: (name, ms) => this.#states.get(name)?.rest(ms) });
    const endpoints = [...this.#states.values()].map(({ endpoint }) => endpoint);
    const set = (name: string, next: EndpointSettings): void => this.#states.get(name)?.configure(next);
    this.#configured = settings && new ConfiguredSettings({ endpoints, read: settings, clock, log, set });
  }

  /** Connects all endpoints, so that a missing key is told at the start of the host. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#configured?.look(), ...[...this.#states.values()].map((state) => state.connect())]);
  }

  /** What an operator sees: no keys, no addresses. */
  get view(): ModelsAnswer["models"] {
    return [...this.#lines.values()].map(({ model, waiting, states }) => ({
      name: model,
      waiting,
      endpoints: states.map(({ view }) => view),
    }));
  }

  async attempt(attempt: ModelAttempt): Promise<ModelReply> {
    const line = endpointsOf(this.#lines, attempt.model);
    if (line === undefined)
      throw new Fault("model.unknown", `the system has no model ${JSON.stringify(attempt.model)}`, { model: attempt.model, sent: false });
    this.#rests?.look();
    void this.#configured?.look();
    return await line.run(attempt, { inputTokens: attempt.inputTokensMax, outputTokens: attempt.request.outputTokensMax });
  }

  costMicrosMax(model: string, inputTokens: number, outputTokens: number): number | undefined {
    const states = endpointsOf(this.#lines, model)?.states ?? [];
    const costs = states.map((state) => costOf(state, { inputTokens, outputTokens }));
    return costs.length === 0 || costs.includes(undefined) ? undefined : Math.max(...costs.map((cost) => cost ?? 0));
  }

  costMicros(endpoint: string, usage: ModelUsage): number | undefined {
    const state = this.#states.get(endpoint);
    return state === undefined ? undefined : costOf(state, usage);
  }

  providerOf(name: string): string | undefined {
    return (this.#states.get(name) ?? endpointsOf(this.#lines, name)?.states[0])?.endpoint.provider;
  }

  #advance(endpoint: string): void {
    for (const line of this.#lines.values()) if (line.states.some((state) => state.endpoint.name === endpoint)) line.advance();
  }
}

/** Dollars per million tokens are millionths of a dollar per token. Rounded up, so that a sum is never too small. */
function costOf({ endpoint, settings }: EndpointState, { inputTokens, outputTokens }: ModelUsage): number | undefined {
  const price = endpoint.price(settings.model);
  return price === undefined ? undefined : Math.ceil(inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion);
}
