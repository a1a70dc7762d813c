/** @module Ten kinds of invalid messages, and two ways to publish them: through daprd as a program does, or directly to Redis's stream. */
import { once } from "node:events";
import { connect } from "node:net";
import { LIMITS } from "../../runtime/limits.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;
const EVENT = "application/cloudevents+json";
const JSON_TYPE = "application/json";
const BINARY = "application/octet-stream";
/** Topics that any program may write invalid messages to. */
const TOPICS = ["live.tasks", "live.agent.Shelf", "live.manager", "live.agent.Pay"] as const;

/** One invalid message. Its name is in its bytes, or is the id of the event that daprd creates around them. */
export interface InvalidMessage {
  readonly name: string;
  readonly kind: string;
  readonly topic: string;
  readonly bytes: Buffer;
  readonly contentType: string;
  /** It is written to the stream unchanged, and must arrive in the dead letter queue unchanged. */
  readonly direct: boolean;
  /** Code of its dead letter. */
  readonly code: string;
}

type Made = Pick<InvalidMessage, "contentType" | "code"> & {
  readonly body: string | Uint8Array;
  readonly topic?: string;
  readonly direct?: boolean;
};

const INPUT = { n: 1, shelf: "s0", refuse: false };

function event(name: string, data: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ specversion: "1.0", id: name, source: "test", type: "test", datacontenttype: JSON_TYPE, data, ...more });
}

function foreign(name: string, topic: string, more: Readonly<Record<string, unknown>>): unknown {
  return {
    v: 1,
    id: name,
    to: { type: topic === "live.manager" ? "live.ProcessManager" : topic.replace("live.agent.", "live."), id: name },
    from: "feast.ProcessManager/x",
    processId: name,
    createdAtMs: 1,
    expiresAtMs: Date.now() + DAY_MS,
    hop: 0,
    principal: { subject: "a", tenant: "t", permissions: [] },
    trace: { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01` },
    body: { kind: "cancel", reason: "no longer" },
    ...more,
  };
}

/** The kinds, by name and by a number that selects the topic. `onStream`: the broker can be written to without daprd. */
const KINDS: Readonly<Record<string, (name: string, topic: string, onStream: boolean) => Made>> = {
  "bad JSON": (name, _topic, onStream) => ({
    body: `{"${name}": oops`,
    contentType: JSON_TYPE,
    code: onStream ? "body.invalid" : "message.invalid",
    direct: onStream,
  }),
  "bad event": (name, _topic, onStream) => ({
    body: onStream ? event(name, {}, { time: new Date().toISOString(), traceid: 7, traceparent: 7 }) : event(name, null),
    contentType: EVENT,
    code: "message.invalid",
    direct: onStream,
  }),
  "unknown route": (name) => ({
    body: event(name, { id: name, route: "nowhere", input: INPUT }),
    contentType: EVENT,
    code: "route.unknown",
    topic: "live.tasks",
  }),
  "unknown agent": (name, topic) => ({
    body: event(name, foreign(name, topic, { to: { type: "live.Unknown", id: name } })),
    contentType: EVENT,
    code: "message.invalid",
  }),
  expired: (name) => ({
    body: event(
      name,
      { id: name, route: "party", input: INPUT },
      Number(name.at(-1)) % 2 === 0 ? { time: new Date(Date.now() - 2 * DAY_MS).toISOString() } : { expiration: "2026-01-01T00:00:00Z" },
    ),
    contentType: EVENT,
    code: "message.expired",
    topic: "live.tasks",
  }),
  "too large": (name, _topic, onStream) =>
    onStream
      ? {
          body: `{"${name}":"${"x".repeat(LIMITS.bodyBytesMax + LIMITS.valueBytesMax)}"}`,
          contentType: JSON_TYPE,
          code: "message.too-large",
          direct: true,
        }
      : {
          body: event(name, { id: name, route: "party", input: { ...INPUT, shelf: "x".repeat(LIMITS.valueBytesMax) } }),
          contentType: EVENT,
          code: "value.too-large",
          topic: "live.tasks",
        },
  "schema mismatch": (name) => ({
    body: event(name, { id: name, route: "party", input: { ...INPUT, n: "one" } }),
    contentType: EVENT,
    code: "schema.task",
    topic: "live.tasks",
  }),
  "unknown keys": (name) => ({
    body: JSON.stringify({ id: name, route: "party", input: INPUT, priority: 1 }),
    contentType: JSON_TYPE,
    code: "message.invalid",
    topic: "live.tasks",
  }),
  "another system or version": (name, topic) => {
    const isVersion = topic !== "live.tasks" && Number(name.at(-1)) % 2 === 0;
    return {
      body: event(name, foreign(name, topic, isVersion ? { v: 9 } : { to: { type: "feast.Pay", id: name } })),
      contentType: EVENT,
      code: isVersion ? "journal.newer" : "message.invalid",
    };
  },
  "no bytes, or binary": (name, _topic, onStream) => {
    if (Number(name.at(-1)) % 2 === 0) return { body: "", contentType: JSON_TYPE, code: "message.invalid" };
    return {
      body: Buffer.concat([Buffer.from(name), Uint8Array.from({ length: 256 }, (_, at) => 255 - at)]),
      contentType: BINARY,
      code: onStream ? "body.invalid" : "message.invalid",
      direct: onStream,
    };
  },
};

/** This many invalid messages of each kind. */
export function invalidOf(each: number, onStream: boolean): InvalidMessage[] {
  return Object.entries(KINDS).flatMap(([kind, make], at) =>
    Array.from({ length: each }, (_, n): InvalidMessage => {
      const name = `invalid-${at}-${n}`;
      const topic = TOPICS[(at + n) % TOPICS.length] ?? TOPICS[0];
      const { body, direct = false, ...made } = make(name, topic, onStream);
      return { name, kind, topic, ...made, bytes: Buffer.from(body), direct };
    }),
  );
}

/** Publishes bytes through daprd; the event that daprd creates around them gets this id. */
export async function publish(
  world: World,
  { name, topic, bytes, contentType }: Pick<InvalidMessage, "name" | "topic" | "bytes" | "contentType">,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${world.host.daprPort}/v1.0/publish/pubsub/${topic}?metadata.cloudevent.id=${name}`, {
    method: "POST",
    headers: { "content-type": contentType },
    body: new Uint8Array(bytes),
  });
  if (answer.status !== 204) throw new Error(`${name} was not published: ${answer.status} ${await answer.text()}`);
}

/** Writes bytes to a stream as another program may. */
export async function addToStream(port: number, topic: string, bytes: Buffer): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const words = [Buffer.from("XADD"), Buffer.from(topic), Buffer.from("*"), Buffer.from("data"), bytes];
  socket.write(
    Buffer.concat([
      Buffer.from(`*${words.length}\r\n`),
      ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from("\r\n")]),
    ]),
  );
  const [answer]: unknown[] = await once(socket, "data");
  socket.destroy();
  if (!String(answer).startsWith("$")) throw new Error(`redis said ${String(answer)}`);
}
