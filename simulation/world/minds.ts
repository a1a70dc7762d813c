/**
 * @module What a simulated model says: a reply for a request, from the schemas of its tools and its answer, by a random source.
 *
 * An honest model makes some calls, each at most once, and then answers. What else models do is asked of `wills`: it decides, by kind,
 * whether it happens to this reply.
 */
import { canonicalJson } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import type { AskedCall, ModelReply, ModelRequest, ModelTool } from "../../runtime/model/conversation.ts";
import { type ValueSource, valueOf, wrongValueOf } from "./json-values.ts";
import type { ModelRates } from "./model-faults.ts";
import type { Random } from "./random.ts";

/** What a reply says, before its tokens are counted. */
export type Said = Pick<ModelReply, "text" | "calls" | "refusal" | "finish">;

/** What decides and draws for one reply. */
export interface Mind {
  readonly random: Random;
  /** The same for all replies of one conversation. */
  readonly mood: Random;
  /** The same for all replies of one process. */
  readonly spirit: Random;
  readonly wills: (kind: keyof ModelRates, random: Random) => boolean;
}

/** How the names of functions begin that hand off. */
const HANDS_OFF = "hand_off_to_";
const HAND_OFF_SHARE = 0.3;
const CALL_SHARE = 0.7;
const PARALLEL_SHARE = 0.3;
const SAME_SHARE = 0.5;
const PARSABLE_SHARE = 0.5;
const CALLS_MAX = 3;
const TEXTS_MAX = 40;
const TEXT_LENGTH_MAX = 80;

/** The reply of a model to a request. */
export function sayTo(request: ModelRequest, mind: Mind): Said {
  const { random, wills } = mind;
  const source = readFrom(request, random);
  const loops = wills("modelLoops", mind.mood);
  if (wills("modelRefuses", random)) return { text: "", calls: [], refusal: "I would rather not do that.", finish: "stop" };
  if (wills("modelEmpty", random)) return { text: "", calls: [], finish: "stop" };
  if (wills("modelFilters", random)) return { text: "I will", calls: [], finish: "filter" };
  const said = wills("modelInvalid", random) ? wrong(request, source) : right(request, source, mind, loops);
  return wills("modelTruncated", random) ? truncated(said, random) : said;
}

function right(request: ModelRequest, source: ValueSource, mind: Mind, loops: boolean): Said {
  const { random, wills } = mind;
  if (request.toolChoice === "none" || request.tools.length === 0) return answer(request, source);
  if (wills("modelWrongTool", random)) return calls([{ name: `${random.pick(request.tools).name}_now`, input: {} }], random);
  const made = callsIn(request);
  const others = request.tools.filter(({ name }) => name.startsWith(HANDS_OFF));
  if (others.length > 0 && wills("modelHandsOn", mind.spirit)) return calls([newCall(random.pick(others), source)], random);
  if (loops) {
    const last = made.at(-1);
    return calls([last !== undefined && mind.mood.chance(SAME_SHARE) ? last : newCall(random.pick(request.tools), source)], random);
  }
  const told = wills("modelObeys", random) ? demanded(request, source) : undefined;
  if (told !== undefined) return calls([told], random);
  if (made.length > 0 && wills("modelRepeats", random)) return calls([random.pick(made)], random);
  const handsOff = random.chance(HAND_OFF_SHARE);
  const left = request.tools.filter(({ name }) => !made.some((call) => call.name === name) && (handsOff || !name.startsWith(HANDS_OFF)));
  const isAsked = request.toolChoice === "required" || random.chance(CALL_SHARE / (1 + made.length));
  if (!isAsked || left.length === 0) return answer(request, source);
  const count = random.chance(PARALLEL_SHARE) ? random.int(2, CALLS_MAX) : 1;
  const chosen = Array.from(
    { length: Math.min(count, left.length) },
    (_, index) => left[(random.int(0, left.length - 1) + index) % left.length],
  );
  return calls(
    [...new Set(chosen)].flatMap((tool) => (tool === undefined ? [] : [newCall(tool, source)])),
    random,
  );
}

interface NewCall {
  readonly name: string;
  readonly input: Json;
}

function newCall({ name, input }: ModelTool, source: ValueSource): NewCall {
  return { name, input: valueOf(input, source) };
}

function calls(made: readonly NewCall[], random: Random): Said {
  const asked = made.map(({ name, input }, index): AskedCall => ({
    id: `call_${random.bits().toString(36)}_${index}`,
    name,
    arguments: JSON.stringify(input),
  }));
  return { text: "", calls: asked, finish: "calls" };
}

function answer({ answer: wanted }: ModelRequest, source: ValueSource): Said {
  const text = wanted === undefined ? `done: ${(source.texts ?? []).at(-1) ?? "nothing"}` : JSON.stringify(valueOf(wanted.schema, source));
  return { text, calls: [], finish: "stop" };
}

