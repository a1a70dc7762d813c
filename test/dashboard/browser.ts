/** @module The dashboard in a real browser: the built page, served as a host does, beside an HTTP API that tests choose. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { type Browser, chromium, type Page } from "playwright-core";
import { uiFiles } from "../../actors/http/ui-files.ts";
import { buildDashboard } from "../../pack/dashboard.ts";

/** The browser of this machine. */
export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

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
  const folder = await buildDashboard();
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const servers: Server[] = [];
  const errors: string[] = [];
  return {
    errors,
    open: async (path, api, { width = 1_240, dark = false } = {}) => {
      const app = express();
      app.get("/ui/session", api);
      app.use("/ui", uiFiles(folder));
      app.use(api);
      const server = createServer(app);
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
    },
  };
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
          ? { body: { system: "party", loggedIn: true, open: true, subject: "ann", roles, personRoles: ["manager"] } }
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
