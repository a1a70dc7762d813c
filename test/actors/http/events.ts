/** @module A reader of server-sent events for tests that waits for the next one. */
import { get, type IncomingMessage } from "node:http";

/** One event, or a comment with the name `comment`. */
export interface SentEvent {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

/** A stream that is being read. */
export interface Reader {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** The next event or comment; undefined at the end of the stream. */
  next(): Promise<SentEvent | undefined>;
  /** All remaining events, to the end. */
  rest(): Promise<readonly SentEvent[]>;
  /** Stops or resumes taking bytes. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Opens a stream. */
export async function follow(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Reader> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers, agent: false }, resolve).once("error", reject);
  });
  const events: (SentEvent | undefined)[] = [];
  let wake = (): void => {};
  let text = "";
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    events.push(...blocks.map(eventOf).filter((event) => event.name !== "retry"));
    wake();
  });
  response.once("close", () => {
    events.push(undefined);
    wake();
  });
  response.on("error", () => {});
  const next = async (): Promise<SentEvent | undefined> => {
    while (events.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return events.shift();
  };
  const rest = async (): Promise<readonly SentEvent[]> => {
    const all: SentEvent[] = [];
    for (let event = await next(); event !== undefined; event = await next()) all.push(event);
    return all;
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next,
    rest,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
  };
}

function eventOf(block: string): SentEvent {
  const fields = new Map(
    block.split("\n").map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const comment = fields.get("");
  if (comment !== undefined) return { name: "comment", id: undefined, data: comment };
  if (fields.has("retry")) return { name: "retry", id: undefined, data: fields.get("retry") };
  return { name: fields.get("event") ?? "message", id: fields.get("id"), data: JSON.parse(fields.get("data") ?? "null") as unknown };
}