/** An answer or a call that does not fit its schema, or is no JSON. */
function wrong(request: ModelRequest, source: ValueSource): Said {
  const { random } = source;
  const tool = request.toolChoice === "none" || request.tools.length === 0 ? undefined : random.pick(request.tools);
  const spoil = (value: Json): string => {
    const text = JSON.stringify(value);
    return random.pick([() => text.slice(0, -1), () => `${text},`, () => `Here it is: ${text}`, () => JSON.stringify(text), () => ""])();
  };
  if (tool !== undefined && random.chance(CALL_SHARE)) {
    const fits = random.chance(SAME_SHARE) ? valueOf(tool.input, source) : undefined;
    const said = calls([{ name: tool.name, input: fits ?? wrongValueOf(tool.input, source) }], random);
    if (fits === undefined) return said;
    return { ...said, calls: said.calls.map((call) => ({ ...call, arguments: spoil(fits) })) };
  }
  if (request.answer === undefined) return answer(request, source);
  const text = random.chance(SAME_SHARE)
    ? spoil(valueOf(request.answer.schema, source))
    : JSON.stringify(wrongValueOf(request.answer.schema, source));
  return { text, calls: [], finish: "stop" };
}

/** The same reply, cut at its limit: in its midst, or where the part that came can still be parsed. */
function truncated(said: Said, random: Random): Said {
  const last = said.calls.at(-1);
  if (random.chance(PARSABLE_SHARE)) return { ...said, finish: "length" };
  if (last === undefined) return { ...said, text: said.text.slice(0, random.int(0, said.text.length)), finish: "length" };
  const cut = { ...last, arguments: last.arguments.slice(0, random.int(0, last.arguments.length)) };
  return { ...said, calls: [...said.calls.slice(0, -1), cut], finish: "length" };
}

const DEMAND = /call (\w[\w-]*) with (\{[^{}]*\})/g;

/** The newest call that a text of the conversation demands and that was not made yet, or one of a tool that the last text names. */
function demanded(request: ModelRequest, source: ValueSource): NewCall | undefined {
  const read = request.messages.filter(({ role }) => role === "tool" || role === "user");
  const made = new Set(callsIn(request).map(({ name, input }) => askedName(name, input)));
  for (const { text } of read.toReversed())
    for (const [, name = "", input = ""] of unquoted(text).matchAll(DEMAND)) {
      const call = { name, input: parsed(input) ?? {} };
      if (!made.has(askedName(name, call.input))) return call;
    }
  const last = read.at(-1);
  const tool = request.tools.find((one) => last?.text.includes(one.name) === true);
  return last === undefined || tool === undefined ? undefined : newCall(tool, { ...source, ...leavesOf([last.text]) });
}

/** Results are JSON, maybe in JSON again; a text in it is read as its reader would. */
function unquoted(text: string): string {
  return text.replaceAll(/\\+"/g, '"');
}

/** The calls of a conversation so far. */
function callsIn({ messages }: ModelRequest): readonly NewCall[] {
  return messages.flatMap((message) =>
    message.role === "assistant" ? message.calls.map((call) => ({ name: call.name, input: parsed(call.arguments) ?? {} })) : [],
  );
}

function readFrom({ messages }: ModelRequest, random: Random): ValueSource {
  return { random, ...leavesOf(messages.filter(({ role }) => role !== "system").map((message) => message.text)) };
}

/** The texts and numbers of some JSON texts; the words of what is no JSON. */
function leavesOf(read: readonly string[]): Pick<Required<ValueSource>, "texts" | "numbers"> {
  const texts = new Set<string>();
  const numbers = new Set<number>();
  const take = (value: Json | undefined): void => {
    if (typeof value === "string" && value.length <= TEXT_LENGTH_MAX) texts.add(value);
    else if (typeof value === "number") numbers.add(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(take);
  };
  for (const text of read) {
    const value = parsed(text);
    if (value !== undefined) take(value);
    else for (const word of text.split(/[\s"',:{}]+/)) if (word !== "") take(parsed(word) ?? word);
    if (texts.size > TEXTS_MAX) break;
  }
  return { texts: [...texts], numbers: [...numbers] };
}

/** The JSON value of a text; undefined if it is none. */
function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** An input that is no object is asked for under this name. */
const UNDER = "input";

/** The calls that a reply asks for, by tool and canonical arguments; empty if it is cut. */
export function askedIn({ calls: asked, finish }: Said): readonly string[] {
  if (finish === "length" || finish === "filter") return [];
  return asked.flatMap((call) => {
    const input = parsed(call.arguments);
    if (input === undefined) return [];
    const inner = typeof input === "object" && input !== null && !Array.isArray(input) ? (input as Record<string, Json>)[UNDER] : undefined;
    return [askedName(call.name, input), ...(inner === undefined ? [] : [askedName(call.name, inner)])];
  });
}

/** A call by its tool and its canonical arguments. */
export function askedName(tool: string, input: Json): string {
  return `${tool} ${canonicalJson(input)}`;
}
