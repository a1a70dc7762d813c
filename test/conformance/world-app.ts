/**
 * @module The app of the conformance cases: the routes of a real host, with a script in place of the engine.
 *
 * It runs in its own process, so that it can be killed and frozen. It reports what it receives to the test over the IPC
 * channel, and the test says how the app reacts.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pino } from "pino";
import { SidecarClient } from "../../actors/dapr/client.ts";
import { DaprTransport } from "../../actors/dapr/transport.ts";
import { HttpHost } from "../../actors/http/server.ts";
import type { Operations } from "../../actors/operations/operations.ts";
import type { ActorHost } from "../../actors/engine/ports.ts";
import { Fault } from "../../runtime/faults.ts";
import { actorType, type Message, type TurnAnswer } from "../../runtime/protocol.ts";
import { ANSWER, type ArrivalKind, type Reaction } from "./world-rig.ts";

/** The app's reports: it listens, it received something, it has finished with it. */
export type FromApp =
  | { readonly tell: "listening" }
  | { readonly tell: "came"; readonly ask: number; readonly kind: ArrivalKind; readonly id: string; readonly name: string }
  | { readonly tell: "done"; readonly ask: number };
/** The test's answer. */
export interface ToApp {
  readonly ask: number;
  readonly reaction: Reaction;
}

const LOOPBACK = "127.0.0.1";
/** As actors/http/server.ts: longer than daprd keeps an idle connection. */
const KEEP_ALIVE_MS = 120_000;
const [system = "", appPort = "", daprPort = "", broker = ""] = process.argv.slice(2);

const waiting = new Map<number, (reaction: Reaction) => void>();
const reactionNow = new AsyncLocalStorage<Reaction>();
let asked = 0;

function tell(message: FromApp): void {
  process.send?.(message);
}

process.on("message", ({ ask, reaction }: ToApp) => {
  waiting.get(ask)?.(reaction);
  waiting.delete(ask);
});
// The test that started this app is gone.
process.on("disconnect", () => process.exit(0));

interface Coming {
  readonly kind: ArrivalKind;
  readonly id: string;
  readonly name: string;
}

/** The arrival that a request brings, if it is one that the cases are about. */
async function coming(request: IncomingMessage): Promise<Coming | undefined> {
  const [room, type, id = "", what, method, name = ""] = (request.url ?? "").split("/").slice(1).map(decodeURIComponent);
  if (room === "topics") return event(await peek(request), type === "results");
  if (room !== "actors" || type === undefined) return undefined;
  if (what === undefined) return { kind: "deactivate", id, name: "" };
  switch (method) {
    case "receive":
      return { kind: "turn", id, name: text(await peek(request), "id") };
    case "remind":
      return { kind: "tick", id, name: ring(name, await peek(request)) };
    case "heartbeat":
      return beat(id, await peek(request));
    case "nudge":
      return { kind: "nudge", id, name: "" };
    case "inspect":
      return { kind: "inspect", id, name: "" };
    default:
      return undefined;
  }
}

/** A reminder that carries something is named with it. */
function ring(name: string, body: unknown): string {
  const carried = typeof body === "object" && body !== null && "data" in body ? body.data : undefined;
  return carried === undefined || carried === null ? name : `${name} ${JSON.stringify(carried)}`;
}

/** Notifications arrive as events; on the other topics daprd delivers raw bytes, which contain events. */
function event(delivered: unknown, isNotification: boolean): Coming {
  const body: unknown = isNotification ? delivered : JSON.parse(Buffer.from(text(delivered, "data_base64"), "base64").toString("utf8"));
  const data = field(body, "data");
  const id = isNotification ? text(data, "processId") : text(field(data, "to"), "id");
  return { kind: isNotification ? "notification" : "event", id, name: text(body, "id") };
}

