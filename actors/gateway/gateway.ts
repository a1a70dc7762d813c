/**
 * @module The gateway: the models of a system in one host. It chooses an endpoint, keeps its limits, and makes one attempt.
 *
 * It never retries: the work item that asked decides, and records each attempt.
 */
import type { Endpoint, EndpointEnvironment } from "../../agents/model/endpoint.ts";
import { endpointsOf } from "../../agents/model/models.ts";
import { Fault } from "../../runtime/faults.ts";
import type { ModelReply, ModelUsage } from "../../runtime/model/conversation.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock, ModelAttempt, Models, StateStore } from "../engine/ports.ts";
import { EndpointState, type EndpointView } from "./endpoint-state.ts";
import { Line } from "./line.ts";

/** The parts of a gateway. */
export interface GatewayParts {
  readonly system: string;
  readonly models: ReadonlyMap<string, readonly Endpoint[]>;
  readonly environment: EndpointEnvironment;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where hosts of the system share which endpoints rest. Absent: they do not. */
  readonly store?: StateStore | undefined;
}

/** One model as an operator sees it. */
export interface ModelView {
  readonly model: string;
  readonly waiting: number;
  readonly endpoints: readonly EndpointView[];
}

/** The models of a system in one host. */
export class Gateway implements Models {
  readonly #lines = new Map<string, Line>();
  readonly #states = new Map<string, EndpointState>();

  constructor({ models, environment, clock, log }: GatewayParts) {
    const stateOf = (endpoint: Endpoint): EndpointState => {
      const known = this.#states.get(endpoint.name);
      if (known !== undefined) return known;
      const state = new EndpointState({
        ...{ endpoint, environment, clock, log },
        onFree: () => this.#advance(endpoint.name),
        onRest: () => {},
      });
      this.#states.set(endpoint.name, state);
      return state;
    };
    for (const [model, endpoints] of models) this.#lines.set(model, new Line(model, endpoints.map(stateOf), clock));
  }

  /** Connects all endpoints, so that a missing key is told at the start of the host. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([...this.#states.values()].map((state) => state.connect()));
  }

  /** What an operator sees: no keys, no addresses. */
  get view(): readonly ModelView[] {
    return [...this.#lines.values()].map(({ model, waiting, states }) => ({ model, waiting, endpoints: states.map(({ view }) => view) }));
  }

  async attempt(attempt: ModelAttempt): Promise<ModelReply> {
    const line = endpointsOf(this.#lines, attempt.model);
    if (line === undefined)
      throw new Fault("model.unknown", `the system has no model ${JSON.stringify(attempt.model)}`, { model: attempt.model, sent: false });
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

  #advance(endpoint: string): void {
    for (const line of this.#lines.values()) if (line.states.some((state) => state.endpoint.name === endpoint)) line.advance();
  }
}

/** Dollars per million tokens are millionths of a dollar per token. Rounded up, so that a sum is never too small. */
function costOf({ endpoint, settings }: EndpointState, { inputTokens, outputTokens }: ModelUsage): number | undefined {
  const price = endpoint.price(settings.model);
  return price === undefined ? undefined : Math.ceil(inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion);
}
