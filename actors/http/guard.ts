/**
 * @module Who may come in: the app's token or one of the file, roles, a bound on refusals, and no pages of foreign sites.
 */
import type { IncomingMessage } from "node:http";
import type { Request, RequestHandler } from "express";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Identity, Role, Tokens } from "./tokens.ts";

const BEARER = /^Bearer +(\S+)$/i;
const SECOND_MS = 1_000;
/** A body that is refused is read to its end when it is no larger, so that the connection can stay, in bytes. */
const REFUSED_BODY_BYTES_MAX = 65_536;

const identities = new WeakMap<IncomingMessage, Identity>();

/** What {@link requireToken} needs. */
export interface GuardOptions {
  readonly tokens: Tokens;
  /** daprd sends its header on the paths of its protocols; a bearer token is for people and programs. */
  readonly isUsersApi: (request: Request) => boolean;
  /** Hears of what is refused: without it a daprd that has another token would be refused in silence. */
  readonly refused: (request: Request) => void;
  /** Epoch, milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Lets through what carries a token, and notes whose. Where no token is configured everything passes. On the users' paths
 * a bearer token counts before the app's header, which a sidecar adds to what it passes on. Throws `auth.token`, and
 * `auth.too-many` when this second has seen its refusals.
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
      throw new Fault("auth.too-many", `more than ${LIMITS.refusalsPerSecondMax} requests without a valid token came within a second`);
    }
    response.set("www-authenticate", "Bearer");
    throw new Fault(
      "auth.token",
      offered === undefined && bearer === undefined ? "the request carries no token" : "the token is not one of this app's",
    );
  };
}

/** Counts refusals by the second. Those with a valid token are never held up by those without. */
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

/** Who makes a request that passed {@link requireToken}. Nothing in a body or another header can change it. */
export function identityOf(request: IncomingMessage): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new Fault("auth.token", "the request carries no token");
  return identity;
}

/** Throws `auth.role` where the request's token does not have the role. */
export function requireRole(request: IncomingMessage, role: Role | undefined): void {
  const { roles, principal } = identityOf(request);
  if (role !== undefined && !roles.has(role))
    throw new Fault("auth.role", `this needs the role ${role}; ${principal.subject} has ${[...roles].join(", ")}`, { role });
}

/**
 * Refuses requests that a browser makes for a page of another site. A host on 127.0.0.1 without a token is within the
 * reach of every page that its user opens.
 */
export const refuseForeignPages: RequestHandler = (request, _response, next) => {
  const site = request.get("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none")
    throw new Fault("body.invalid", "requests from pages of other sites are refused");
  next();
};
