/**
 * @module The shapes in which OpenAI-compatible servers send replies and errors, by name. Pure.
 *
 * A shape changes the reply, the chunks of a stream, or answers in the place of the reply. Shapes of streams leave other replies as they
 * are.
 */
import type { Json } from "../../runtime/faults.ts";
import { chunkEvent, chunksOf, DONE, documentOf, type Draft, type DraftCall, type DraftChunk, draftOf, type WireFacts } from "./draft.ts";
import type { ScriptedReply } from "./reply.ts";
import { event, jsonAnswer, streamAnswer, type WireAnswer } from "./wire.ts";
import { ERROR_ANSWERS } from "./shape-errors.ts";

/** What a shape does. */
interface Shape {
  readonly draft?: (draft: Draft) => Draft;
  /** Events of a stream: chunks, or texts as they are. The end mark is one of them. */
  readonly events?: (chunks: readonly DraftChunk[], draft: Draft) => readonly (DraftChunk | string)[];
  /** The end of the connection after the body. @default complete */
  readonly end?: WireAnswer["end"];
  /** Characters of a body that is not streamed and is cut, as a share. */
  readonly bodyShare?: number;
  readonly slow?: boolean;
}

const HALF_SHARE = 0.5;
/** Pause before each character-sized piece of a slow reply, if the script sets none. */
const DRIP_MS = 1;

const calls = (change: (call: DraftCall, index: number) => Partial<DraftCall>): Shape => ({
  draft: (draft) => ({ ...draft, calls: draft.calls.map((call, index) => ({ ...call, ...change(call, index) })) }),
});
const finish = (text: Json): Shape => ({ draft: (draft) => ({ ...draft, finish: text }) });
const events = (change: NonNullable<Shape["events"]>): Shape => ({ events: change });
const isFinish = ({ finish: text }: DraftChunk): boolean => text !== null;
const untilFinish = (chunks: readonly DraftChunk[]): readonly DraftChunk[] => chunks.slice(0, chunks.findIndex(isFinish));
const half = (chunks: readonly DraftChunk[]): readonly DraftChunk[] => chunks.slice(0, Math.ceil(untilFinish(chunks).length * HALF_SHARE));

