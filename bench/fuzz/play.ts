/** @module Sends fuzzed requests, several at once, and judges the answers: no status 5xx without a code, and no refusal without one. */
import { Agent, request as send } from "node:http";
import { connect } from "node:net";
import { z } from "zod";
import { isFaultCode } from "../../runtime/faults.ts";
import { Fuzz, type FuzzRequest } from "./requests.ts";

const STATUS_ERROR = 400;
const ANSWER_MS = 120_000;
/** A bare connection is closed after so long without bytes: much of what it sends has no end. */
const BARE_MS = 100;
const SHOWN_CHARS = 300;
/** A code that means a defect, or a bug of the handler; the system of the fuzz has none. */
const DEFECT = "turn.failed";

const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), fix: z.string() }), traceId: z.string() });

/** What to send, and where. */
export interface Plan {
  readonly origin: string;
  readonly token?: string | undefined;
  readonly seed: number;
  readonly requests: number;
  readonly atOnce: number;
  /** Called after every so many requests. */
  readonly every?: { readonly requests: number; readonly call: (sent: number) => void } | undefined;
}

/** What came back. */
export interface Played {
  /** Answers by status; `none` for a connection that was closed without one. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/** Sends the requests of a seed. */
export async function play({ origin, token, seed, requests, atOnce, every }: Plan): Promise<Played> {
  const fuzz = new Fuzz(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const statuses: Record<string, number> = {};
  const problems: string[] = [];
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      const number = sent;
      const one = fuzz.next();
      const answers = await (one.bytes === undefined ? asked(origin, token, one, agent) : told(origin, one.bytes));
      for (const answer of answers) {
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        // The answer to a HEAD has the length of a body, and none.
        const method = one.bytes?.subarray(0, "HEAD".length).toString("latin1") === "HEAD" ? "HEAD" : one.method;
        const problem = problemOf(method, answer);
        if (problem !== undefined) problems.push(`request ${number}, ${one.method} ${one.path}: ${problem}`);
      }
      if (every !== undefined && number % every.requests === 0) every.call(number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  agent.destroy();
  return { statuses, problems };
}

interface Answer {
  readonly status: string;
  readonly text: string;
}

function problemOf(method: string, { status, text }: Answer): string | undefined {
  if (status === "late") return "no answer";
  if (!(Number(status) >= STATUS_ERROR) || method === "HEAD") return undefined;
  const code = codeOf(text);
  if (code === undefined) return `${status} without a code: ${text.slice(0, SHOWN_CHARS)}`;
  return code === DEFECT ? `${status} ${text.slice(0, SHOWN_CHARS)}` : undefined;
}

function codeOf(text: string): string | undefined {
  try {
    const { code } = Refusal.parse(JSON.parse(text)).error;
    return isFaultCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

function asked(origin: string, token: string | undefined, { method, path, headers, body }: FuzzRequest, agent: Agent): Promise<Answer[]> {
  return new Promise((resolve) => {
    const url = new URL(origin);
    // A path that Node does not send is sent bare.
    if (/[^\x21-\x7e]/.test(path)) return resolve(told(origin, Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)));
    const sent = send(
      {
        agent,
        host: url.hostname,
        port: url.port,
        method,
        path,
        timeout: ANSWER_MS,
        headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}`, "dapr-api-token": token }) },
      },
      (response) => {
        const status = String(response.statusCode);
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          // A stream of events has no end.
          if (response.headers["content-type"]?.startsWith("text/event-stream") === true) sent.destroy();
        });
        response.once("close", () => resolve([{ status, text }]));
        response.on("error", () => {});
      },
    );
    sent.once("timeout", () => {
      resolve([{ status: "late", text: "" }]);
      sent.destroy();
    });
    // The connection may be closed while a refused body is sent.
    sent.once("error", () => resolve([{ status: "none", text: "" }]));
    sent.end(body);
  });
}

/** Sends bytes; what comes back may be several answers, of which only complete refusals with a length are judged. */
function told(origin: string, bytes: Buffer): Promise<Answer[]> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(origin).port), new URL(origin).hostname);
    let text = "";
    const end = (): void => {
      socket.destroy();
      resolve(answersIn(text));
    };
    socket.setEncoding("utf8");
    socket.setTimeout(BARE_MS, end);
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("error", end);
    socket.once("close", end);
    socket.write(bytes);
  });
}

function answersIn(text: string): Answer[] {
  const heads = [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n([^]*?)\r\n\r\n/g)];
  if (heads.length === 0) return [{ status: "none", text: "" }];
  return heads.map((head) => {
    const body = Buffer.from(text.slice(head.index + head[0].length));
    const length = Number(/content-length: (\d+)/i.exec(head[2] ?? "")?.[1] ?? body.length);
    const isWhole = body.length >= length && length > 0;
    const status = head[1] ?? "";
    // A HEAD has no body, and a cut answer cannot be judged.
    return isWhole || Number(status) < STATUS_ERROR ? { status, text: body.subarray(0, length).toString() } : { status: "cut", text: "" };
  });
}
