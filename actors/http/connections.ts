/**
 * @module What Node's HTTP server does with a connection, bounded and coded: a pipelined request waits for the answer before it, and what
 * Node refuses by itself gets a body with a code.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FaultCode } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { errorBody } from "./errors.ts";
import { newTraceId } from "./trace.ts";

const SECOND_MS = 1_000;
const ECHO_CHARS = 80;

/** Creates a server whose every answer has a code. */
export function createCodedServer(options: ServerOptions, app: RequestListener): Server {
  // By default Node looks for late headers each 30 s only, and answers a request without Host without a body.
  const server = createServer(
    { connectionsCheckingInterval: SECOND_MS, requireHostHeader: false, ...options },
    oneAtATime(requireHost(app)),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(socket, ...reasonOf(error)));
  server.on("checkExpectation", ({ headers, socket }: IncomingMessage) => {
    const told = String(headers.expect).slice(0, ECHO_CHARS);
    if (socket !== null)
      refuse(socket, "417 Expectation Failed", "body.invalid", `the expectation ${JSON.stringify(told)} is not supported`);
  });
  server.on("connect", (_request: IncomingMessage, socket: Duplex) =>
    refuse(socket, "405 Method Not Allowed", "method.unknown", "this host is no proxy: it takes no CONNECT"),
  );
  return server;
}

type Reason = readonly [status: string, code: FaultCode, message: string];

/** Why Node's parser gave a connection up. */
function reasonOf({ code }: NodeJS.ErrnoException): Reason {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return [
      "408 Request Timeout",
      "request.late",
      `the headers did not arrive within ${LIMITS.drainMs} ms, or the body within ${LIMITS.waitMsMax} ms`,
    ];
  if (code === "HPE_HEADER_OVERFLOW") return ["431 Request Header Fields Too Large", "body.invalid", "the headers are too large"];
  return ["400 Bad Request", "body.invalid", "this is not a readable HTTP request"];
}

/** Answers on the bare connection, and closes it. */
function refuse(socket: Duplex, status: string, code: FaultCode, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody({ code, message }, newTraceId()));
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function requireHost(app: RequestListener): RequestListener {
  return (request, response) => {
    if (request.headers.host === undefined && request.httpVersionMinor > 0)
      refuse(request.socket, "400 Bad Request", "body.invalid", "the request has no header Host");
    else app(request, response);
  };
}

type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

/**
 * Calls a listener with the next request of a connection when the answer to the one before has left the host, and reads no further until
 * then. Node calls it for every request in the bytes that it has, and reads on as long as no answer waits, so a client that pipelines and
 * reads nothing could have any number of answers made and kept for it.
 */
function oneAtATime(listener: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Exchange[]>();
  const begin = (socket: Socket, [request, response]: Exchange, waiting: Exchange[]): void => {
    // Every answer closes, when its last byte was given to the system, or with its connection.
    response.once("close", () => {
      const next = waiting.shift();
      if (next === undefined) lines.delete(socket);
      else if (!socket.destroyed) begin(socket, next, waiting);
      if (waiting.length === 0) socket.resume();
      else socket.pause();
    });
    listener(request, response);
  };
  return (request, response) => {
    const { socket } = request;
    const waiting = lines.get(socket);
    if (waiting === undefined) {
      const line: Exchange[] = [];
      lines.set(socket, line);
      begin(socket, [request, response], line);
      return;
    }
    waiting.push([request, response]);
    socket.pause();
  };
}
