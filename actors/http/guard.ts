/**
 * @module Who may come in: the app's token, and no pages of foreign sites.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { Fault } from "../../runtime/faults.ts";
import { ANONYMOUS, type Principal } from "../../runtime/protocol.ts";

/** Who holds the app's token. One token is one subject: it says "may use this system" and no name. */
const TOKEN_HOLDER: Principal = { subject: "app-token", tenant: "default", permissions: [] };

const BEARER = /^Bearer +(\S+)$/i;

/**
 * Lets through what carries the token. Where no token is configured everything passes. Throws `auth.token`.
 * `refused` hears of the others: without it a daprd that has another token would be refused in silence.
 */
export function requireToken(token: string | undefined, bearerAllowed: (request: Request) => boolean, refused: (request: Request) => void = () => {}): RequestHandler {
  const wanted = token === undefined ? undefined : digest(token);
  return (request, _response, next) => {
    if (wanted === undefined) {
      next();
      return;
    }
    const offered = request.get("dapr-api-token") ?? (bearerAllowed(request) ? BEARER.exec(request.get("authorization") ?? "")?.[1] : undefined);
    // Digests have one length, so neither the length nor the first wrong letter can be timed.
    if (offered === undefined || !timingSafeEqual(digest(offered), wanted)) {
      refused(request);
      throw new Fault("auth.token", offered === undefined ? "the request carries no token" : "the token is not the one of this app");
    }
    next();
  };
}

/** The principal of a request that passed {@link requireToken}. Nothing in a body or another header can change it. */
export function principalOf(token: string | undefined): Principal {
  return token === undefined ? ANONYMOUS : TOKEN_HOLDER;
}

/**
 * Refuses requests that a browser makes for a page of another site. A host on 127.0.0.1 without a token is within the
 * reach of every page that its user opens.
 */
export const refuseForeignPages: RequestHandler = (request, _response, next) => {
  const site = request.get("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw new Fault("body.invalid", "requests from pages of other sites are refused");
  next();
};

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
