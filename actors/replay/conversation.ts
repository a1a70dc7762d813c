/**
 * @module The conversation of a model agent in one work item: its requests are made again by a replay, since no record holds them.
 */
import type { System } from "../../agents/system.ts";
import { MICROS_PER_USD } from "../../runtime/budget.ts";
import { canonicalJson, textBytes } from "../../runtime/canonical.ts";
import type { Cassette, CassetteWork } from "../../runtime/cassette/cassette.ts";
import { entryOf } from "../../runtime/entries.ts";
import { modelKey } from "../../runtime/ids.ts";
import type { ContextPart, ConversationView, ExchangeView, MessageView } from "../../runtime/conversation-view.ts";
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { isUntrusted } from "../../runtime/label.ts";
import type { ModelMessage, ModelRequest } from "../../runtime/model/conversation.ts";
import type { Values } from "../engine/values.ts";
import { replayClock } from "./replay-clock.ts";
import { cassetteValues } from "./cassette-values.ts";
import { requireContents } from "./replay.ts";
import { replayWork } from "./replay-work.ts";
import type { SeenExchange } from "./replayed-execution.ts";

/**
 * The conversation of a work item, as the code of this system has it.
 * @throws `work.unknown` for a work item that the cassette does not have
 */
export async function conversationOf(system: System, cassette: Cassette, workId: string): Promise<ConversationView> {
  requireContents(cassette);
  const found = cassette.processes.flatMap(({ id, works }) => works.flatMap((one) => (one.work.id === workId ? [{ id, one }] : [])))[0];
  if (found === undefined) throw new Fault("work.unknown", `${workId} has not ended, or its records are gone`);
  const { one, id } = found;
  const { exchanges, divergence, skipped } = await replayWork(cassette, one, system.agents.get(one.agent));
  const values = cassetteValues(cassette, replayClock(one.work.begunAtMs));
  const input = await inputOf(one, values);
  const differs = divergence?.message ?? skipped;
  // A request that is not in the record was never sent.
  const sent = new Set([...(one.work.modelCalls ?? []), ...(one.work.failures ?? [])].map(({ key }) => key));
  const shown = withKeys(exchanges).filter(({ key, seen }) => sent.has(key) && (seen.reply !== undefined || seen.fault !== undefined));
  return {
    process: id,
    work: workId,
    agent: one.agent,
    ...(input === undefined ? {} : { input }),
    exchanges: shown.map(({ key, seen }, index) => exchangeOf(one, key, seen, shown[index - 1]?.seen)),
    ...(differs === undefined ? {} : { divergence: differs }),
  };
}

/** Undefined: it was removed. */
async function inputOf({ work }: CassetteWork, values: Values): Promise<Json | undefined> {
  try {
    return await values.read(work.input);
  } catch (error) {
    if (!isFault(error) || error.code !== "value.missing") throw error;
    return undefined;
  }
}

/** The same request made again is another call. */
function withKeys(exchanges: readonly SeenExchange[]): readonly { readonly key: string; readonly seen: SeenExchange }[] {
  const counts = new Map<string, number>();
  return exchanges.map((seen) => {
    const { model, hash } = seen.call;
    const count = counts.get(`${model}/${hash}`) ?? 0;
    counts.set(`${model}/${hash}`, count + 1);
    return { key: modelKey(model, hash, count), seen };
  });
}

function exchangeOf(
  { facts = {}, costs = {} }: CassetteWork,
  key: string,
  { call, reply, fault }: SeenExchange,
  before: SeenExchange | undefined,
): ExchangeView {
  const { request } = call;
  const { rung, promptVersion } = entryOf(facts, key) ?? call.facts;
  const costMicros = entryOf(costs, key);
  return {
    call: key,
    model: call.model,
    ...(reply === undefined ? {} : { endpoint: reply.endpoint, answered: reply.model }),
    ...(promptVersion === undefined ? {} : { prompt: promptVersion }),
    ...(rung === undefined ? {} : { rung }),
    messages: messagesOf(request, before?.call.request),
    context: contextOf(request),
    ...(reply === undefined ? {} : { reply: replyOf(reply) }),
    ...(isFault(fault) ? { code: fault.code } : {}),
    ...(reply?.usage === undefined ? {} : { inputTokens: reply.usage.inputTokens, outputTokens: reply.usage.outputTokens }),
    ...(costMicros === undefined ? {} : { usd: costMicros / MICROS_PER_USD }),
  };
}

function replyOf({ text, calls, refusal, reasoning, finish }: NonNullable<SeenExchange["reply"]>): NonNullable<ExchangeView["reply"]> {
  return {
    ...{ text, calls: [...calls], finish },
    ...(refusal === undefined ? {} : { refusal }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function messagesOf({ messages }: ModelRequest, before: ModelRequest | undefined): MessageView[] {
  const known = new Set(before?.messages.map((message) => canonicalJson(message as never)));
  return messages.map((message, index) => ({
    role: message.role,
    text: message.text,
    ...(message.role === "assistant" && message.calls.length > 0 ? { calls: [...message.calls] } : {}),
    source: sourceOf(message, index, messages),
    label: [...labelOf(message)],
    bytes: textBytes(JSON.stringify(message)),
    new: !known.has(canonicalJson(message as never)),
  }));
}

/** The task is the first message of a user. Later ones are of the loop: why a reply was not used, or a summary. */
function sourceOf(message: ModelMessage, index: number, messages: readonly ModelMessage[]): string {
  if (message.role === "tool") return message.name;
  if (message.role === "assistant") return "model";
  if (message.role === "system") return index === 0 ? "instructions" : "troupe";
  return messages.findIndex(({ role }) => role === "user") === index ? "task" : "troupe";
}

function labelOf(message: ModelMessage): readonly string[] {
  return message.role === "assistant" ? [] : (message.data?.label ?? []);
}

/** The make-up of a request, largest parts first. */
function contextOf({ messages, tools, answer }: ModelRequest): ContextPart[] {
  const parts = new Map<string, ContextPart>();
  const add = (source: string, trusted: boolean, bytes: number): void => {
    const key = `${source} ${trusted}`;
    parts.set(key, { source, trusted, bytes: (parts.get(key)?.bytes ?? 0) + bytes });
  };
  for (const [index, message] of messages.entries())
    add(sourceOf(message, index, messages), !isUntrusted(labelOf(message) as never), textBytes(JSON.stringify(message)));
  if (tools.length > 0) add("tools", true, textBytes(JSON.stringify(tools)));
  if (answer !== undefined) add("answer", true, textBytes(JSON.stringify(answer)));
  return [...parts.values()].sort((a, b) => b.bytes - a.bytes);
}
