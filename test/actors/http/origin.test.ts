/** @module Requests of browsers: only of the own pages and, without tokens, only under a name of this host. */
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { HttpHostOptions } from "../../../actors/http/server.ts";
import { event, message, startRig, TOKEN, type HttpRig } from "./rig.ts";

const TASK = JSON.stringify({ route: "trip", input: 1 });

let rig: HttpRig | undefined;
afterEach(async () => rig?.host.drain());

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends exactly these headers; `fetch` would set its own Host. Returns the status and the fault's code. */
function send(origin: string, { method = "POST", path = "/tasks", body = TASK, headers }: Sent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`${origin}${path}`, { method, headers: { "content-type": "application/json", ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(`${response.statusCode} ${/"code":"([^"]+)"/.exec(text)?.[1] ?? "ok"}`));
    });
    sent.on("error", reject);
    sent.end(method === "GET" ? undefined : body);
  });
}

async function open(options: Partial<HttpHostOptions> = {}): Promise<{ readonly url: string; readonly port: string }> {
  rig = await startRig(options);
  return { url: rig.origin, port: new URL(rig.origin).port };
}

test("without tokens, only requests for loopback and configured names are answered", async () => {
  const { url, port } = await open({ hosts: ["Tasks.example", "other.example:8080"] });
  for (const host of ["127.0.0.1", "127.9.8.7", "localhost", "LOCALHOST", "[::1]", "tasks.example"]) {
    expect([host, await send(url, { headers: { host } })]).toEqual([host, "202 ok"]);
    expect([host, await send(url, { headers: { host: `${host}:${port}` } })]).toEqual([host, "202 ok"]);
  }
  expect(await send(url, { headers: { host: "other.example:8080" } })).toBe("202 ok");
  for (const host of [
    "evil.example",
    "other.example",
    "127.0.0.1.evil.example",
    "localhost.",
    "a@localhost",
    "localhost:1:2",
    "10.0.0.5",
  ]) {
    for (const sent of [{}, { method: "GET", path: "/processes" }, { path: "/topics/tasks", body: JSON.stringify(event({})) }])
      expect([host, await send(url, { ...sent, headers: { host } })]).toEqual([host, "421 host.unknown"]);
    expect(
      await send(url, {
        method: "PUT",
        path: "/actors/party.Planner/p/method/receive",
        body: JSON.stringify(message("m")),
        headers: { host },
      }),
    ).toBe("421 host.unknown");
  }
  expect([rig?.seen.received, rig?.seen.events]).toEqual([[], []]);
});

test("with tokens any name is answered: the token decides", async () => {
  const { url } = await open({ appToken: TOKEN });
  expect(await send(url, { headers: { host: "evil.example" } })).toBe("401 auth.token");
  expect(await send(url, { headers: { host: "tasks.example", authorization: `Bearer ${TOKEN}` } })).toBe("202 ok");
});

test("pages of other origins are refused, also for reading, and also with a token", async () => {
  const { url, port } = await open({ appToken: TOKEN, hosts: ["tasks.example"] });
  const host = `127.0.0.1:${port}`;
  const authorization = `Bearer ${TOKEN}`;
  for (const origin of [`http://${host}`, `https://${host}`, "https://tasks.example"])
    expect([origin, await send(url, { headers: { host, authorization, origin } })]).toEqual([origin, "202 ok"]);
  for (const origin of ["http://evil.example", "null", "", "http://127.0.0.1:1", "http://localhost", `http://a@${host}`, `file://${host}`])
    for (const sent of [{}, { method: "GET", path: "/processes" }, { method: "GET", path: "/dapr/config" }])
      expect([origin, await send(url, { ...sent, headers: { host, authorization, origin } })]).toEqual([origin, "403 origin.foreign"]);
  for (const site of ["cross-site", "same-site"])
    expect(await send(url, { headers: { host, authorization, "sec-fetch-site": site } })).toBe("403 origin.foreign");
  expect(rig?.seen.submitted).toHaveLength(3);
});

test("a request without a body, and a delivery of a topic, must have the content type of JSON too", async () => {
  const { url } = await open();
  const host = "localhost";
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]) {
    for (const path of ["/processes/p/cancel", "/purge", "/deadletters/d/redrive", "/processes/p/signals/go"])
      expect(await send(url, { path, body: "", headers: { host, "content-type": type } })).toBe("400 body.invalid");
    for (const path of ["/topics/tasks", "/topics/signals", "/topics/manager", "/topics/agent/Planner"])
      expect(await send(url, { path, body: JSON.stringify(event(message("m"))), headers: { host, "content-type": type } })).toBe(
        "400 body.invalid",
      );
  }
  expect([rig?.seen.events, rig?.seen.delivered, rig?.seen.submitted, rig?.seen.invalid]).toEqual([[], [], [], []]);
  for (const type of ["application/json", "application/cloudevents+json", "Application/JSON; charset=utf-8"])
    expect(await send(url, { path: "/processes/p/cancel", body: "", headers: { host, "content-type": type } })).toBe("202 ok");
});
