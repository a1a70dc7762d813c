/** @module A pretended system for the commands: an HTTP server with answers given by path, and a command line run in this process. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { vi } from "vitest";
import { Lifetime } from "../../cli/run/lifetime.ts";
import { runProgram } from "../../cli/program.ts";
import { FAULTS, type FaultCode } from "../../runtime/faults.ts";

/** A request as the system saw it. */
export interface Seen {
  readonly method: string;
  /** Path and query, decoded. */
  readonly path: string;
  readonly token: string | undefined;
  readonly lastEventId: string | undefined;
  readonly body: unknown;
}

/** What is answered: JSON, the text of a stream of events, or nothing. */
export interface Answer {
  /** The request stays without an answer until the system is gone. */
  readonly isHeld?: boolean;
  readonly status?: number;
  readonly json?: unknown;
  readonly events?: string;
}

/** A pretended system. */
export interface Stub {
  readonly url: string;
  readonly seen: Seen[];
  /** Answers by `METHOD /path` without the query; the last of a list stays. */
  readonly answers: Record<string, Answer | Answer[]>;
  close(): Promise<void>;
}

/** Starts one, on a free port unless it is to come back where another one was. */
export async function startStub({
  url: given,
  answers = {},
}: { readonly url?: string; readonly answers?: Stub["answers"] } = {}): Promise<Stub> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const path = decodeURIComponent(request.url ?? "");
      const lastEventId = request.headers["last-event-id"];
      seen.push({
        method: request.method ?? "",
        path,
        token: request.headers.authorization,
        lastEventId: typeof lastEventId === "string" ? lastEventId : undefined,
        body,
      });
      const set = answers[`${request.method} ${path.split("?")[0]}`] ?? refuse("route.unknown");
      const answer = Array.isArray(set) ? ((set.length > 1 ? set.shift() : set[0]) ?? {}) : set;
      if (answer.isHeld === true) return;
      response.writeHead(answer.status ?? 200, { "content-type": answer.events === undefined ? "application/json" : "text/event-stream" });
      response.end(answer.events ?? JSON.stringify(answer.json));
    });
  });
  await new Promise<void>((resolve) => server.listen(given === undefined ? 0 : Number(new URL(given).port), "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, seen, answers, close };
}

/** The answer of a system that refuses. */
export function refuse(code: FaultCode, message = `about ${code}`): Answer {
  return { status: FAULTS[code].httpStatus, json: { error: { code, message, fix: FAULTS[code].fix }, traceId: "0123" } };
}

/** A command line that runs in this process. */
export interface RunningLine {
  readonly lifetime: Lifetime;
  /** What it printed so far. */
  out(): string;
  err(): string;
  readonly ended: Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

/** Starts a command line in this process. One at a time: it takes the output of the process. */
export function startLine(...words: readonly string[]): RunningLine {
  let [out, err] = ["", ""];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      err += String(text);
      return true;
    }),
  ];
  const lifetime = new Lifetime();
  const ended = runProgram(words, lifetime)
    .then((code) => ({ code, out, err }))
    .finally(() => {
      for (const spy of spies) spy.mockRestore();
    });
  return { lifetime, out: () => out, err: () => err, ended };
}

/** Runs a command line in this process to its end. */
export function runLine(...words: readonly string[]): RunningLine["ended"] {
  return startLine(...words).ended;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text === "" ? undefined : JSON.parse(text);
}
