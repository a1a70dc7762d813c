/** @module Damages a valid reply as a seed says: what networks, proxies and servers do to replies. The same seed does the same. Pure. */
import type { Json } from "../../runtime/faults.ts";
import { answerOf, draftOf, type WireFacts } from "./draft.ts";
import type { ScriptedReply } from "./reply.ts";
import { inShape, SHAPE_NAMES } from "./shapes.ts";
import { event, type WireAnswer } from "./wire.ts";

/** A damaged reply, and what was done to it. */
export interface Mangled {
  readonly answer: WireAnswer;
  /** The names of what was done, in order. */
  readonly steps: readonly string[];
}

type Random = () => number;
type Mangler = (answer: WireAnswer, random: Random) => WireAnswer;

const STEPS_MAX = 3;
/** Share of replies that take the form of a shape first. */
const SHAPE_SHARE = 0.25;
/** Share of manglings whose connection hangs at its end. */
const HANG_SHARE = 0.01;
const DRIP_MS_MAX = 2;
const DEPTH_MAX = 12;
const PIECE_CHARS_MAX = 40;
const STATUSES = [200, 201, 204, 400, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529] as const;
const TYPES = ["text/html", "text/plain", "application/json", "application/octet-stream", ""] as const;
const WRONG_VALUES: readonly Json[] = [null, false, true, 0, -1, 1.5, "", " ", "x", "{}", [], {}, [null], [[]], { error: null }];
const GARBAGE = [
  "\u0000\u0001",
  "<html>504</html>",
  "}{",
  "data:",
  "event: ping\n\n",
  ": comment\n\n",
  "\n\n\n",
  "\uFEFF",
  "retry: 10\n\n",
];
const EVENTS: readonly Json[] = [
  { error: { message: "broken off", type: "server_error" } },
  { error: "out of memory" },
  { error: { message: "slow down", code: 429 } },
  {},
  [],
  7,
  { choices: [] },
  { choices: [null] },
  { choices: [{ delta: null }] },
];

/** Damages in the text, by name. Each changes at least what it names, if there is something to change. */
const MANGLERS = {
  "cut anywhere": (answer, random) => ({ ...cutAt(answer, random), end: random() < 0.5 ? "cut" : "complete" }),
  "drop a piece": (answer, random) => atPiece(answer, random, () => []),
  "repeat a piece": (answer, random) => atPiece(answer, random, (text) => [text, text]),
  "swap two pieces": (answer, random) => swapped(answer, random),
  "break a piece": (answer, random) =>
    atPiece(answer, random, (text) => (text.startsWith("data:") ? [`${part(text, random).trimEnd()}\n\n`] : [part(text, random)])),
  "wrong type": (answer, random) => atJson(answer, random, (value) => changed(value, random, 0, () => pick(WRONG_VALUES, random))),
  "missing key": (answer, random) => atJson(answer, random, (value) => changed(value, random, 0, () => undefined)),
  "insert garbage": (answer, random) => atPiece(answer, random, (text) => [text, pick(GARBAGE, random)]),
  "insert an event": (answer, random) => atPiece(answer, random, (text) => [text, event(JSON.stringify(pick(EVENTS, random)))]),
  "insert a character": (answer, random) =>
    atPiece(answer, random, (text) => {
      const place = Math.floor(random() * text.length);
      return [`${text.slice(0, place)}${pick(['"', "\\", "}", "\u0007", "\n"], random)}${text.slice(place)}`];
    }),
  "split anywhere": (answer, random) => splitAnywhere(answer, random),
  "slow drip": (answer, random) => ({
    ...answer,
    pieces: answer.pieces.map((piece) => ({ ...piece, delayMs: Math.floor(random() * (DRIP_MS_MAX + 1)) })),
  }),
  "lines of Windows": (answer) => ({
    ...answer,
    pieces: answer.pieces.map((piece) => ({ ...piece, text: piece.text.replaceAll("\n", "\r\n") })),
  }),
  "other status": (answer, random) => ({ ...answer, status: pick(STATUSES, random) }),
  "other type": (answer, random) => ({ ...answer, headers: { ...answer.headers, "content-type": pick(TYPES, random) } }),
} as const satisfies Readonly<Record<string, Mangler>>;

