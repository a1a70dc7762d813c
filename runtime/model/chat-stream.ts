/**
 * @module A streamed reply: server-sent events are read, chunks are collected, and nothing counts before the finish. Pure.
 *
 * A stream that ends without a finish reason was cut, however complete its parts may look: arguments of a tool call are valid JSON at many
 * of their prefixes.
 */
import { Fault } from "../faults.ts";
import { malformed, recordOf } from "./chat-faults.ts";
import {
  argumentsText,
  type ChatReply,
  collectText,
  type Collected,
  type CollectedCall,
  errorIn,
  nothingCollected,
  replyOf,
  type ReplyParts,
  textOf,
  usageIn,
} from "./chat-reply.ts";
import type { ModelDelta } from "./conversation.ts";

const DONE = "[DONE]";

/** Splits the text of an event stream into the data of its events. Comments and other fields are skipped. */
class EventLines {
  #rest = "";
  #data: string[] = [];
  #afterReturn = false;

  /** Returns the data of the events that end in this piece. */
  push(piece: string): readonly string[] {
    const text = this.#afterReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    if (piece !== "") this.#afterReturn = piece.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /** Returns what stands after the last line end, for servers that omit it. */
  end(): readonly string[] {
    const rest = this.#rest;
    this.#rest = "";
    return [...this.#line(rest), ...this.#line("")];
  }

  #line(line: string): readonly string[] {
    if (line === "") {
      const data = this.#data.join("\n");
      const isEvent = this.#data.length > 0;
      this.#data = [];
      return isEvent ? [data] : [];
    }
    const [, field, value = ""] = /^\uFEFF?([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field !== "data") return [];
    // Some servers write no empty line between events: a line that is complete by itself is an event.
    if (this.#data.length > 0 && startsEvent(value) && isWhole(this.#data.join("\n"))) {
      const before = this.#data.join("\n");
      this.#data = [value];
      return [before];
    }
    this.#data.push(value);
    return [];
  }
}

function startsEvent(value: string): boolean {
  return value.startsWith("{") || value === DONE;
}

function isWhole(data: string): boolean {
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}

/** Collects the chunks of one streamed reply. */
export class ChatStream {
  readonly #parts: ReplyParts;
  readonly #lines = new EventLines();
  readonly #collected: Collected = nothingCollected();
  readonly #open = new Map<number, CollectedCall>();
  #last: CollectedCall | undefined;
  #done = false;
  #chunks = 0;
  #start = "";

  constructor(parts: ReplyParts) {
    this.#parts = parts;
  }

  /** Whether the server said that the stream is over. */
  get done(): boolean {
    return this.#done;
  }

  /** Takes a piece of the body, and returns what it adds to the reply. @throws `model.*` for an error in the stream */
  push(piece: string): readonly ModelDelta[] {
    if (this.#chunks === 0 && this.#start.length < START_CHARS_MAX) this.#start += piece;
    return this.#lines.push(piece).flatMap((data) => this.#event(data));
  }

  /**
   * The reply, when the body has ended.
   * @throws `model.unavailable` if it was cut, `model.malformed` if it was no stream of the protocol
   */
  end(): ChatReply {
    for (const data of this.#lines.end()) this.#event(data);
    if (this.#chunks === 0) throw this.#noStream();
    if (this.#collected.finish === "") {
      if (this.#done) throw malformed("the stream ended without a finish reason", "");
      throw cut();
    }
    return replyOf(this.#collected, this.#parts);
  }

  /** A body without chunks: an error or a page in the place of a stream. */
  #noStream(): Fault {
    let value: unknown;
    try {
      value = JSON.parse(this.#start);
    } catch {
      value = undefined;
    }
    const root = recordOf(value);
    const failed = root === undefined ? undefined : errorIn(root, this.#parts);
    return failed ?? malformed(this.#start.trim() === "" ? "the body is empty" : "the stream has no chunks", this.#start);
  }

  #event(data: string): readonly ModelDelta[] {
    if (this.#done || data.trim() === "") return [];
    if (data.trim() === DONE) {
      this.#done = true;
      return [];
    }
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      throw malformed("a chunk is not JSON", data);
    }
    const chunk = recordOf(value);
    if (chunk === undefined) throw malformed("a chunk is not an object", data);
    const failed = errorIn(chunk, this.#parts);
    if (failed !== undefined) throw failed;
    this.#chunks += 1;
    return this.#chunk(chunk);
  }

  #chunk(chunk: Readonly<Record<string, unknown>>): readonly ModelDelta[] {
    const collected = this.#collected;
    if (collected.model === "") collected.model = textOf(chunk["model"]);
    collected.usage = usageIn(chunk) ?? collected.usage;
    const choices = chunk["choices"];
    const choice = Array.isArray(choices) ? recordOf(choices.find((one) => (recordOf(one)?.["index"] ?? 0) === 0)) : undefined;
    if (choice === undefined) return [];
    const failed = errorIn(choice, this.#parts);
    if (failed !== undefined) throw failed;
    collected.usage = usageIn(choice) ?? collected.usage;
    // A chunk may hold the last content and the finish, so the content comes first.
    const message = recordOf(choice["delta"]) ?? recordOf(choice["message"]);
    const deltas = message === undefined ? [] : this.#delta(message);
    const finish = textOf(choice["finish_reason"]);
    if (finish !== "" && (collected.finish === "" || finish === "content_filter")) collected.finish = finish;
    return deltas;
  }

  #delta(message: Readonly<Record<string, unknown>>): readonly ModelDelta[] {
    const { text, reasoning } = collectText(this.#collected, message);
    const calls = Array.isArray(message["tool_calls"]) ? message["tool_calls"] : [];
    const legacy = recordOf(message["function_call"]);
    const pieces = [...calls.map(recordOf), legacy === undefined ? undefined : { index: 0, function: legacy }];
    const begun = pieces.flatMap((piece) => (piece === undefined ? [] : this.#callPiece(piece)));
    return [
      ...(text === "" ? [] : [{ text }]),
      ...(reasoning === "" ? [] : [{ reasoning }]),
      ...begun.map((tool): ModelDelta => ({ tool })),
    ];
  }

  /** Adds a piece of a tool call; returns the name of a call that begins to have one. */
  #callPiece(piece: Readonly<Record<string, unknown>>): readonly string[] {
    const asked = recordOf(piece["function"]) ?? {};
    const call = this.#callOf(piece);
    const name = textOf(asked["name"]);
    const begins = call.name === "" && name !== "";
    // Some servers repeat the whole name in every piece.
    if (name !== "" && name !== call.name) call.name += name;
    call.arguments += argumentsText(asked["arguments"]);
    return begins ? [name] : [];
  }

  /**
   * The call to which a piece belongs. A new id begins a new call, also under an index that is in use; without id and index the piece
   * continues the last call.
   */
  #callOf(piece: Readonly<Record<string, unknown>>): CollectedCall {
    const id = textOf(piece["id"]).trim();
    const { index } = piece;
    const known = typeof index === "number" ? this.#open.get(index) : id === "" ? this.#last : this.#withId(id);
    const isOther = known !== undefined && id !== "" && known.id !== "" && known.id !== id;
    if (known !== undefined && !isOther && !this.#beginsAnew(known, piece, id)) {
      if (known.id === "") known.id = id;
      this.#last = known;
      return known;
    }
    const call: CollectedCall = { id, name: "", arguments: "" };
    this.#collected.calls.push(call);
    if (typeof index === "number") this.#open.set(index, call);
    this.#last = call;
    return call;
  }

  #withId(id: string): CollectedCall | undefined {
    return this.#collected.calls.find((call) => call.id === id);
  }

  /** A whole further call without an id: it brings a name and arguments of its own, and those of the last call are whole. */
  #beginsAnew(known: CollectedCall, piece: Readonly<Record<string, unknown>>, id: string): boolean {
    const asked = recordOf(piece["function"]);
    const isNamed = textOf(asked?.["name"]) !== "";
    const opens = argumentsText(asked?.["arguments"]).trimStart().startsWith("{");
    return id === "" && isNamed && opens && known.name !== "" && isWhole(known.arguments);
  }
}

const START_CHARS_MAX = 8_192;

/** The fault of an answer whose connection ended in its midst. */
export function cut(): Fault {
  return new Fault("model.unavailable", "the provider's reply was cut: the stream ended without a finish reason. Nothing of it was used");
}
