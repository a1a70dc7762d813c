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
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/**
 * Lets requests with a valid token pass and stores their identity. Without a configured token everything passes. On
 * paths of the HTTP API a bearer token takes precedence over the app's header, which a sidecar adds to requests that it
 * forwards.
 * @throws `auth.token`; `auth.too-many` when the refusals of this second are used up
 */
export function requireToken({ tokens, isUsersApi, refused, nowMs }: GuardOptions): RequestHandler {
  const refusals = new Refusals(nowMs);
  return (request, response, next) => {
    const header = request.get("dapr-api-token");
    const bearer = isUsersApi(request) ? request.get("authorization") : undefined;
    const offered = bearer === undefined ? header : BEARER.exec(bearer)?.[1];
    const identity = isUsersApi(request) ? tokens.holder(offered) : tokens.isAppToken(header) ? tokens.holder(header) : undefined;
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

/** Counts refusals per second. Requests with a valid token are never delayed by those without. */
class Refusals {
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
