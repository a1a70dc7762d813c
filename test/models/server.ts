/** @module A server on a free port that answers as a test tells it, and keeps what it was sent. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Sent } from "./shapes.ts";

/** A request as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How the server answers: bytes as they are, or a function that writes the answer itself. */
export type Answer = Sent | ((response: ServerResponse) => void);

/** A running server. */
export interface TestServer {
  readonly url: string;
  readonly received: readonly Received[];
  /** Answers the next requests with this. */
  answer(answer: Answer): void;
  stop(): Promise<void>;
}

/** Starts a server. */
export async function startServer(first?: Answer): Promise<TestServer> {
  const received: Received[] = [];
  let answer = first;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString();
      received.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(text || "{}") as Received["body"] });
      if (typeof answer === "function") answer(response);
      else if (answer !== undefined) send(response, answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    received,
    answer: (next) => {
      answer = next;
    },
    stop: () => close(server),
  };
}

/** Sends an answer. One that is cut ends with its connection. */
export function send(response: ServerResponse, { status, headers, body, cut }: Sent): void {
  response.writeHead(status, { ...headers, ...(cut === true ? { "content-length": String(Buffer.byteLength(body) + 1) } : {}) });
  if (cut === true) response.write(body, () => response.destroy());
  else response.end(body);
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
