/** @module The screens in a real browser: built by vite, served with a strict policy beside an HTTP API that tests choose. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import react from "@vitejs/plugin-react";
import { build } from "vite";

const HERE = join(import.meta.dirname, "..", "..", "dashboard", "trial");
/** The browser of this machine. */
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const TYPES: Readonly<Record<string, string>> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };
const POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/** Answers a request of the HTTP API. */
export type Api = (request: IncomingMessage, response: ServerResponse) => void;

/** How a page is opened. */
export interface OpenOptions {
  readonly width?: number;
  readonly dark?: boolean;
}

/** A browser and the built screens. */
export interface Bed {
  /** Serves the page with this API and opens an address of it. */
  open(path: string, api: Api, options?: OpenOptions): Promise<Page>;
  /** What the pages have logged as errors, and what the policy refused. */
  readonly errors: string[];
  stop(): Promise<void>;
}

/** Builds the screens and starts the browser. */
export async function startBed(): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-screens-"));
  await build({
    root: HERE,
    base: "/ui/",
    configFile: false,
    logLevel: "warn",
    plugins: [react()],
    build: { outDir: folder, emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0, target: "es2023" },
  });
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const servers: Server[] = [];
  const errors: string[] = [];
  return {
    errors,
    open: async (path, api, { width = 1_240, dark = false } = {}) => {
      const server = createServer((request, response) => serve(folder, request, response, api));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme: dark ? "dark" : "light",
        locale: "en-GB",
        timezoneId: "UTC",
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(`${path}: ${error.message}`));
      page.on("console", (line) => {
        if (line.type() === "error" && !line.text().includes("the server responded with a status")) errors.push(`${path}: ${line.text()}`);
      });
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ui${path}`);
      return page;
    },
    stop: async () => {
      await browser.close();
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serve(folder: string, request: IncomingMessage, response: ServerResponse, api: Api): void {
  const { pathname } = new URL(request.url ?? "/", "http://page");
  if (!pathname.startsWith("/ui") || pathname === "/ui/session") {
    api(request, response);
    return;
  }
  const asset = normalize(pathname.slice("/ui/".length));
  const file = TYPES[extname(asset)] === undefined || asset.startsWith("..") ? "index.html" : asset;
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain", "content-security-policy": POLICY });
  response.end(readFileSync(join(folder, file)));
}

/** What a fixture answers: a body, or a function of the request's body; a fault has a status. */
export type Fixture = { readonly status?: number; readonly body: unknown };

/** An API of fixtures by `GET /path` without the query. What is not there is 404. Requests that change something are noted. */
export function fixtureApi(
  fixtures: Readonly<Record<string, Fixture>>,
  roles: readonly string[],
  sent: { readonly what: string; readonly body: unknown }[] = [],
): Api {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const what = `${request.method ?? "GET"} ${decodeURIComponent(pathname)}`;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "POST") sent.push({ what, body: JSON.parse(Buffer.concat(chunks).toString() || "null") as unknown });
      const found: Fixture =
        what === "GET /ui/session"
          ? { body: { roles } }
          : (fixtures[what] ?? { status: 404, body: fault("route.unknown", `there is no ${what}`, "Look at the address.") });
      response.writeHead(found.status ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(found.body));
    });
  };
}

/** The body of an error. */
export function fault(code: string, message: string, fix: string): unknown {
  return { error: { code, message, fix }, traceId: "0af7651916cd43dd8448eb211c80319c" };
}
