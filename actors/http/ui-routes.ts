/** @module The routes of the dashboard below /ui: its login and its files. The page itself calls the HTTP API like every other client. */
import { type Request, type RequestHandler, type Response, Router } from "express";
import { z } from "zod";
import { LIMITS } from "../../runtime/limits.ts";
import { check, readJson, requireJson } from "./body.ts";
import type { Refusals } from "./guard.ts";
import type { Identity, Tokens } from "./tokens.ts";
import type { UiSessions } from "./ui-session.ts";
import { uiFiles } from "./ui-files.ts";

const BEARER = /^Bearer +(\S+)$/i;
const STATUS_OK = 200;
const STATUS_CREATED = 201;
const SECOND_MS = 1_000;
const TOKEN_CHARS_MAX = 4_096;

const Login = z.union([
  z.strictObject({ token: z.string().max(TOKEN_CHARS_MAX) }),
  z.strictObject({ code: z.string().max(TOKEN_CHARS_MAX) }),
]);

/** The parts of the dashboard's routes. */
export interface UiOptions {
  readonly system: string;
  readonly tokens: Tokens;
  readonly sessions: UiSessions;
  readonly refusals: Refusals;
  /** The folder of the built page. */
  readonly folder: string;
}

/** Whom the page acts for. */
function whoOf(system: string, identity: Identity | undefined, open: boolean): object {
  if (identity === undefined) return { system, loggedIn: false };
  const { principal, roles, tenant } = identity;
  return {
    ...{ system, loggedIn: true, open, subject: principal.subject, roles: [...roles], personRoles: principal.roles ?? [] },
    ...(tenant === undefined ? {} : { tenant }),
  };
}

/** Serves the dashboard. */
export function uiRoutes({ system, tokens, sessions, refusals, folder }: UiOptions): Router {
  const router = Router({ caseSensitive: true });
  const identityOf = (request: Request): Identity | undefined => (tokens.open ? tokens.holder(undefined) : sessions.identityOf(request));
  const json: RequestHandler = (_request, response, next) => {
    response.set("cache-control", "no-store");
    next();
  };
  const setCookie = (request: Request, response: Response, value: string, forMs: number): void => {
    const parts = [`${sessions.cookie}=${value}`, "Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${Math.floor(forMs / SECOND_MS)}`];
    response.set("set-cookie", [...parts, ...(isEncrypted(request) ? ["Secure"] : [])].join("; "));
  };
  router.get("/session", json, async (request, response) => {
    const renewed = await sessions.renewed(request);
    if (renewed !== undefined) setCookie(request, response, renewed, LIMITS.uiSessionMs);
    response.status(STATUS_OK).json(whoOf(system, identityOf(request), tokens.open));
  });
  router.post("/session", json, async (request, response) => {
    requireJson(request);
    const login = check(Login, await readJson(request), "body.invalid", "the body");
    const cookie = await refusals.counting(() => ("token" in login ? sessions.sessionFor(login.token) : sessions.redeem(login.code)));
    setCookie(request, response, cookie, LIMITS.uiSessionMs);
    response.status(STATUS_CREATED).json({ loggedIn: true });
  });
  router.delete("/session", json, (request, response) => {
    setCookie(request, response, "", 0);
    response.status(STATUS_OK).json({ loggedIn: false });
  });
  router.post("/codes", json, async (request, response) => {
    const [, token] = BEARER.exec(request.get("authorization") ?? "") ?? [];
    const code = tokens.open ? "" : await refusals.counting(() => sessions.codeFor(token));
    response.status(STATUS_CREATED).json({ code });
  });
  router.use(uiFiles(folder));
  return router;
}

/** Whether the page was loaded over https, also through a proxy that ends it: then the page's own origin says so. */
function isEncrypted(request: Request): boolean {
  return request.secure || (request.get("origin") ?? request.get("referer") ?? "").startsWith("https:");
}