const NAMED: readonly (readonly [string, Mangler])[] = Object.entries(MANGLERS);

/** Damages a valid reply. */
export function mangled(reply: ScriptedReply, facts: WireFacts, seed: number): Mangled {
  const random = randomOf(seed);
  const steps: string[] = [];
  let answer = answerOf(draftOf(reply), reply, facts);
  if (random() < SHAPE_SHARE) {
    const shape = pick(SHAPE_NAMES, random);
    answer = inShape(shape, reply, facts);
    steps.push(shape);
  }
  const count = 1 + Math.floor(random() * STEPS_MAX);
  for (let step = 0; step < count; step += 1) {
    const [name, mangler] = pick(NAMED, random);
    answer = mangler(answer, random);
    steps.push(name);
  }
  if (random() < HANG_SHARE) {
    answer = { ...answer, end: "hang" };
    steps.push("hang");
  }
  return { answer, steps };
}

function cutAt(answer: WireAnswer, random: Random): WireAnswer {
  const at = Math.floor(random() * (answer.pieces.length + 1));
  const [last] = answer.pieces.slice(at, at + 1);
  const rest = last === undefined ? [] : [{ ...last, text: part(last.text, random) }];
  return { ...answer, pieces: [...answer.pieces.slice(0, at), ...rest] };
}

function atPiece(answer: WireAnswer, random: Random, change: (text: string) => readonly string[]): WireAnswer {
  const at = Math.floor(random() * answer.pieces.length);
  return {
    ...answer,
    pieces: answer.pieces.flatMap((piece, index) => (index === at ? change(piece.text).map((text) => ({ ...piece, text })) : [piece])),
  };
}

/** Changes the JSON of a piece, if it is JSON. */
function atJson(answer: WireAnswer, random: Random, change: (value: Json) => Json | undefined): WireAnswer {
  return atPiece(answer, random, (text) => {
    const data = text.startsWith("data: ") ? text.slice("data: ".length).trimEnd() : text;
    try {
      const value = change(JSON.parse(data) as Json);
      return [text.replace(data, () => JSON.stringify(value ?? null))];
    } catch {
      return [text];
    }
  });
}

/** Replaces one part of a value, at any depth. Undefined removes it. */
function changed(value: Json, random: Random, depth: number, other: () => Json | undefined): Json | undefined {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || depth > DEPTH_MAX || (depth > 0 && random() < 1 / DEPTH_MAX)) return other();
  const key = pick(keys, random);
  if (Array.isArray(value))
    return value.flatMap((item: Json, index) => (String(index) === key ? (changed(item, random, depth + 1, other) ?? []) : [item]));
  return Object.fromEntries(
    Object.entries(value ?? {}).flatMap(([name, item]: [string, Json]) => {
      const next = name === key ? changed(item, random, depth + 1, other) : item;
      return next === undefined ? [] : [[name, next]];
    }),
  );
}

function swapped(answer: WireAnswer, random: Random): WireAnswer {
  const at = Math.floor(random() * Math.max(answer.pieces.length - 1, 0));
  const [one, other] = answer.pieces.slice(at, at + 2);
  if (one === undefined || other === undefined) return answer;
  return { ...answer, pieces: [...answer.pieces.slice(0, at), other, one, ...answer.pieces.slice(at + 2)] };
}

function splitAnywhere(answer: WireAnswer, random: Random): WireAnswer {
  const text = answer.pieces.map((piece) => piece.text).join("");
  const pieces: { text: string; delayMs: number }[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + Math.floor(random() * PIECE_CHARS_MAX);
    pieces.push({ text: text.slice(at, at + length), delayMs: 0 });
    at += length;
  }
  return { ...answer, pieces };
}

function part(text: string, random: Random): string {
  return text.slice(0, Math.floor(random() * text.length));
}

function pick<T>(list: readonly T[], random: Random): T {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** Uniform numbers in [0, 1) that follow from the seed (mulberry32). */
function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
