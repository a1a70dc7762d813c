/**
 * @module A TCP proxy in front of a sidecar that disrupts the next request: it is lost, its answer is lost, or it arrives long after its
 * caller timed out.
 */
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";

const LOOPBACK = "127.0.0.1";
/** Longer than a hasty caller waits. */
const LATE_MS = 900;

/** What happens to the next request. */
export type Spoil = "lost" | "unanswered" | "late";

/** A proxy for one port. */
export class SpoilingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next: Spoil | undefined;

  private constructor(target: number) {
    this.#server = createServer((inner) => this.#join(inner, createConnection({ port: target, host: LOOPBACK })));
  }

  static async start(target: number): Promise<SpoilingProxy> {
    const proxy = new SpoilingProxy(target);
    await new Promise<void>((done) => proxy.#server.listen(0, LOOPBACK, done));
    return proxy;
  }

  get origin(): string {
    return `http://${LOOPBACK}:${(this.#server.address() as AddressInfo).port}`;
  }

  spoilNext(how: Spoil): void {
    this.#next = how;
  }

  #join(inner: Socket, outer: Socket): void {
    let spoil: Spoil | undefined;
    for (const socket of [inner, outer]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.once("close", () => {
        this.#sockets.delete(socket);
        // A late request outlives its caller.
        if (spoil !== "late" || socket === outer) for (const other of [inner, outer]) other.destroy();
      });
    }
    inner.on("data", (chunk) => {
      if (this.#next !== undefined) [spoil, this.#next] = [this.#next, undefined];
      if (spoil === "lost") inner.resetAndDestroy();
      else if (spoil === "late") setTimeout(() => outer.write(chunk), LATE_MS);
      else outer.write(chunk);
    });
    outer.on("data", (chunk) => {
      if (spoil === "unanswered") inner.resetAndDestroy();
      else if (spoil === "late") outer.destroy();
      else inner.write(chunk);
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}
