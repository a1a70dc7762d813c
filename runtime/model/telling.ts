/** @module The sentences and results that the loop adds to a conversation. Pure. */
import { canonicalJson, textBytes } from "../canonical.ts";
import type { Fault, Json } from "../faults.ts";
import { isUntrusted, type Label } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { ModelMessage, ModelReply } from "./conversation.ts";
import { DATA_SENTENCE, dataText } from "./data-text.ts";

/** Adjusts a cut so that no character is split. */
function cutText(text: string, bytesMax: number): string {
  if (text.length <= bytesMax && textBytes(text) <= bytesMax) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += textBytes(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Returns the text, or its first bytes with a note that says so. */
export function cutWithNote(text: string, bytesMax: number): string {
  const kept = cutText(text, bytesMax);
  if (kept === text) return text;
  return `${kept}\n[cut: only the beginning of ${textBytes(text)} bytes is shown]`;
}

/** The text of a value in a prompt: a text as it is, anything else as JSON with sorted keys, the same on every host. */
export function valueText(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value);
}

/** The text of a tool's result in a prompt. */
export function resultText(value: Json): string {
  return cutWithNote(valueText(value), LIMITS.modelResultBytesMax);
}

/** What a person made of a call. */
export interface EditedInput {
  readonly asked: Json;
  readonly input: Json;
  readonly reason: string;
}

/** Says before the result of a call that a person has changed it. */
export function editedText({ asked, input, reason }: EditedInput): string {
  const why = reason === "" ? "" : ` Reason: ${reason.toWellFormed()}`;
  return [
    `A person changed the input of this call from ${resultText(canonicalJson(asked))} to ${resultText(canonicalJson(input))}.${why}`,
    "The request is settled: the call was made once, with the changed input. Do not make the original call again. The result:",
  ].join("\n");
}

/** Said after the fault of a call that a person has denied. */
const DENIED = "The request is settled: do not make this call again. Do something else, or answer.";

/** A fault as a model is told. What a person has decided is not asked again. */
export function faultText({ code, message, details }: Fault): string {
  const text = resultText({ error: code, message: message.toWellFormed(), ...(details === undefined ? {} : { details }) });
  return code === "person.denied" ? `${text}\n${DENIED}` : text;
}

/** What stands in the conversation for a refused reply: its own text, or a description. */
export function echoOf(reply: ModelReply): ModelMessage {
  const calls = reply.calls.map(({ name, arguments: given }) => `[call of ${name} with ${given}]`);
  const text = [reply.text, ...calls].filter((part) => part.trim() !== "").join("\n");
  return { role: "assistant", text: cutWithNote(text.toWellFormed(), LIMITS.modelEchoBytesMax) || "[nothing]", calls: [] };
}

/** Tells the model why its reply was not used. */
export function refusedReply(reasons: readonly string[], what: string): ModelMessage {
  return { role: "user", text: [`Your last reply was not used. ${what}`, ...reasons.map((reason) => `- ${reason}`)].join("\n") };
}

/** What is shown of a memory. `evidence`: what of it others wrote, or is kept as a fact; not earlier answers and summaries. */
export interface Remembered {
  readonly messages: readonly ModelMessage[];
  readonly evidence: readonly string[];
}

/** What a model is asked to do. */
export interface LoopTask {
  readonly instructions: string;
  readonly input: Json;
  /** Of the input, and of what was sent back. */
  readonly label: Label;
  /** What stands between the instructions and the input: facts and earlier turns. Absent: nothing. */
  readonly remembered?: Remembered | undefined;
  /** An earlier answer that was not accepted. */
  readonly sentBack?: SentBackAnswer | undefined;
}

/** An earlier answer that a validator or a rule did not accept. `round` counts from 1. */
interface SentBackAnswer {
  readonly round: number;
  readonly reasons: readonly string[];
  readonly output: Json;
}

/** The first messages of a conversation: the instructions, what is remembered, and the input. `readsData`: data from outside may follow. */
export function firstMessages({ instructions, input, label, remembered, sentBack }: LoopTask, readsData: boolean): readonly ModelMessage[] {
  const messages = remembered?.messages ?? [];
  const hasData = readsData || isUntrusted(label) || messages.some((message) => message.role !== "assistant" && message.data !== undefined);
  return [
    { role: "system", text: hasData ? `${instructions}\n\n${DATA_SENTENCE}` : instructions },
    ...messages,
    { role: "user", ...dataText(valueText(input), label) },
    ...(sentBack === undefined ? [] : [sentBackMessage(sentBack, label)]),
  ];
}

/** Tells the model why an earlier answer was not accepted. */
function sentBackMessage({ round, reasons, output }: SentBackAnswer, label: Label): ModelMessage {
  const text = [`The answer: ${resultText(output)}`, ...reasons.map((reason) => `- ${reason}`)].join("\n");
  const note = `An earlier answer of yours was not accepted (${round}). Answer the whole task again, and correct what these reasons name.`;
  return { role: "user", ...dataText(cutWithNote(text.toWellFormed(), LIMITS.modelResultBytesMax), label, note) };
}

/** Said before the last model call that is permitted. */
export const ANSWER_NOW: ModelMessage = { role: "user", text: "Answer now. No further function can be called." };

/** Said when calls were repeated without progress. */
export const REPEATED: ModelMessage = {
  role: "user",
  text: "You have made these calls before, with the same input and the same results. Do not repeat them: do something else, or answer.",
};

/** Stands for a reply that was cut off at the limit of output tokens. Its content is not used. */
export const CUT_REPLY: ModelMessage = { role: "assistant", text: "[a reply that was cut off]", calls: [] };
