/**
 * @module Refuses what a browser sends for a page of another origin. Every page that a user opens can reach a host on 127.0.0.1.
 *
 * The browser names the page's origin (Origin, Sec-Fetch-Site). A page whose name was made to resolve to this host
 * (DNS rebinding) is of the same origin; it is told by the name in the request's Host.
 */
import type { Request, RequestHandler } from "express";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

const LOOPBACK_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
/** A name or address with its port: RFC 9112, section 3.2. */
const HOST = /^(\[[0-9a-f:.]+\]|[^\s:/@]+)(?::\d{1,5})?$/;
/** Schemes of pages. */
const ORIGIN = /^https?:\/\/([^\s/@]+)$/;

/** Options of {@link refuseForeignPages}. */
export interface OriginOptions {
  /** Names of this host beside those of loopback, each with or without a port. */
  readonly hosts: readonly string[];
  /** Whether a request may come from a browser that needs no further secret. Then only its Host tells a rebound name. */
  readonly isOpen: (request: Request) => boolean;
}

/**
 * Passes requests of no page and of pages of this host.
 * @throws `origin.foreign`; `host.unknown` where no token is needed
 */
export function refuseForeignPages({ hosts, isOpen }: OriginOptions): RequestHandler {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  const isOwn = (host: string): boolean => {
    const name = HOST.exec(host)?.[1];
    return name !== undefined && (LOOPBACK_NAME.test(name) || known.has(name) || known.has(host));
  };
  return (request, _response, next) => {
    const host = request.headers.host?.toLowerCase() ?? "";
    if (isOpen(request) && !isOwn(host))
      throw new Fault(
        "host.unknown",
        `the request is for ${JSON.stringify(host.slice(0, LIMITS.idLengthMax))}, which is no name of this app`,
      );
    const { origin } = request.headers;
    const from = origin === undefined ? host : ORIGIN.exec(origin.toLowerCase())?.[1];
    const site = request.headers["sec-fetch-site"];
    const isForeignSite = site !== undefined && site !== "same-origin" && site !== "none";
    if ((from !== host && (from === undefined || !known.has(from))) || isForeignSite)
      throw new Fault("origin.foreign", "requests from pages of other origins are refused");
    next();
  };
}
