/** @module The host's HTTP server: Dapr's protocols, the HTTP API, health, and an orderly shutdown. */
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import express, { type Express, type Request, type RequestHandler } from "express";
import { Fault, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Operations } from "../operations/operations.ts";
import type { ActorHost, Clock, Transport } from "../engine/ports.ts";
import { MessageKeys } from "../engine/signatures.ts";
import { actorRoutes } from "./actor-routes.ts";
import { apiRoutes } from "./api.ts";
import { createCodedServer } from "./connections.ts";
import { actorErrorHandler, errorHandler, notFound } from "./errors.ts";
import { Contents } from "./contents.ts";
import { ChangeStreams } from "./change-streams.ts";
import { Followers } from "./follow.ts";
import { Refusals, requireToken } from "./guard.ts";
import type { Identity } from "./tokens.ts";
import { uiRoutes } from "./ui-routes.ts";
import { UiSessions } from "./ui-session.ts";
import { refuseForeignPages } from "./origin.ts";
import { InFlight } from "./in-flight.ts";
import { isUsersPath } from "./routes.ts";
import { Subscriber } from "./subscriber.ts";
import { type TokenEntry, Tokens } from "./tokens.ts";
import type { Logger } from "../engine/log.ts";

/** The default address to listen on. */
const LOOPBACK = "127.0.0.1";

/**
 * How long an idle connection stays open. daprd keeps idle connections to the app for 90 s (Go's http.DefaultTransport,
 * cloned in dapr 1.18.2 pkg/runtime/channels/channels.go). Node's default of 5 s would close them while daprd uses
 * them, and Go does not retry a PUT whose connection broke.
 */
const KEEP_ALIVE_MS = 2 * LIMITS.waitMsMax;
/** How often a server that shuts down checks whether its requests have ended, in milliseconds. */
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

/** Options of the server. */
export interface HttpHostOptions {
  readonly system: string;
  /** The agents hosted here. */
  readonly agents: readonly string[];
  readonly host: ActorHost;
  readonly operations: Operations;
  /** Delivers a message from a topic to its actor. */
  readonly transport: Pick<Transport, "deliver">;
  /** The pubsub component. */
  readonly pubsub: string;
  /** True for pubsub.in-memory; undefined while unknown. */
  readonly answerAtOnce: boolean | (() => boolean | undefined);
  /** Deliveries of topics wait for it: the sidecar is known, or was waited for long enough. By default they wait for nothing. */
  readonly ready?: (() => Promise<unknown>) | undefined;
  /** Why this host cannot work yet; requests of the HTTP API are answered with it. */
  readonly unready?: (() => WireFault | undefined) | undefined;
  /** APP_API_TOKEN: the token of daprd, with all roles. Without it, no request needs a token. */
  readonly appToken?: string | undefined;
  /** Further tokens for the HTTP API, each with its own roles; they require an app token. */
  readonly tokens?: readonly TokenEntry[] | undefined;
  /** Names of this host beside those of loopback, for requests without a token and for pages behind a proxy. */
  readonly hosts?: readonly string[] | undefined;
  /** The folder of the built dashboard. Absent: there is none. */
  readonly dashboard?: string | undefined;
  /** Check the messages between actors. By default they are not signed. */
  readonly keys?: MessageKeys;
  readonly logger: Logger;
  /** Defaults to the system clock. */
  readonly clock?: Clock;
  /** Why the app must report itself unhealthy, see watchdog.ts. */
  readonly unhealthy?: () => string | undefined;
}

/** The HTTP server of one host. */
export class HttpHost {
  readonly app: Express;
  readonly #server: Server;
  readonly #subscriber: Subscriber;
  readonly #followers: Followers;
  readonly #changes: ChangeStreams;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  readonly #bytes = new InFlight();
  #inFlight = 0;
  #stopping = false;

