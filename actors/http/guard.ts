/** @module Access control: the app's token or one of the token file, roles, and a limit on refusals. */
import type { IncomingMessage } from "node:http";
import type { Request, RequestHandler } from "express";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Identity, Role, Tokens } from "./tokens.ts";

const BEARER = /^Bearer +(\S+)$/i;
const SECOND_MS = 1_000;
/** Size in bytes up to which a refused body is read to its end, so that the connection can stay open. */
const REFUSED_BODY_BYTES_MAX = 65_536;

const identities = new WeakMap<IncomingMessage, Identity>();

/** Options of {@link requireToken}. */
export interface GuardOptions {
  readonly tokens: Tokens;
  /**
   * Whether a request is one of the HTTP API. daprd sends its header on the paths of its protocols; persons and programs send a bearer
   * token.
   */
  readonly isUsersApi: (request: Request) => boolean;
  /** Called for each refused request. Without it, a daprd with a wrong token would be refused silently. */
  readonly refused: (request: Request) => void;
  readonly refusals: Refusals;
  /** The identity of a browser's session. */
  readonly session: (request: Request) => Identity | undefined;
}

/**
 * Lets requests with a valid token pass and stores their identity. Without a configured token everything passes. On
 * paths of the HTTP API a bearer token takes precedence over the app's header, which a sidecar adds to requests that it
 * forwards.
 * @throws `auth.token`; `auth.too-many` when the refusals of this second are used up
 */
export function requireToken({ tokens, isUsersApi, refused, refusals, session }: GuardOptions): RequestHandler {
  return (request, response, next) => {
    const header = request.get("dapr-api-token");
    const bearer = isUsersApi(request) ? request.get("authorization") : undefined;
    const offered = bearer === undefined ? header : BEARER.exec(bearer)?.[1];
    const named = isUsersApi(request) ? tokens.holder(offered) : tokens.isAppToken(header) ? tokens.holder(header) : undefined;
    const identity =
      named ?? (isUsersApi(request) && offered === undefined && bearer === undefined ? sessionOf(request, session) : undefined);
    if (identity !== undefined) {
      identities.set(request, identity);
      next();
      return;
    }
    refused(request);
    if (hasLongBody(request)) response.set("connection", "close");
    if (!refusals.admit()) {
      response.set("connection", "close");
      throw new Fault("auth.too-many", `more than ${LIMITS.refusalsPerSecondMax} requests without a valid token within a second`);
    }
    response.set("www-authenticate", "Bearer");
    throw new Fault(
      "auth.token",
      offered === undefined && bearer === undefined ? "the request has no token" : "the token is not valid for this app",
    );
  };
}

/**
 * The identity of a browser's session. A page of another origin could make a browser send the cookie, so a request that changes
 * something must name the origin, which {@link refuseForeignPages} has compared with the host.
 * @throws `origin.foreign`
 */
function sessionOf(request: Request, session: GuardOptions["session"]): Identity | undefined {
  const identity = session(request);
  const isReading = request.method === "GET" || request.method === "HEAD";
  if (identity !== undefined && !isReading && request.get("origin") === undefined)
    throw new Fault("origin.foreign", "a request of the dashboard's session names no origin");
  return identity;
}

/** Counts refusals per second. Requests with a valid token are never delayed by those without. */
export class Refusals {
  readonly #nowMs: () => number;
  #second = 0;
  #count = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  admit(): boolean {
    const second = Math.floor(this.#nowMs() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= LIMITS.refusalsPerSecondMax;
  }

  /** Counts a login that fails. Throws `auth.too-many` when the refusals of this second are used up. */
  async counting<T>(login: () => Promise<T>): Promise<T> {
    try {
      return await login();
    } catch (error) {
      if (this.admit()) throw error;
      throw new Fault("auth.too-many", `more than ${LIMITS.refusalsPerSecondMax} requests without a valid token within a second`);
    }
  }
}

function hasLongBody(request: Request): boolean {
  return request.get("transfer-encoding") !== undefined || Number(request.get("content-length") ?? 0) > REFUSED_BODY_BYTES_MAX;
}

/** The identity of a request that passed {@link requireToken}. Nothing in a body or another header can change it. */
export function identityOf(request: IncomingMessage): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new Fault("auth.token", "the request has no token");
  return identity;
}

/**
 * Checks that the request's token has the role.
 * @throws `auth.role`
 */
export function requireRole(request: IncomingMessage, role: Role | undefined): void {
  const { roles, principal } = identityOf(request);
  if (role !== undefined && !roles.has(role))
    throw new Fault("auth.role", `this requires the role ${role}; ${principal.subject} has ${[...roles].join(", ")}`, { role });
}

/**
 * Checks that the caller may decide as a person: where tokens have names, the app's token has none.
 * @throws `person.forbidden`
 */
export function requireName(request: IncomingMessage): void {
  if (identityOf(request).isUnnamed === true)
    throw new Fault("person.forbidden", "the app's token names no person; where tokens have names, one of them must decide");
}
