/** @module Models of a test: a function in the place of a provider. */
import { endpoint, type Endpoint } from "../agents/model/endpoint.ts";
import type { Json } from "../runtime/faults.ts";
import type { AskedCall, ModelReply, ModelRequest } from "../runtime/model/conversation.ts";

/** A call in the reply of a fake model. */
export interface FakeCall {
  readonly name: string;
  /** As JSON, or as the text that a real model would send. */
  readonly arguments: Json;
  readonly id?: string | undefined;
}

/** What a fake model replies: a text, or the parts of a reply. It throws a `Fault` to fail as a provider does. */
export type FakeReply = string | (Partial<Omit<ModelReply, "calls" | "endpoint">> & { readonly calls?: readonly FakeCall[] | undefined });

/** Replies to the request; `count` counts the calls of this model from 1. */
export type FakeModel = (request: ModelRequest, count: number) => FakeReply | Promise<FakeReply>;

const CHARS_PER_TOKEN = 4;
let made = 0;

/**
 * Makes an endpoint whose replies come from a function, for the `models` of `startLocal` and `runLocal`:
 * `models: { fast: fakeModel(() => "Hello.") }`. It costs nothing, and reports about a token for four characters.
 */
export function fakeModel(reply: FakeModel): Endpoint {
  made += 1;
  let count = 0;
  return endpoint({
    name: `fake-${made}`,
    model: "fake",
    provider: "fake",
    price: { inputPerMillion: 0, outputPerMillion: 0 },
    concurrency: 1_024,
    connect: () => ({
      chat: async (request) => {
        count += 1;
        return replyOf(request, await reply(request, count), count);
      },
    }),
  });
}

function replyOf(request: ModelRequest, given: FakeReply, count: number): Omit<ModelReply, "endpoint"> {
  const { calls: wanted = [], ...parts } = typeof given === "string" ? { text: given } : given;
  const calls = wanted.map(({ name, arguments: args, id }, index): AskedCall => ({
    id: id ?? `call_${count}_${index + 1}`,
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  }));
  const text = parts.text ?? "";
  const usage = { inputTokens: tokensOf(JSON.stringify(request.messages)), outputTokens: tokensOf(text + JSON.stringify(calls)) };
  return { model: "fake", usage, finish: calls.length > 0 ? "calls" : "stop", ...parts, text, calls };
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}
