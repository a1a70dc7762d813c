/**
 * @module A model of OpenAI's Agents SDK whose calls are recorded: after a crash the handler runs again, its run repeats itself, and each
 * recorded reply is given again instead of being bought again.
 */
import { type Model, type ModelRequest, type ModelResponse, type StreamEvent, Usage } from "@openai/agents";
import type { BaseContext } from "../../agents/context.ts";
import type { Json } from "../../runtime/faults.ts";
import { callName, faultOfModel, storable } from "../recorded-call.ts";

/** The parts of a handler's context that are used. */
export type RecordingContext = Pick<BaseContext<never, never>, "step" | "signal">;

/**
 * Records each call of a model as a step of the handler: `new Agent({ model: recorded(ctx, model) })`. Make it within the handler. A call
 * is identified by the model's name, instructions, input, tools and settings, and by how often the same was asked before. Failures are
 * recorded too, as faults `model.*`: the stop of the route retries those that may pass.
 */
export function recorded(ctx: RecordingContext, model: Model, name = "default"): Model {
  const selection = model.supportsPromptModelSelection;
  return {
    ...(selection === undefined ? {} : { supportsPromptModelSelection: selection }),
    getResponse: async (request) => {
      const record = await ctx.step(nameOf(ctx, "response", name, request), async () => {
        // The raw answer of the provider is the reply once more.
        const { providerData: _raw, ...response } = await attempt(request, ctx, (own) => model.getResponse(own));
        return storable(response);
      });
      return responseOf(record);
    },
    getStreamedResponse: (request) => streamed(ctx, model, name, request),
  };
}

function nameOf(ctx: object, kind: string, name: string, request: ModelRequest): string {
  // What differs in each execution, and what the model does not see.
  const { signal: _signal, tracing: _tracing, ...sent } = request;
  return callName(ctx, name, { kind, sent });
}

async function attempt<T>(request: ModelRequest, { signal }: RecordingContext, make: (own: ModelRequest) => T | Promise<T>): Promise<T> {
  const own = request.signal === undefined ? signal : AbortSignal.any([request.signal, signal]);
  try {
    return await make({ ...request, signal: own });
  } catch (error) {
    throw faultOfModel(error, own, Date.now());
  }
}

function responseOf(record: Json): ModelResponse {
  // The record is a response in which the usage, which has methods, is a plain object.
  const { usage, ...response } = record as unknown as Omit<ModelResponse, "usage"> & {
    readonly usage: ConstructorParameters<typeof Usage>[0];
  };
  return { ...response, usage: new Usage(usage) };
}

/** Events of raw chunks are for the provider's own users; the library itself does not act on them. */
const LEFT_OUT: ReadonlySet<StreamEvent["type"]> = new Set<StreamEvent["type"]>(["model"]);
/** Texts are shown as they come; what the library acts on waits until the whole reply is recorded. */
const SHOWN: ReadonlySet<StreamEvent["type"]> = new Set<StreamEvent["type"]>(["response_started", "output_text_delta"]);

async function* streamed(ctx: RecordingContext, model: Model, name: string, request: ModelRequest): AsyncGenerator<StreamEvent> {
  const queue = new Queue<StreamEvent>();
  let held: readonly StreamEvent[] | undefined;
  const recording = ctx.step(nameOf(ctx, "stream", name, request), async () => {
    const events = await attempt(request, ctx, (own) => collected(model.getStreamedResponse(own), queue));
    held = events.slice(queue.pushed);
    return storable(events.filter(({ type }) => type !== "output_text_delta"));
  });
  recording.then(
    (record) => queue.end(held ?? (record as unknown as readonly StreamEvent[])),
    (error: unknown) => queue.fail(error),
  );
  yield* queue;
}

async function collected(events: AsyncIterable<StreamEvent>, queue: Queue<StreamEvent>): Promise<readonly StreamEvent[]> {
  const all: StreamEvent[] = [];
  let shows = true;
  for await (const event of events) {
    if (LEFT_OUT.has(event.type)) continue;
    all.push(event);
    shows &&= SHOWN.has(event.type);
    if (shows) queue.push(event);
  }
  return all;
}

/** Items that come one by one, for one reader. */
class Queue<T> implements AsyncIterable<T> {
  pushed = 0;
  readonly #items: T[] = [];
  #ended: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();

  push(item: T): void {
    this.pushed += 1;
    this.#items.push(item);
    this.#wake.resolve();
  }

  end(rest: readonly T[]): void {
    this.#items.push(...rest);
    this.#ended = Promise.resolve();
    this.#wake.resolve();
  }

  fail(error: unknown): void {
    this.#ended = Promise.reject(error as Error);
    // The reader awaits it when it has read what came before.
    this.#ended.catch(() => {});
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
      if (this.#ended !== undefined) return await this.#ended;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
  }
}
