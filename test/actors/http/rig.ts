/** @module An HttpHost over a real socket with a fake host, fake operations and a fake transport that remember what they saw. */
import { Writable } from "node:stream";
import { pino } from "pino";
import { z } from "zod";
import { HttpHost, type HttpHostOptions } from "../../../actors/http/server.ts";
import type { ActorHost, Transport } from "../../../actors/engine/ports.ts";
import { Callbacks } from "../../../actors/engine/callbacks.ts";
import type { Behaviour, Seen } from "./behaviour.ts";
import { fakeOperations, PROCESS } from "./operations-fakes.ts";
import type { Address, Message, TurnAnswer } from "../../../runtime/protocol.ts";

export const TOKEN = "the-token-of-the-app";
export const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export interface HttpRig {
  readonly host: HttpHost;
  readonly origin: string;
  readonly seen: Seen;
  readonly behaviour: Behaviour;
  /** Reports a record to followers. */
  readonly watchers: Callbacks;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** The strict shape of every error body. */
export const ErrorAnswer = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional(), fix: z.string() }),
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
});

const receipt = (message: Message): TurnAnswer => ({ receipt: { messageId: message.id, sequence: 1 } });

export async function startRig(options: Partial<HttpHostOptions> = {}): Promise<HttpRig> {
  const seen: Seen = { received: [], delivered: [], submitted: [], invalid: [], inQueue: 0, events: [], log: [], looks: [] };
  const watchers = new Callbacks();
  const behaviour: Behaviour = {
    receive: async (message) => receipt(message),
    deliver: async (message) => receipt(message),
    submit: async ({ id, route }, { trace }) => ({
      receipt: { id: id ?? "made", route, run: 1, sequence: 1, traceId: trace?.traceparent.slice(3, 35) ?? "none" },
    }),
    invalid: async () => undefined,
    process: async (id) => ({ ...PROCESS, id }),
    page: async (asked) => {
      seen.events.push(JSON.stringify(asked));
      return { entries: [] };
    },
    decide: async () => undefined,
    tick: async () => undefined,
    looked: async () => {},
    changes: () => () => {},
  };
  const log = new Writable({
    write(chunk: Buffer, _encoding, done) {
      seen.log.push(chunk.toString());
      done();
    },
  });
  const host = new HttpHost({
    system: "party",
    agents: ["Planner"],
    host: fakeHost(seen, behaviour),
    operations: fakeOperations(seen, behaviour, watchers),
    transport: fakeTransport(seen, behaviour),
    pubsub: "pubsub",
    answerAtOnce: false,
    logger: pino({ level: "debug" }, log),
    ...options,
  });
  const origin = `http://127.0.0.1:${await host.listen(0)}`;
  return { host, origin, seen, behaviour, watchers, call: caller(origin) };
}

export function caller(origin: string): HttpRig["call"] {
  return async (method, path, body, headers) => {
    const raw = typeof body === "string" || body instanceof Uint8Array ? (body as string | Uint8Array<ArrayBuffer>) : undefined;
    const sent =
      body === undefined ? {} : { body: raw ?? JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
    const response = await fetch(`${origin}${path}`, { method, ...(headers === undefined ? {} : { headers }), ...sent });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: text === "" ? undefined : (JSON.parse(text) as unknown) };
  };
}

function fakeHost(seen: Seen, behaviour: Behaviour): ActorHost {
  return {
    types: ["party.Planner", "party.ProcessManager"],
    receive: async (message) => {
      seen.received.push(message);
      return behaviour.receive(message);
    },
    tick: async ({ type, id }, name, carried) => {
      seen.events.push(`tick ${type}/${id} ${name}${carried === undefined ? "" : ` ${JSON.stringify(carried)}`}`);
      await behaviour.tick();
    },
    nudge: async ({ type, id }) => {
      seen.events.push(`nudge ${type}/${id}`);
      return { phase: "open", bucket: "b" };
    },
    heartbeat: ({ type, id }, beat) => void seen.events.push(`beat ${type}/${id} ${beat.workId} ${beat.token}`),
    inspect: async ({ id }) => ({ id }),
    deactivate: ({ type, id }) => void seen.events.push(`deactivate ${type}/${id}`),
  };
}

function fakeTransport(seen: Seen, behaviour: Behaviour): Transport {
  const none = async (): Promise<void> => undefined;
  return {
    publish: none,
    deliver: async (message) => {
      seen.delivered.push(message);
      return behaviour.deliver(message);
    },
    heartbeat: none,
    inspect: async () => null,
    nudge: async () => ({ phase: "none" }),
    notification: none,
  };
}

export function message(id: string, to: Address = { type: "party.Planner", id: "p-1" }): Message {
  return {
    v: 1,
    id,
    to,
    from: "party.ProcessManager/p-1",
    processId: "p-1",
    createdAtMs: 1,
    expiresAtMs: 2,
    hop: 0,
    principal: { subject: "a", tenant: "t", permissions: [] },
    trace: { traceparent: TRACEPARENT },
    body: { kind: "cancel", reason: "no longer" },
  };
}

/** An event as daprd delivers it. */
export function event(data: unknown, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    specversion: "1.0",
    id: "event-1",
    source: "s",
    type: "t",
    time: new Date().toISOString(),
    datacontenttype: "application/json",
    topic: "x",
    pubsubname: "pubsub",
    traceid: "",
    traceparent: "",
    tracestate: "",
    data,
    ...more,
  };
}

/** Bytes of a topic as daprd delivers them where `rawPayload` is asked for. */
export function raw(bytes: string | Uint8Array): string {
  return JSON.stringify({
    data_base64: Buffer.from(bytes).toString("base64"),
    datacontenttype: "application/octet-stream",
    id: "of-daprd",
    pubsubname: "pubsub",
    source: "Dapr",
    specversion: "1.0",
    topic: "x",
    type: "com.dapr.event.sent",
  });
}

/** A promise and its resolver. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
