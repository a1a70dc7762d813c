/** @module The dashboard over HTTP: its files and their headers, its sessions, and what pages of others cannot do with them. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TokenEntry } from "../../../actors/http/tokens.ts";
import type { HttpHostOptions } from "../../../actors/http/server.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { HandClock } from "../engine-rig.ts";
import { startRig, TOKEN, type HttpRig } from "./rig.ts";

const ADA: TokenEntry = {
  sha256: createHash("sha256").update("ada's").digest("hex"),
  subject: "ada",
  tenant: "acme",
  roles: ["read", "submit"],
  personRoles: ["buyer"],
};
const SCRIPT = "index-a1b2c3d4.js";

let folder: string;
let clock: HandClock;
const rigs: HttpRig[] = [];
beforeEach(async () => {
  clock = new HandClock();
  folder = await mkdtemp(join(tmpdir(), "troupe-ui-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Troupe</title>");
  await writeFile(join(folder, "assets", SCRIPT), "export {};");
  await writeFile(join(folder, "secret.js"), "secret");
});
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.host.drain()));
  await rm(folder, { recursive: true });
});

async function start(options: Partial<HttpHostOptions> = {}): Promise<HttpRig> {
  const rig = await startRig({ appToken: TOKEN, tokens: [ADA], dashboard: folder, clock, ...options });
  rigs.push(rig);
  return rig;
}

interface Told {
  readonly status: number;
  readonly code: string;
  readonly body: unknown;
  readonly cookie: string;
  readonly setCookie: string;
}

/** Sends exactly these headers, as no `fetch` does. */
function send(rig: HttpRig, method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown): Promise<Told> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const typed = text === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const sent = request(`${rig.origin}${path}`, { method, headers: { ...typed, ...headers } }, (response) => {
      let all = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        all += chunk;
      });
      response.on("end", () => {
        const [setCookie = ""] = response.headers["set-cookie"] ?? [];
        resolve({
          ...{ status: response.statusCode ?? 0, code: /"code":"([^"]+)"/.exec(all)?.[1] ?? "", setCookie },
          ...{ body: all.startsWith("{") ? (JSON.parse(all) as unknown) : all, cookie: setCookie.split(";")[0] ?? "" },
        });
      });
    });
    sent.on("error", reject).end(text);
  });
}

/** What a browser gets for an address. */
async function load(rig: HttpRig, path: string): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const response = await fetch(`${rig.origin}${path}`);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const own = (rig: HttpRig): Readonly<Record<string, string>> => ({ origin: rig.origin });

async function logIn(rig: HttpRig, token = "ada's"): Promise<string> {
  const { status, cookie } = await send(rig, "POST", "/ui/session", own(rig), { token });
  expect(status).toBe(201);
  return cookie;
}

