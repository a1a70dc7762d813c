/** @module Releases over HTTP and by command: who sees them, who stops one, with a line of the audit. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system } from "../../../agents/index.ts";
import { releasesText } from "../../../cli/commands/releases.ts";
import { connect } from "../../../client/index.ts";
import { type RealRig, startReal } from "./real-rig.ts";
import type { Answer } from "./rig.ts";

const TOKENS = [
  ["reader", undefined, ["read"]],
  ["operator", undefined, ["read", "operate"]],
  ["acme", "acme", ["read", "operate"]],
] as const;

const In = z.object({ n: z.int() });
const Thinker = contract("Thinker", 1, { input: In, output: z.string() });
const desk = system("desk", {
  agents: [agent(Thinker, model({ instructions: { v1: "Think.", v2: "Hurry." }, prompt: "v1" }))],
  routes: [
    route("main", 1, In)
      .to("think", Thinker, ({ task }) => task)
      .output(({ think }) => think),
  ],
  models: { default: openai({ model: "m", baseUrl: "http://127.0.0.1:1/v1" }) },
});
const releases = { Thinker: { canary: { version: { prompt: "v2" }, share: 0.1, stop: [{ of: "failed", above: 0.2 }] } } };

let rig: RealRig;

beforeAll(async () => {
  const tokens = TOKENS.map(([name, tenant, roles]) => ({
    sha256: createHash("sha256").update(name).digest("hex"),
    subject: `${name}-user`,
    ...(tenant === undefined ? {} : { tenant }),
    roles: [...roles],
  }));
  const source = {
    from: "file",
    place: "r.yaml",
    read: async () => JSON.stringify(releases),
    parse: (text: string): unknown => JSON.parse(text),
  } as const;
  rig = await startReal({ appToken: "the-app", tokens }, desk, undefined, source);
});
afterAll(async () => rig.stop());

function as(name: (typeof TOKENS)[number][0], method: string, path: string, body?: unknown): Promise<Answer> {
  return rig.call(method, path, body, { authorization: `Bearer ${name}` });
}

test("who may read sees them, with what was counted; who may not operate stops none", async () => {
  expect((await as("reader", "GET", "/releases")).json).toMatchObject({
    releases: [
      {
        ...{ agent: "Thinker", prompts: ["v1", "v2"], from: "file", canary: "in force", broken: [] },
        release: { stable: {}, canary: { share: 0.1, automatic: true, stop: [{ than: "number", processesMin: 20 }] } },
        counts: [
          { part: "stable", version: "v1/default", processes: 0, of: {} },
          { part: "canary", version: "v2/default", processes: 0, of: {} },
        ],
      },
    ],
  });
  expect(await as("reader", "POST", "/releases/Thinker/stop", { reason: "no" })).toMatchObject({ status: 403 });
});

test("they are of the whole system: a token of a tenant sees and stops none", async () => {
  expect(await as("acme", "GET", "/releases")).toMatchObject({ status: 403, json: { error: { code: "auth.role" } } });
  expect(await as("acme", "POST", "/releases/Thinker/stop", { reason: "no" })).toMatchObject({ status: 403 });
});

test("a stop needs a reason and an agent with a canary", async () => {
  expect(await as("operator", "POST", "/releases/Thinker/stop", {})).toMatchObject({
    status: 400,
    json: { error: { code: "body.invalid" } },
  });
  expect(await as("operator", "POST", "/releases/Other/stop", { reason: "no" })).toMatchObject({
    status: 404,
    json: { error: { code: "release.unknown" } },
  });
});

test("the client stops one: it is in the audit, and a second stop changes nothing", async () => {
  const client = connect({ url: rig.origin, token: "operator" });
  const stopped = { by: "operator-user", why: "too many repairs" };
  expect(await client.stopRelease("Thinker", { reason: "too many repairs" })).toMatchObject({ canary: "stopped", stopped });
  expect(await client.stopRelease("Thinker", { reason: "again" })).toMatchObject({ stopped });
  expect((await as("operator", "GET", "/audit")).json).toMatchObject({
    entries: [{ what: "canary stopped", target: "Thinker", who: "operator-user", why: "too many repairs" }],
  });
  const { releases: shown } = await client.releases();
  const text = releasesText(shown, shown[0]?.stopped?.atMs ?? 0);
  expect(text.split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual([
    ["agent", "part", "version", "share", "state", "processes", "counted"],
    ["Thinker", "stable", "v1/default", "100 %", "0"],
    ["canary", "v2/default", "0 %", "stopped", "0"],
    [expect.stringMatching(/^Thinker: stopped .* by operator-user: too many repairs$/)],
  ]);
});
