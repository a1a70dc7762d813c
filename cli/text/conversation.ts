/** @module The conversation of a model agent as text: of each request what is new in it and what it consists of, and the reply. Pure. */
import type { ContextPart, ConversationView, ExchangeView, MessageView } from "../../runtime/conversation-view.ts";
import { usdText } from "../../runtime/budget.ts";
import { oneLine } from "./output.ts";

const MARGIN = "    ";
const PERCENT = 100;

/** The exchanges of a work item, in order. */
export function conversationText({ work, agent, exchanges, divergence }: ConversationView): string {
  const none = exchanges.length === 0 && divergence === undefined ? ["  it called no model"] : [];
  const differs = divergence === undefined ? [] : [`The code of the host differs from the record from here on: ${oneLine(divergence)}`];
  return [`${oneLine(agent)}, work item ${oneLine(work)}`, ...none, ...exchanges.flatMap(exchangeLines), ...differs].join("\n");
}

function exchangeLines(exchange: ExchangeView, index: number): readonly string[] {
  const { messages, context, reply, code } = exchange;
  const known = messages.filter((message) => !message.new).length;
  return [
    "",
    `${index + 1}. ${headText(exchange)}`,
    `  context: ${contextText(context)}`,
    ...(known === 0 ? [] : [`  ${known} messages of the request before`]),
    ...messages.filter((message) => message.new).flatMap(messageLines),
    ...(reply === undefined ? [] : ["  reply:", ...inside(reply.refusal ?? reply.text), ...reply.calls.map(callText)]),
    ...(code === undefined ? [] : [`  failed: ${oneLine(code)}`]),
  ];
}

function headText({ model, answered, prompt, rung, inputTokens, outputTokens, usd }: ExchangeView): string {
  return [
    answered === undefined || answered === model ? `model ${model}` : `model ${model} (${answered})`,
    ...(prompt === undefined ? [] : [`prompt ${prompt}`]),
    ...(rung === undefined ? [] : [rung]),
    ...(inputTokens === undefined ? [] : [`${inputTokens} tokens in, ${outputTokens ?? 0} out`]),
    ...(usd === undefined ? [] : [usdText(usd)]),
  ]
    .map(oneLine)
    .join(", ");
}

function contextText(parts: readonly ContextPart[]): string {
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const share = ({ source, trusted, bytes }: ContextPart): string =>
    `${oneLine(source)}${trusted ? "" : " (untrusted)"} ${Math.round((bytes / total) * PERCENT)} %`;
  return `${total} bytes: ${parts.map(share).join(", ")}`;
}

function messageLines({ source, label, text, calls = [] }: MessageView): readonly string[] {
  const origin = label.length === 0 ? "" : `, untrusted: ${label.join(", ")}`;
  return [`  ${oneLine(source)}${oneLine(origin)}:`, ...inside(text), ...calls.map(callText)];
}

function callText({ name, arguments: input }: { readonly name: string; readonly arguments: string }): string {
  return `${MARGIN}[calls ${oneLine(name)} ${oneLine(input)}]`;
}

/** Each line behind a margin, so that no text looks like a line of the command. */
function inside(text: string): readonly string[] {
  return text === "" ? [] : text.split("\n").map((line) => `${MARGIN}${oneLine(line)}`);
}