function beat(id: string, body: unknown): Coming {
  return { kind: "beat", id, name: `${text(body, "workId")} ${text(body, "token")}` };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

/** Reads a body that has a length, and puts it back for the routes. */
async function peek(request: IncomingMessage): Promise<unknown> {
  const length = Number(request.headers["content-length"] ?? 0);
  const chunks: Buffer[] = [];
  for (let have = 0; have < length;) {
    const chunk = request.read() as Buffer | null;
    if (chunk === null) {
      await new Promise<void>((resolve) => request.once("readable", () => resolve()));
      continue;
    }
    chunks.push(chunk);
    have += chunk.length;
  }
  if (length === 0) return undefined;
  const body = Buffer.concat(chunks);
  request.unshift(body);
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    // The routes report what is wrong with it.
    return undefined;
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const what = await coming(request);
  if (what === undefined) return void host.app(request, response);
  asked += 1;
  const ask = asked;
  const answered = new Promise<Reaction>((resolve) => void waiting.set(ask, resolve));
  tell({ tell: "came", ask, ...what });
  const reaction = await answered;
  if (reaction.kind === "status")
    response.writeHead(reaction.status, { "content-length": Buffer.byteLength(reaction.body) }).end(reaction.body);
  else if (reaction.kind === "hang-up") request.socket.destroy();
  else if (what.kind === "notification") response.writeHead(200, { "content-type": "application/json" }).end('{"status":"SUCCESS"}');
  else reactionNow.run(reaction, () => host.app(request, response));
  tell({ tell: "done", ask });
}

/** Does what the script orders, as a host would. */
function play<T>(answer: (reaction: Reaction) => T): T {
  const reaction = reactionNow.getStore() ?? ANSWER;
  if (reaction.kind === "fault") throw new Fault(reaction.code, "ordered by the case", reaction.details);
  if (reaction.kind === "throw") throw new Error("ordered by the case");
  return answer(reaction);
}

function turn(message: Message): TurnAnswer {
  return play((reaction): TurnAnswer => {
    if (reaction.kind === "refuse") return { refused: { code: reaction.code, message: "ordered by the case" } };
    return { receipt: { messageId: reaction.kind === "wrong-receipt" ? `not ${message.id}` : message.id, sequence: 1 } };
  });
}

const actors: ActorHost = {
  types: ["Doer", "Other", "ProcessManager"].map((name) => actorType(system, name)),
  receive: async (message) => turn(message),
  tick: async () => play(() => undefined),
  nudge: async () => play(() => ({ phase: "open", bucket: "b" })),
  heartbeat: () => play(() => undefined),
  inspect: async ({ id }) => play(() => ({ id, number: 0.123456789, text: "é😀<&>" })),
  deactivate: () => undefined,
};

const never = async (): Promise<never> => {
  throw new Fault("route.unknown", "the cases have no tasks");
};
/** Invalid messages go to the dead letter queue; here they are dropped. */
const operations: Operations = {
  submit: never,
  process: never,
  cancel: never,
  act: never,
  decideLetters: never,
  signal: never,
  processes: never,
  deadLetters: never,
  deadLetter: never,
  redrive: never,
  discard: never,
  drift: never,
  digest: never,
  inbox: never,
  request: never,
  decide: never,
  rules: never,
  revokeRule: never,
  audit: never,
  broken: never,
  setAside: never,
  memories: never,
  memory: never,
  forgetFact: never,
  promoteFact: never,
  sources: never,
  syncSource: never,
  releases: () => ({ releases: [] }),
  stopRelease: never,
  graph: () => null,
  schemas: () => null,
  models: () => ({ models: [] }),
  stops: never,
  history: never,
  cassette: never,
  replay: never,
  fork: never,
  diff: never,
  conversation: never,
  timeline: never,
  looked: never,
  overview: never,
  costs: never,
  agents: () => ({ host: "", agents: [] }),
  system: never,
  changes: () => () => {},
  purge: never,
  watch: () => () => undefined,
  invalid: async () => undefined,
};

const transport = new DaprTransport(new SidecarClient({ origin: `http://${LOOPBACK}:${daprPort}` }), { pubsub: "pubsub", source: system });
const host = new HttpHost({
  system,
  agents: ["Doer", "Other"],
  host: actors,
  operations,
  transport,
  pubsub: "pubsub",
  answerAtOnce: broker === "in-memory",
  logger: pino({ level: "silent" }),
});
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => void serve(request, response));
server.listen(Number(appPort), LOOPBACK, () => tell({ tell: "listening" }));
