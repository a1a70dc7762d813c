/** @module A TCP proxy in front of a sidecar that can drop an answer after the sidecar has done its work. */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

const LOOPBACK = "127.0.0.1";

/** A proxy for one port. */
export class DroppingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #drop = 0;
  #dropped = 0;

  private constructor(target: number) {
    this.#server = createServer((inner) => {
      const outer = createConnection({ port: target, host: LOOPBACK });
      for (const socket of [inner, outer]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.once("close", () => {
          this.#sockets.delete(socket);
          inner.destroy();
          outer.destroy();
        });
      }
      inner.pipe(outer);
      outer.on("data", (chunk) => {
        if (this.#drop === 0) {
          inner.write(chunk);
          return;
        }
        // The answer has arrived, so the work is done; the caller sees a reset connection.
        this.#drop -= 1;
        this.#dropped += 1;
        inner.resetAndDestroy();
      });
    });
  }

  static async start(target: number): Promise<DroppingProxy> {
    const proxy = new DroppingProxy(target);
    await new Promise<void>((done) => proxy.#server.listen(0, LOOPBACK, done));
    return proxy;
  }

  get origin(): string {
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Drops the next answers. */
  dropNext(answers: number): void {
    this.#drop = answers;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}
