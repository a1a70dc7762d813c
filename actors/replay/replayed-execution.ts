/**
 * @module The execution of a handler in a replay: recorded results are returned, and no tool, step or model is run. It notes the
 * requests to models, which are in no record, and the call that the handler tried last.
 */
import type { EditedCall, StepTools } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { Json } from "../../runtime/faults.ts";
import { idempotencyKey } from "../../runtime/ids.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import type { HandlerExecutionParts } from "../host/execution-parts.ts";
import { HandlerExecution } from "../host/handler-execution.ts";
import type { Models } from "../engine/ports.ts";
import type { RecordedLink } from "./recorded-link.ts";

/** A request to a model, with its reply or what came in its place. */
export interface SeenExchange {
  readonly call: ModelCall;
  reply?: ModelReply;
  fault?: unknown;
}

/** What the handler did last. */
export interface LastDone {
  readonly what: string;
  readonly input: Json;
}

/** A replayed execution. */
export class ReplayedExecution extends HandlerExecution {
  readonly #link: RecordedLink;
  readonly #recorded: ReadonlySet<string>;
  readonly exchanges: SeenExchange[] = [];
  last: LastDone | undefined;

  constructor(parts: Omit<HandlerExecutionParts, "models"> & { readonly link: RecordedLink }, stateVersion: number, state: Json) {
    super({ ...parts, models: NO_MODELS }, stateVersion, state);
    this.#link = parts.link;
    this.#recorded = new Set(parts.work.calls.map(({ key }) => idempotencyKey(parts.work.id, key)));
  }

  override call(tool: ToolDefinition, input: Json, edited?: (edit: EditedCall) => void): Promise<Json> {
    this.last = { what: `tool ${tool.name}`, input };
    const never = (_input: Json, { idempotencyKey: key }: Parameters<ToolDefinition["run"]>[1]): Promise<never> => {
      // A call that began and had no end when the work item ended: the handler did not wait for it.
      if (this.#recorded.has(key)) return this.#pending();
      throw this.#ended(tool.name);
    };
    return super.call({ ...tool, run: never, ...(tool.lookup === undefined ? {} : { lookup: never }) }, input, edited);
  }

  #ended(tool: string): Error {
    const fault = this.#link.refuse({ what: "tool", key: tool });
    this.stop(fault.toWire());
    return fault;
  }

  override async chat(call: ModelCall): Promise<ModelReply> {
    this.last = { what: `model ${call.model}`, input: null };
    const seen: SeenExchange = { call };
    this.exchanges.push(seen);
    try {
      seen.reply = await super.chat(call);
      return seen.reply;
    } catch (error) {
      seen.fault = error;
      throw error;
    }
  }

  override step(name: string, _action: (step: StepTools) => unknown): Promise<Json> {
    this.last = { what: `step ${name}`, input: null };
    return super.step(name, () => {
      const fault = this.#link.refuse({ what: "step", key: name });
      this.stop(fault.toWire());
      throw fault;
    });
  }

  override ask(
    target: { readonly name: string },
    input: Json,
    ...rest: [received?: Parameters<HandlerExecution["ask"]>[2]]
  ): Promise<Json> {
    this.last = { what: `ask of ${target.name}`, input };
    return super.ask(target, input, ...rest);
  }

  #pending(): Promise<never> {
    const { signal } = this;
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }
}

/** A model call that is recorded without an end goes on for as long as its handler. */
const NO_MODELS: Models = {
  costMicrosMax: () => undefined,
  costMicros: () => undefined,
  attempt: ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    }),
};