  constructor(options: HttpHostOptions) {
    const admit = (): void => {
      if (this.#stopping) throw new Fault("system.stopping", "this host is stopping and accepts no new work");
    };
    this.#clock = options.clock ?? MACHINE_CLOCK;
    const keys = options.keys ?? new MessageKeys();
    this.#subscriber = new Subscriber({ ...options, keys, clock: this.#clock, admit });
    this.#followers = new Followers(options.operations, this.#clock);
    this.#changes = new ChangeStreams(this.#clock);
    this.app = this.#build({ ...options, keys }, admit);
    this.#server = createCodedServer(
      { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: LIMITS.waitMsMax, headersTimeout: LIMITS.drainMs },
      this.app,
    );
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /**
   * Starts to listen; port 0 takes a free one. Resolves with the port.
   * @throws `port.taken`
   */
  async listen(port: number, host: string = LOOPBACK): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void =>
        reject(
          error.code === "EADDRINUSE"
            ? new Fault(
                "port.taken",
                `port ${port} of ${host} is in use; stop the other program or choose another port`,
                { port, host },
                { cause: error },
              )
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
   * Accepts no new work, waits up to LIMITS.drainMs for requests in flight and for `others`, and closes. It holds the port until then:
   * the next host that listens on it assumes that this one is gone (actors/host/listener-identity.ts).
   */
  async drain(others: Promise<unknown> = Promise.resolve()): Promise<void> {
    this.#stopping = true;
    this.#followers.end();
    this.#changes.end();
    const end = performance.now() + LIMITS.drainMs;
    let queued = true;
    void Promise.allSettled([this.#subscriber.idle(), others]).then(() => {
      queued = false;
    });
    // At least one check later: the queues report that they are empty only in the next turn of the event loop.
    do await pause(DRAIN_POLL_MS);
    while ((queued || this.#inFlight > 0) && performance.now() < end);
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#subscriber.end();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    // A finished answer may still be leaving its socket. Requests that are not finished by now are cut off.
    if (this.#inFlight > 0) for (const socket of this.#sockets) socket.destroy();
    else for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #build(options: HttpHostOptions & { readonly keys: MessageKeys }, admit: () => void): Express {
    const app = express();
    app.disable("x-powered-by");
    app.disable("etag");
    app.enable("case sensitive routing");
    // Before everything else: daprd probes it without a token.
    app.get("/healthz", (_request, response) => {
      const reason = options.unhealthy?.();
      const status = this.#stopping ? "stopping" : reason === undefined ? "ok" : "unhealthy";
      response.status(status === "ok" ? STATUS_OK : STATUS_UNAVAILABLE).json({ status, ...(reason === undefined ? {} : { reason }) });
    });
    app.use(this.#count());
    const tokens = new Tokens(options.appToken, options.tokens);
    const nowMs = (): number => this.#clock.nowMs();
    const sessions = new UiSessions(tokens, options.appToken, nowMs);
    const refusals = new Refusals(nowMs);
    const isBrowser = (request: Request): boolean => request.headers.cookie !== undefined || request.path.startsWith("/ui");
    app.use(refuseForeignPages({ hosts: options.hosts ?? [], isOpen: (request) => tokens.open || isBrowser(request) }));
    app.use(async (request, _response, next) => {
      if (request.headers.cookie !== undefined) await sessions.note(request);
      next();
    });
    if (options.dashboard !== undefined) {
      app.use("/ui", uiRoutes({ system: options.system, tokens, sessions, refusals, folder: options.dashboard }));
      app.get("/", (_request, response) => response.redirect("/ui"));
    }
    const session = (request: Request): Identity | undefined => sessions.identityOf(request);
    app.use(requireToken({ tokens, isUsersApi, refused: tellRefusedSidecar(options.logger), refusals, session }));
    app.use(actorRoutes(options.host, options.keys, admit));
    app.use(["/actors", "/dapr"], actorErrorHandler(options.logger));
    app.use(this.#subscriber.router);
    app.use(refuseWhile(options.unready ?? (() => undefined)));
    app.use(apiRoutes({ ...options, contents: new Contents(nowMs), followers: this.#followers, changes: this.#changes, admit }));
    app.use(notFound);
    app.use(errorHandler(options.logger));
    return app;
  }

  #count(): RequestHandler {
    return (request, response, next) => {
      this.#inFlight += 1;
      const holding = this.#bytes.open(request);
      response.once("close", () => {
        this.#inFlight -= 1;
        holding.end();
      });
      next();
    };
  }
}

/** Answers requests of the HTTP API with the reason why this host cannot work yet, if there is one. */
function refuseWhile(unready: () => WireFault | undefined): RequestHandler {
  return (request, _response, next) => {
    const fault = isUsersApi(request) ? unready() : undefined;
    if (fault !== undefined) throw Fault.fromWire(fault);
    next();
  };
}

/** Logs the first refusal of a sidecar. daprd itself only shows that its actors are not placed. */
function tellRefusedSidecar(logger: Logger): (request: Request) => void {
  let said = false;
  return (request) => {
    if (said || isUsersApi(request)) return;
    said = true;
    const fault = { code: "auth.token", message: `${request.method} ${request.path} came without this app's token` };
    logger.warn({ fault }, "the sidecar is refused: its APP_API_TOKEN differs from this app's");
  };
}

/**
 * Whether a request is one of the HTTP API. daprd sends its header on the paths of its protocols; persons and programs send a bearer
 * token.
 */
function isUsersApi(request: Request): boolean {
  return isUsersPath(request.path);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