/** Shapes of whole and streamed replies. */
const REPLIES = {
  "finish-stop-with-calls": finish("stop"),
  "finish-end-turn": finish("end_turn"),
  "function-call": {
    draft: ({ calls: [first], ...draft }) =>
      first === undefined
        ? { ...draft, calls: [] }
        : { ...draft, calls: [], finish: "function_call", more: { function_call: { name: first.name ?? "", arguments: first.arguments } } },
  },
  "usage-missing": { draft: (draft) => ({ ...draft, usage: undefined }) },
  "context-cut-silently": {
    draft: (draft) => ({ ...draft, usage: { ...draft.usage, prompt_tokens: 1, total_tokens: 1 } }),
  },
  "call-ids-missing": calls(() => ({ id: undefined })),
  "call-ids-blank": calls(() => ({ id: " " })),
  "call-ids-repeated": calls(() => ({ id: "call_same" })),
  "call-name-missing": calls(() => ({ name: undefined })),
  "call-indexes-missing": calls(() => ({ index: undefined })),
  "call-indexes-reused": calls(() => ({ index: 0 })),
  "call-indexes-with-gaps": calls((_call, index) => ({ index: 3 * index + 2 })),
  "arguments-empty": calls(() => ({ arguments: "" })),
  "arguments-encoded-twice": calls((call) => ({ arguments: JSON.stringify(call.arguments) })),
  "arguments-object": calls((call) => ({ arguments: typeof call.arguments === "string" ? jsonOf(call.arguments) : call.arguments })),
  "calls-empty-list": { draft: (draft) => ({ ...draft, calls: [], more: { tool_calls: [] } }) },
  "content-null": { draft: (draft) => ({ ...draft, content: null, calls: [], finish: "stop" }) },
  "content-empty": { draft: (draft) => ({ ...draft, content: "", calls: [], finish: "stop" }) },
  "content-in-parts": {
    draft: (draft) => ({
      ...draft,
      reasoning: undefined,
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "Think first." }] },
        { type: "text", text: typeof draft.content === "string" ? draft.content : "" },
      ],
    }),
  },
  "refusal-false": { draft: (draft) => ({ ...draft, refusal: false }) },
  reasoning: {
    draft: ({ reasoning, ...draft }) => ({ ...draft, reasoning: undefined, more: { reasoning: reasoning ?? "Think first." } }),
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** Shapes of streams. */
const STREAMS = {
  "finish-empty-text": events((chunks) => [...chunks.map((chunk) => (isFinish(chunk) ? chunk : { ...chunk, finish: "" })), DONE]),
  "finish-missing": events((chunks) => [...untilFinish(chunks), DONE]),
  "finish-with-last-content": events((chunks) => {
    const before = untilFinish(chunks);
    const [last, end] = [before.at(-1), chunks.find(isFinish)];
    if (last === undefined || end === undefined) return [...chunks, DONE];
    return [...before.slice(0, -1), { ...last, finish: end.finish }, ...chunks.slice(before.length + 1), DONE];
  }),
  "chunk-after-finish": events((chunks) => [...chunks, { delta: {}, finish: null }, DONE]),
  "choices-empty-first": events((chunks) => [{ delta: undefined, finish: null, more: { prompt_filter_results: [] } }, ...chunks, DONE]),
  "usage-in-choice": events((chunks, { usage }) => [
    ...chunks
      .filter(({ delta }) => delta !== undefined)
      .map((chunk) => (isFinish(chunk) ? { ...chunk, more: { usage: usage ?? null } } : chunk)),
    DONE,
  ]),
  "role-missing": events((chunks) => [...chunks.slice(1), DONE]),
  "done-missing": events((chunks) => chunks),
  comments: events((chunks) => [": processing\n\n", ...chunks.flatMap((chunk) => [chunk, ": still processing\n\n"]), DONE]),
  "refusal-in-finish": events((chunks) => [
    ...chunks.map((chunk) => (isFinish(chunk) ? { ...chunk, delta: { refusal: "I cannot do that." } } : chunk)),
    DONE,
  ]),
  "error-in-stream": events((chunks) => [...half(chunks), event('{"error":{"message":"the server broke off","type":"server_error"}}')]),
  "rate-limit-in-stream": events((chunks) => [...half(chunks), event('{"error":{"message":"slow down","code":429}}')]),
  "chunk-broken": events((chunks) => [...half(chunks), event('{"choices":[{"del'), ...chunks.slice(half(chunks).length), DONE]),
  "call-name-last": events((chunks, draft) => [...withCalls(chunks, nameLast(draft)), DONE]),
  "arguments-by-character": events((chunks, draft) => [...withCalls(chunks, byCharacter(draft)), DONE]),
} as const satisfies Readonly<Record<string, Shape>>;

/** Shapes of connections. */
const CONNECTIONS = {
  "cut-half": { events: half, end: "cut", bodyShare: HALF_SHARE },
  "cut-before-finish": { events: untilFinish, end: "cut", bodyShare: 0.9 },
  "closed-before-finish": { events: untilFinish, bodyShare: 0.9 },
  "no-answer": { events: () => [], end: "cut", bodyShare: 0 },
  hang: { events: half, end: "hang", bodyShare: HALF_SHARE },
  "slow-drip": { slow: true },
} as const satisfies Readonly<Record<string, Shape>>;

const SHAPES = { ...REPLIES, ...STREAMS, ...CONNECTIONS };
const SHAPES_BY_NAME = new Map<string, Shape>(Object.entries(SHAPES));
const ERRORS_BY_NAME = new Map<string, WireAnswer>(Object.entries(ERROR_ANSWERS));

/** The name of a shape. */
export type ShapeName = keyof typeof SHAPES | keyof typeof ERROR_ANSWERS;

/** Every shape. */
export const SHAPE_NAMES: readonly ShapeName[] = [...keysOf(SHAPES), ...keysOf(ERROR_ANSWERS)];

/** Sends a reply in a shape. */
export function inShape(name: ShapeName, reply: ScriptedReply, facts: WireFacts): WireAnswer {
  const error = ERRORS_BY_NAME.get(name);
  if (error !== undefined) return { ...error, pieces: error.pieces.map((piece) => ({ ...piece, delayMs: reply.delayMs })) };
  const shape = SHAPES_BY_NAME.get(name) ?? {};
  const draft = shape.draft?.(draftOf(reply)) ?? draftOf(reply);
  const answer = facts.isStreamed ? streamed(shape, draft, reply, facts) : whole(shape, draft, reply, facts);
  return { ...answer, end: shape.end ?? "complete" };
}

function streamed(shape: Shape, draft: Draft, reply: ScriptedReply, facts: WireFacts): WireAnswer {
  const chunks = chunksOf(draft, facts);
  const sent = shape.events?.(chunks, draft) ?? [...chunks, DONE];
  const texts = sent.map((one) => (typeof one === "string" ? one : chunkEvent(one, facts)));
  return shape.slow ? slowly(texts.join(""), reply) : streamAnswer(texts, reply);
}

function whole(shape: Shape, draft: Draft, reply: ScriptedReply, facts: WireFacts): WireAnswer {
  const answer = jsonAnswer(200, documentOf(draft, facts), {}, reply.delayMs);
  const text = answer.pieces.map((piece) => piece.text).join("");
  if (shape.slow) return { ...answer, pieces: slowly(text, reply).pieces };
  if (shape.bodyShare === undefined) return answer;
  const cut = text.slice(0, Math.floor(text.length * shape.bodyShare));
  return { ...answer, pieces: cut === "" ? [] : [{ text: cut, delayMs: reply.delayMs }] };
}

/** Small pieces, without regard to where chunks begin and end. */
function slowly(text: string, { delayMs, pieceDelayMs }: ScriptedReply): WireAnswer {
  return streamAnswer(text.match(/[^]{1,16}/gu) ?? [], { delayMs, pieceDelayMs: pieceDelayMs === 0 ? DRIP_MS : pieceDelayMs });
}

/** The chunks with other pieces of calls. */
function withCalls(chunks: readonly DraftChunk[], pieces: readonly DraftChunk[]): readonly DraftChunk[] {
  const before = untilFinish(chunks);
  return [...before.filter(({ delta }) => delta?.["tool_calls"] === undefined), ...pieces, ...chunks.slice(before.length)];
}

function nameLast(draft: Draft): readonly DraftChunk[] {
  return draft.calls.flatMap((call, index) => [
    piece({ index, ...(call.id === undefined ? {} : { id: call.id }), function: { arguments: call.arguments } }),
    piece({ index, function: { name: call.name ?? "" } }),
  ]);
}

function byCharacter(draft: Draft): readonly DraftChunk[] {
  return draft.calls.flatMap((call, index) => [
    piece({ index, id: call.id ?? "", type: "function", function: { name: call.name ?? "", arguments: "" } }),
    ...[...String(call.arguments)].map((character) => piece({ index, function: { arguments: character } })),
  ]);
}

function piece(call: { readonly [key: string]: Json }): DraftChunk {
  return { delta: { tool_calls: [call] }, finish: null };
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function keysOf<T extends object>(record: T): readonly (keyof T & string)[] {
  // The keys of a constant object are those of its type.
  return Object.keys(record) as (keyof T & string)[];
}
