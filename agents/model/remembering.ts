/** @module Shows a model what its agent remembers, keeps its conversation within its window, and adds the turn of an answered task. */
import { isFault, type Json } from "../../runtime/faults.ts";
import type { TurnView } from "../../runtime/memory/view.ts";
import type { ModelMessage } from "../../runtime/model/conversation.ts";
import { callOf, conversationOf, fixedPart } from "../../runtime/model/prompt.ts";
import {
  compactionRequest,
  factMessages,
  summaryTokens,
  turnContent,
  turnMessages,
  turnsToCompact,
} from "../../runtime/model/remembered.ts";
import type { LoopRules } from "../../runtime/model/rules.ts";
import { type Remembered, valueText } from "../../runtime/model/telling.ts";
import { hashText } from "../../runtime/canonical.ts";
import type { RuntimeContext } from "../context.ts";
import type { MemoryOptions } from "../memory.ts";
import { timeText } from "./memory-functions.ts";

/** A run with a memory. */
export interface Remembering {
  readonly rules: LoopRules;
  readonly memory: MemoryOptions | undefined;
}

/** What stands before the input: facts that fit it, and the earlier turns. */
export async function remembered({ rules, memory: options }: Remembering, input: Json, runtime: RuntimeContext): Promise<Remembered> {
  const { memory } = runtime;
  if (options === undefined || memory === undefined) return { messages: [], evidence: [] };
  const { conversation, facts: ofAgent, sources = [] } = options;
  const found = ofAgent === undefined && sources.length === 0 ? [] : factMessages(await memory.relevant(valueText(input)), timeText);
  const facts = found.map(({ text }) => text);
  if (conversation === undefined) return { messages: found, evidence: facts };
  const { turns, withheld } = await memory.conversation();
  const shown = await compacted(rules, turns, conversation.tokensMax, runtime);
  const note: readonly ModelMessage[] =
    withheld.untrusted === 0 ? [] : [{ role: "user", text: `${withheld.untrusted} untrusted turns of other tasks are not shown.` }];
  const asked = shown.flatMap(({ content }) => ("summary" in content ? [] : [content.input]));
  return { messages: [...found, ...note, ...turnMessages(shown)], evidence: [...facts, ...asked] };
}

/** The window. A summary that cannot be had leaves the older turns out of this prompt; the next task asks for it again. */
async function compacted(
  rules: LoopRules,
  turns: readonly TurnView[],
  tokensMax: number,
  runtime: RuntimeContext,
): Promise<readonly TurnView[]> {
  const older = turnsToCompact(turns, tokensMax);
  if (older.length === 0 || runtime.memory === undefined) return turns;
  const newer = turns.slice(older.length);
  const summary = await summaryOf(rules, older, tokensMax, runtime);
  if (summary === undefined) return newer;
  return [await runtime.memory.summarize(older, summary, summaryTokens(summary)), ...newer];
}

async function summaryOf(
  { models, fixed, retry, priority, promptVersion }: LoopRules,
  turns: readonly TurnView[],
  tokensMax: number,
  runtime: RuntimeContext,
): Promise<string | undefined> {
  const call = callOf(fixedPart([], undefined, fixed.settings), {
    model: models[0],
    conversation: conversationOf(compactionRequest(turns)),
    prompt: hashText("compact"),
    promptVersion,
    toolChoice: "none",
    outputTokensMax: Math.max(1, Math.min(fixed.settings.outputTokensMax, Math.floor(tokensMax / 2))),
    rung: "compact",
  });
  try {
    const how = { ...(retry === undefined ? {} : { retry }), ...(priority === undefined ? {} : { priority }) };
    const { finish, calls, refusal, text } = await runtime.chat({ ...call, ...how });
    const isUsable = finish === "stop" && calls.length === 0 && refusal === undefined && text.trim() !== "";
    return isUsable ? text.toWellFormed() : undefined;
  } catch (error) {
    if (!isFault(error) || error.retryable || runtime.signal.aborted) throw error;
    runtime.log.warn("the older turns of a conversation could not be summarized", { fault: error.code });
    return undefined;
  }
}

/** Keeps the turn. One that may not be kept, because a fact that it was derived from went meanwhile, is left out. */
export async function keepTurn({ memory: options }: Remembering, input: Json, output: Json, runtime: RuntimeContext): Promise<void> {
  if (options?.conversation === undefined || runtime.memory === undefined) return;
  const { tokens, ...content } = turnContent(valueText(input), valueText(output));
  try {
    await runtime.memory.addTurn(content, tokens);
  } catch (error) {
    if (!isFault(error) || !error.code.startsWith("memory.") || error.retryable) throw error;
    runtime.log.warn("a turn was not kept in the conversation", { fault: error.code });
  }
}
