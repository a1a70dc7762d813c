/** @module A sidecar whose answers a test defines, over a real socket. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Its answer. `hang` never answers, `reset` breaks the connection after the request was read. */
export type Reply = { readonly status: number; readonly text?: string; readonly etag?: string } | "hang" | "reset";

export class FakeSidecar {
  readonly asked: Asked[] = [];
  reply: (asked: Asked) => Reply = () => ({ status: 204 });
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const asked = {
          method: request.method ?? "",
          url: request.url ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks).toString(),
        };
        this.asked.push(asked);
        const reply = this.reply(asked);
        if (reply === "hang") return;
        if (reply === "reset") request.socket.resetAndDestroy();
        else response.writeHead(reply.status, reply.etag === undefined ? {} : { etag: reply.etag }).end(reply.text ?? "");
      });
    });
  }

  static async start(): Promise<FakeSidecar> {
    const sidecar = new FakeSidecar();
    await new Promise<void>((done) => sidecar.#server.listen(0, "127.0.0.1", done));
    return sidecar;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