describe("the page", () => {
  test("needs no token, is never kept, and lets no other page frame it and no foreign script run", async () => {
    const rig = await start();
    for (const path of ["/ui", "/ui/", "/ui/runs/some%2Fid?text=x", "/ui/secret.js", "/ui/assets/..%2fsecret.js"]) {
      const { status, headers, text } = await load(rig, path);
      expect([path, status, text]).toEqual([path, 200, "<!doctype html><title>Troupe</title>"]);
      expect(headers.get("cache-control")).toBe("no-store");
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
  });

  test("its files are kept for good, because their names carry their hash; what is not there is no page", async () => {
    const rig = await start();
    const found = await load(rig, `/ui/assets/${SCRIPT}`);
    expect([found.status, found.text]).toEqual([200, "export {};"]);
    expect(found.headers.get("cache-control")).toContain("immutable");
    expect(found.headers.get("content-type")).toContain("text/javascript");
    for (const path of ["/ui/assets/gone.js", "/ui/assets/.."]) expect((await load(rig, path)).text).not.toContain("secret");
    expect((await load(rig, "/ui/assets/gone.js")).status).toBe(404);
  });

  test("before it is built, an answer says how", async () => {
    const rig = await start({ dashboard: join(folder, "none") });
    const { status, text } = await load(rig, "/ui");
    expect([status, text]).toEqual([503, expect.stringContaining("npm start -- up")]);
  });

  test("a host without it has no such path", async () => {
    const rig = await startRig({ appToken: TOKEN });
    rigs.push(rig);
    expect((await rig.call("GET", "/ui")).status).toBe(401);
  });
});

describe("a session", () => {
  test("is a cookie that scripts cannot read and other sites cannot send, and acts as its token", async () => {
    const rig = await start();
    const { setCookie, cookie } = await send(rig, "POST", "/ui/session", own(rig), { token: "ada's" });
    expect(setCookie).toMatch(/^troupe-[0-9a-f]{12}=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    expect(setCookie).not.toContain("ada");
    expect((await send(rig, "GET", "/ui/session", { cookie })).body).toEqual({
      ...{ system: "party", loggedIn: true, open: false, subject: "ada", tenant: "acme", roles: ["read", "submit"] },
      personRoles: ["buyer"],
    });
    expect((await send(rig, "GET", "/processes", { cookie })).status).toBe(200);
    expect((await send(rig, "POST", "/processes/p/cancel", { cookie, ...own(rig) }, {})).code).toBe("auth.role");
    expect((await send(rig, "POST", "/tasks", { cookie, ...own(rig) }, { route: "trip", input: 1 })).status).toBe(202);
    expect(rig.seen.submitted.at(-1)?.caller).toMatchObject({ principal: { subject: "ada", tenant: "acme" } });
  });

  test("is marked for https where the page came by https", async () => {
    const rig = await start({ hosts: ["app.example"] });
    const host = "app.example";
    const { setCookie } = await send(rig, "POST", "/ui/session", { host, origin: `https://${host}` }, { token: "ada's" });
    expect(setCookie).toMatch(/; Secure$/);
  });

  test("of one system is not that of another on the same machine", async () => {
    const [rig, other] = [await start(), await start({ appToken: "another-token-of-an-app" })];
    const cookie = await logIn(rig);
    expect((await send(other, "GET", "/processes", { cookie })).code).toBe("auth.token");
    expect((await logIn(other)).split("=")[0]).not.toBe(cookie.split("=")[0]);
  });

  test("works on each host of the system, and ends when its token is removed, at log out, and after its time", async () => {
    const [rig, second] = [await start(), await start()];
    const cookie = await logIn(rig);
    expect((await send(second, "GET", "/processes", { cookie })).status).toBe(200);
    const without = await start({ tokens: [{ ...ADA, sha256: "0".repeat(64) }] });
    expect((await send(without, "GET", "/processes", { cookie })).code).toBe("auth.token");
    expect((await send(rig, "DELETE", "/ui/session", { cookie, ...own(rig) })).setCookie).toMatch(/=; .*Max-Age=0$/);
    await clock.advance(LIMITS.uiSessionMs + 1_000);
    expect((await send(rig, "GET", "/processes", { cookie })).code).toBe("auth.token");
    expect((await send(rig, "GET", "/ui/session", { cookie })).body).toEqual({ system: "party", loggedIn: false });
  });

  test("is renewed when the page is opened past half of its time", async () => {
    const rig = await start();
    const cookie = await logIn(rig);
    expect((await send(rig, "GET", "/ui/session", { cookie })).cookie).toBe("");
    await clock.advance(LIMITS.uiSessionMs / 2);
    const renewed = (await send(rig, "GET", "/ui/session", { cookie })).cookie;
    await clock.advance(LIMITS.uiSessionMs / 2 + 1_000);
    expect((await send(rig, "GET", "/processes", { cookie })).code).toBe("auth.token");
    expect((await send(rig, "GET", "/processes", { cookie: renewed })).status).toBe(200);
  });

  test("a wrong token, a forged cookie and a code in its place are refused, and refusals are counted", async () => {
    const rig = await start();
    expect((await send(rig, "POST", "/ui/session", own(rig), { token: "eve's" })).code).toBe("auth.token");
    const [name = ""] = (await logIn(rig)).split("=");
    const { body } = await send(rig, "POST", "/ui/codes", { authorization: "Bearer ada's" }, {});
    const { code } = body as { readonly code: string };
    for (const forged of ["", "x", "eyJhbGciOiJub25lIn0.e30.", code])
      expect((await send(rig, "GET", "/processes", { cookie: `${name}=${forged}` })).code).toBe("auth.token");
    const answers = await Promise.all(
      Array.from({ length: LIMITS.refusalsPerSecondMax + 1 }, () => send(rig, "POST", "/ui/session", own(rig), { token: "eve's" })),
    );
    expect(answers.map(({ code: told }) => told)).toContain("auth.too-many");
  });

  test("a host without tokens needs none", async () => {
    const rig = await startRig({ dashboard: folder });
    rigs.push(rig);
    expect((await send(rig, "GET", "/ui/session")).body).toMatchObject({ loggedIn: true, open: true });
    expect((await send(rig, "POST", "/ui/codes", {}, {})).body).toEqual({ code: "" });
  });
});

describe("a code", () => {
  const codeFor = async (rig: HttpRig): Promise<string> => {
    const { body } = await send(rig, "POST", "/ui/codes", { authorization: "Bearer ada's" }, {});
    return (body as { readonly code: string }).code;
  };

  test("logs in once, as the token that asked for it", async () => {
    const rig = await start();
    const code = await codeFor(rig);
    const { status, cookie } = await send(rig, "POST", "/ui/session", own(rig), { code });
    expect(status).toBe(201);
    expect((await send(rig, "GET", "/ui/session", { cookie })).body).toMatchObject({ subject: "ada" });
    expect((await send(rig, "POST", "/ui/session", own(rig), { code })).code).toBe("auth.token");
  });

  test("is over after a minute, and is given to no one without a token", async () => {
    const rig = await start();
    const code = await codeFor(rig);
    await clock.advance(LIMITS.uiCodeMs + 1_000);
    expect((await send(rig, "POST", "/ui/session", own(rig), { code })).code).toBe("auth.token");
    expect((await send(rig, "POST", "/ui/codes", {}, {})).code).toBe("auth.token");
    const cookie = await logIn(rig);
    expect((await send(rig, "POST", "/ui/codes", { cookie, ...own(rig) }, {})).code).toBe("auth.token");
  });
});

describe("a page of others that makes the browser send the cookie", () => {
  const TASK = { route: "trip", input: 1 };
  const foreign = (rig: HttpRig): readonly (readonly [string, Readonly<Record<string, string>>])[] => {
    const { host, port } = new URL(rig.origin);
    return [
      ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
      ["another port of this machine", { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" }],
      ["a frame without an origin", { origin: "null" }],
      ["a browser that names no origin", { "sec-fetch-site": "cross-site" }],
      ["no origin at all", {}],
      ["a rebound name", { host: `evil.example:${port}`, origin: `http://evil.example:${port}`, "sec-fetch-site": "same-origin" }],
      ["a name that only begins alike", { host, origin: `${rig.origin}.evil.example` }],
    ];
  };

  test("submits nothing, cancels nothing, and reads nothing of another site", async () => {
    const rig = await start();
    const cookie = await logIn(rig, TOKEN);
    for (const [who, headers] of foreign(rig)) {
      for (const [path, body] of [
        ["/tasks", TASK],
        ["/processes/p/cancel", {}],
        ["/ui/session", { token: "ada's" }],
      ] as const) {
        if (who === "no origin at all" && path === "/ui/session") continue;
        const answer = await send(rig, "POST", path, { cookie, ...headers }, body);
        expect([who, path, answer.code]).toEqual([who, path, expect.stringMatching(/^(origin\.foreign|host\.unknown)$/)]);
      }
      if (who === "no origin at all") continue;
      const read = await send(rig, "GET", "/processes", { cookie, ...headers });
      expect([who, read.code]).toEqual([who, expect.stringMatching(/^(origin\.foreign|host\.unknown)$/)]);
    }
    expect(rig.seen.submitted).toEqual([]);
  });

  test("a form is no JSON, also from this origin", async () => {
    const rig = await start();
    const cookie = await logIn(rig, TOKEN);
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]) {
      const headers = { cookie, ...own(rig), "content-type": type };
      expect((await send(rig, "POST", "/tasks", headers, JSON.stringify(TASK))).code).toBe("body.invalid");
      expect((await send(rig, "POST", "/ui/session", headers, JSON.stringify({ token: "ada's" }))).code).toBe("body.invalid");
    }
    expect(rig.seen.submitted).toEqual([]);
  });

  test("the paths of the actors take no cookie", async () => {
    const rig = await start();
    const cookie = await logIn(rig, TOKEN);
    const answer = await send(rig, "PUT", "/actors/party.Planner/p/method/receive", { cookie, ...own(rig) }, {});
    expect([answer.code, rig.seen.received]).toEqual(["auth.token", []]);
  });
});
