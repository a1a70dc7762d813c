/** @module The files of the dashboard: the page, its scripts and styles. They hold no data, so they need no token. */
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { RequestHandler, Response } from "express";
import { entryOf } from "../../runtime/entries.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".map": "application/json",
};
/** A file of the build: its name carries a hash of its content, so it never changes. */
const ASSET = /^\/assets\/([\w.-]{1,128})$/;
const YEAR_S = 31_536_000;
const STATUS_OK = 200;
const STATUS_NOT_FOUND = 404;
const STATUS_UNAVAILABLE = 503;

/** Nothing but the page's own files may run, be loaded, or be sent to; no other page may show it in a frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const NOT_BUILT = [
  "<!doctype html><meta charset=utf-8><title>Troupe</title><p>The dashboard is not built yet.",
  "In a clone, `npm start -- up` builds it within a few seconds; load this page again.",
].join(" ");

/** Headers of every answer under /ui. */
function guarded(response: Response): Response {
  return response.set({
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
  });
}

/** Serves the files of a built dashboard below its mount point. All addresses without a file are the page, whose script reads them. */
export function uiFiles(folder: string): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== "GET" && request.method !== "HEAD") return next();
    const [, asset] = ASSET.exec(request.path) ?? [];
    guarded(response);
    if (asset === undefined) return sendPage(folder, response);
    const content = await readFile(join(folder, "assets", asset)).catch(() => undefined);
    const type = entryOf(TYPES, extname(asset));
    if (content === undefined || type === undefined) {
      response.status(STATUS_NOT_FOUND).type("text/plain").send("there is no such file");
      return;
    }
    response
      .set({ "content-type": type, "cache-control": `public, max-age=${YEAR_S}, immutable` })
      .status(STATUS_OK)
      .send(content);
  };
}

async function sendPage(folder: string, response: Response): Promise<void> {
  const page = await readFile(join(folder, "index.html"), "utf8").catch(() => undefined);
  response
    .set({ "content-type": "text/html; charset=utf-8", "cache-control": "no-store" })
    .status(page === undefined ? STATUS_UNAVAILABLE : STATUS_OK)
    .send(page ?? NOT_BUILT);
}
