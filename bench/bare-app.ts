/** @module An app beside daprd that answers at once and does nothing. It shows the cost of the calls themselves. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** daprd keeps its connections to the app for 90 s. */
const KEEP_ALIVE_MS = 120_000;

/** Hosts actors of type `bare` and subscribes to topic `bare`. */
export class BareApp {
  readonly port: number;
  readonly #server: Server;
  readonly #awaited = new Map<string, () => void>();

  constructor(port: number) {
    this.port = port;
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => this.#serve(request, response));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** Resolves when the event with the id arrived. */
  event(id: string): Promise<void> {
    return new Promise((resolve) => void this.#awaited.set(id, resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(this.#answer(request.url ?? "", Buffer.concat(chunks).toString("utf8")));
    });
  }

  #answer(url: string, body: string): string {
    if (url === "/dapr/config") return JSON.stringify({ entities: ["bare"] });
    if (url === "/dapr/subscribe") return JSON.stringify([{ pubsubname: "pubsub", topic: "bare", route: "/topics/bare" }]);
    if (url !== "/topics/bare") return "{}";
    const event: unknown = JSON.parse(body);
    const id = typeof event === "object" && event !== null && "id" in event ? String(event.id) : "";
    this.#awaited.get(id)?.();
    this.#awaited.delete(id);
    return '{"status":"SUCCESS"}';
  }
}
