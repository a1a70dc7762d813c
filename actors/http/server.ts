/**
 * @module The host's HTTP server: Dapr's protocols, the users' API, health, and an orderly end.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import express, { type Express, type Request, type RequestHandler } from "express";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Operations } from "../operations/operations.ts";
import type { ActorHost, Clock, Transport } from "../engine/ports.ts";
import { actorRoutes } from "./actor-routes.ts";
import { apiRoutes } from "./api.ts";
import { actorErrorHandler, errorBody, errorHandler, notFound } from "./errors.ts";
import { Followers } from "./follow.ts";
import { refuseForeignPages, requireToken } from "./guard.ts";
import { isUsersPath } from "./routes.ts";
import { Subscriber } from "./subscriber.ts";
import { type TokenEntry, Tokens } from "./tokens.ts";
import { newTraceId } from "./trace.ts";
import type { Logger } from "../engine/log.ts";

/** The address that anything listens on unless told otherwise. */
const LOOPBACK = "127.0.0.1";

/**
 * daprd keeps idle connections to the app for 90 s (Go's http.DefaultTransport, cloned in dapr 1.18.2
 * pkg/runtime/channels/channels.go). Node's default of 5 s would close them under daprd's hands, and Go does not repeat
 * a PUT whose connection broke.
 */
const KEEP_ALIVE_MS = 2 * LIMITS.waitMsMax;
/** How often an ending server looks whether its requests have ended, in milliseconds. */
const DRAIN_POLL_MS = 20;

const STATUS_OK = 200;
const STATUS_UNAVAILABLE = 503;

const MACHINE_CLOCK: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** What the server serves, and to whom. */
export interface HttpHostOptions {
  readonly system: string;
  /** The agents hosted here. */
  readonly agents: readonly string[];
  readonly host: ActorHost;
  readonly operations: Operations;
  /** How a message from a topic reaches its actor. */
  readonly transport: Pick<Transport, "deliver">;
  /** The pubsub component. */
  readonly pubsub: string;
  /** True for pubsub.in-memory; undefined while that is not known. */
  readonly answerAtOnce: boolean | (() => boolean | undefined);
  /** What comes on a topic waits for it: the sidecar is known, or was waited for long enough. Default: at once. */
  readonly ready?: (() => Promise<unknown>) | undefined;
  /** APP_API_TOKEN: daprd's, and with all roles. Where it is left out, nobody is asked for a token. */
  readonly appToken?: string | undefined;
  /** Further tokens for the users' API, with roles of their own; they need an app token beside them. */
  readonly tokens?: readonly TokenEntry[] | undefined;
  readonly logger: Logger;
  /** By default the machine's clock. */
  readonly clock?: Clock;
  /** The sidecar is to call this app unhealthy for a while, see watchdog.ts. */
  readonly resetting?: () => boolean;
}

/** One host's HTTP face. */
export class HttpHost {
  readonly app: Express;
  readonly #server: Server;
  readonly #subscriber: Subscriber;
  readonly #followers: Followers;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  #inFlight = 0;
  #stopping = false;

  constructor(options: HttpHostOptions) {
    const admit = (): void => {
      if (this.#stopping) throw new Fault("system.stopping", "this host is stopping and takes no new work");
    };
    this.#clock = options.clock ?? MACHINE_CLOCK;
    this.#subscriber = new Subscriber({ ...options, clock: this.#clock, admit });
    this.#followers = new Followers(options.operations, this.#clock);
    this.app = this.#build(options, admit);
    this.#server = createServer(
      { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: LIMITS.waitMsMax, headersTimeout: LIMITS.drainMs },
      this.app,
    );
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("clientError", refuseGarbage);
  }

  /** Begins to listen; port 0 takes a free one. Resolves with the port. Throws `port.taken`. */
  async listen(port: number, host: string = LOOPBACK): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(
          error.code === "EADDRINUSE"
            ? new Fault("port.taken", `port ${port} of ${host} is in use`, { port, host }, { cause: error })
            : error,
        );
      this.#server.once("error", failed);
      this.#server.listen(port, host, () => {
        this.#server.off("error", failed);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether {@link drain} was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Takes no new work, waits for what is in flight and for `others`, at most LIMITS.drainMs, and closes. The port is held
   * until then: whoever listens on it next takes this host to be gone (actors/host/listener-identity.ts).
   */
  async drain(others: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#stopping = true;
    this.#followers.end();
    const end = performance.now() + LIMITS.drainMs;
    let queued = true;
    void Promise.allSettled([this.#subscriber.idle(), others]).then(() => {
      queued = false;
    });
    // One look later at the earliest: the queues tell that they are empty only in the next turn of the event loop.
    do await pause(DRAIN_POLL_MS);
    while ((queued || this.#inFlight > 0) && performance.now() < end);
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#subscriber.end();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // An answer that is done may still be on its way out of a socket; what is not done by now is cut off.
    if (this.#inFlight > 0) for (const socket of this.#sockets) socket.destroy();
    else for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #build(options: HttpHostOptions, admit: () => void): Express {
    const app = express();
    app.disable("x-powered-by");
    app.disable("etag");
    app.enable("case sensitive routing");
    // Before everything else: daprd probes it without a token.
    app.get("/healthz", (_request, response) => {
      const status = this.#stopping ? "stopping" : options.resetting?.() === true ? "resetting" : "ok";
      response.status(status === "ok" ? STATUS_OK : STATUS_UNAVAILABLE).json({ status });
    });
    app.use(this.#count());
    app.use(refuseForeignPages);
    const tokens = new Tokens(options.appToken, options.tokens);
    app.use(requireToken({ tokens, isUsersApi, refused: tellRefusedSidecar(options.logger), nowMs: () => this.#clock.nowMs() }));
    app.use(actorRoutes(options.host, admit));
    app.use(["/actors", "/dapr"], actorErrorHandler(options.logger));
    app.use(this.#subscriber.router);
    app.use(apiRoutes({ ...options, followers: this.#followers, admit }));
    app.use(notFound);
    app.use(errorHandler(options.logger));
    return app;
  }

  #count(): RequestHandler {
    return (_request, response, next) => {
      this.#inFlight += 1;
      response.once("close", () => {
        this.#inFlight -= 1;
      });
      next();
    };
  }
}

/** A daprd that is refused shows nothing but unplaced actors, so its first refusal is said where the operator looks. */
function tellRefusedSidecar(logger: Logger): (request: Request) => void {
  let said = false;
  return (request) => {
    if (said || isUsersApi(request)) return;
    said = true;
    const fault = { code: "auth.token", message: `${request.method} ${request.path} came without this app's token` };
    logger.warn({ fault }, "the sidecar is refused: its APP_API_TOKEN is not this app's");
  };
}

/** daprd sends its header on the paths of its protocols; a bearer token is for people and programs. */
function isUsersApi(request: Request): boolean {
  return isUsersPath(request.path);
}

/** Bytes that are no HTTP get a coded answer too, and never an exception. */
function refuseGarbage(_error: Error, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody({ code: "body.invalid", message: "this is no HTTP request that can be read" }, newTraceId()));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
