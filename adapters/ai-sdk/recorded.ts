/**
 * @module A middleware of the AI SDK that records the model calls of a handler: after a crash the handler runs again, its loop repeats
 * itself, and each recorded reply is given again instead of being bought again.
 */
import type { LanguageModelMiddleware } from "ai";
import type { BaseContext } from "../../agents/context.ts";
import type { Json } from "../../runtime/faults.ts";
import { callName, faultOfModel, storable } from "../recorded-call.ts";

/** The parts of a handler's context that are used. */
export type RecordingContext = Pick<BaseContext<never, never>, "step" | "signal">;

type Wrapped = Parameters<NonNullable<LanguageModelMiddleware["wrapGenerate"]>>[0];
type Params = Wrapped["params"];
/** A language model of the AI SDK, version 4 of its interface. */
export type AiSdkModel = Wrapped["model"];
type Reply = Awaited<ReturnType<Wrapped["doGenerate"]>>;
type Streamed = Awaited<ReturnType<Wrapped["doStream"]>>;
/** A part of a streamed reply. */
export type StreamPart = Streamed["stream"] extends ReadableStream<infer Part> ? Part : never;

/**
 * Records each model call as a step of the handler: `wrapLanguageModel({ model, middleware: recorded(ctx) })`. Make it within the handler.
 * A call is identified by model, prompt, tools and settings, and by how often the same was asked before. Failures are recorded too, as
 * faults `model.*`: the stop of the route retries those that may pass, so set `maxRetries: 0`.
 */
export function recorded(ctx: RecordingContext): LanguageModelMiddleware {
  return {
    specificationVersion: "v4",
    transformParams: async ({ params }) => ({
      ...params,
      abortSignal: params.abortSignal === undefined ? ctx.signal : AbortSignal.any([params.abortSignal, ctx.signal]),
    }),
    wrapGenerate: async ({ doGenerate, params, model }) => {
      const record = await ctx.step(nameOf(ctx, "generate", model, params), async () => recordOf(await attempt(doGenerate, params)));
      // The record is a reply without what only a first execution could have had.
      return revived(record) as unknown as Reply;
    },
    wrapStream: ({ doStream, params, model }) => streamed(ctx, nameOf(ctx, "stream", model, params), () => attempt(doStream, params)),
  };
}

function nameOf(ctx: object, kind: string, { provider, modelId }: AiSdkModel, params: Params): string {
  // Neither secrets nor what differs in each execution.
  const { headers: _headers, abortSignal: _signal, includeRawChunks: _raw, ...sent } = params;
  return callName(ctx, modelId, { kind, provider, modelId, sent });
}

async function attempt<T>(make: () => PromiseLike<T>, { abortSignal }: Params): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw faultOfModel(error, abortSignal, Date.now());
  }
}

/** What is recorded of a reply. Bodies and headers of HTTP are not: they may hold secrets, and the reply twice. */
function recordOf({ request: _request, response = {}, ...reply }: Reply): Json {
  const { id, timestamp, modelId } = response;
  return storable({ ...reply, response: { id, timestamp, modelId } });
}

type Objects = { readonly [key: string]: Json };

/** Times are texts in a record. */
function revived(record: Json): Json {
  const { response, ...reply } = record as Objects;
  return { ...reply, response: withTime(response as Objects) as unknown as Json };
}

function withTime(metadata: Objects): Readonly<Record<string, unknown>> {
  const { timestamp, ...rest } = metadata;
  return typeof timestamp === "string" ? { ...rest, timestamp: new Date(timestamp) } : rest;
}

// ---- streams --------------------------------------------------------------------------------------------------------

/** Parts that may be shown before the reply is recorded. All that follows the first other part waits: tools act on it. */
const SHOWN: ReadonlySet<StreamPart["type"]> = new Set<StreamPart["type"]>([
  ...(["stream-start", "response-metadata", "text-start", "text-delta", "text-end"] as const),
  ...(["reasoning-start", "reasoning-delta", "reasoning-end"] as const),
]);
/** Parts that are not recorded. */
const LEFT_OUT: ReadonlySet<StreamPart["type"]> = new Set<StreamPart["type"]>(["raw", "ping"]);

/** A stream that shows texts as they come, and the rest when the whole reply is recorded. */
function streamed(ctx: RecordingContext, name: string, open: () => Promise<Streamed>): Promise<Streamed> {
  const target = new Target();
  const opened = Promise.withResolvers<Streamed>();
  let held: readonly StreamPart[] | undefined;
  const recording = ctx.step(name, async () => {
    const { stream } = await open();
    opened.resolve({ stream: target.stream });
    const parts = await collected(stream, target);
    held = parts.slice(target.shown);
    return storable(joined(parts));
  });
  recording.then(
    (record) => {
      opened.resolve({ stream: target.stream });
      target.end(held ?? (record as readonly Objects[]).map((part) => withTime(part) as unknown as StreamPart));
    },
    (error: unknown) => {
      opened.reject(error);
      target.fail(error);
    },
  );
  return opened.promise;
}

async function collected(stream: ReadableStream<StreamPart>, target: Target): Promise<readonly StreamPart[]> {
  const parts: StreamPart[] = [];
  let shows = true;
  const reader = stream.getReader();
  for (;;) {
    const { done, value: part } = await reader.read();
    if (done) return parts;
    if (part.type === "error") throw faultOfModel(part.error, undefined, Date.now());
    if (LEFT_OUT.has(part.type)) continue;
    parts.push(part);
    shows &&= SHOWN.has(part.type);
    if (shows) target.show(part);
  }
}

/** Deltas of one text as one. */
function joined(parts: readonly StreamPart[]): readonly StreamPart[] {
  const made: StreamPart[] = [];
  for (const part of parts) {
    const last = made.at(-1);
    const joins = last !== undefined && "delta" in last && "delta" in part && last.type === part.type && last.id === part.id;
    if (joins && part.providerMetadata === undefined) made[made.length - 1] = { ...last, delta: last.delta + part.delta };
    else made.push(part);
  }
  return made;
}

/** The stream that the AI SDK reads. */
class Target {
  readonly stream: ReadableStream<StreamPart>;
  shown = 0;
  #controller: ReadableStreamDefaultController<StreamPart> | undefined;

  constructor() {
    this.stream = new ReadableStream<StreamPart>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
      },
    });
  }

  show(part: StreamPart): void {
    this.shown += 1;
    this.#controller?.enqueue(part);
  }

  end(rest: readonly StreamPart[]): void {
    for (const part of rest) this.#controller?.enqueue(part);
    this.#controller?.close();
  }

  fail(error: unknown): void {
    this.#controller?.error(error);
  }
}
