/** @module Memories over HTTP: listed, shown, forgotten, promoted, by roles and tenants, with a line of the audit for each act. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, route, system, tool } from "../../../agents/index.ts";
import { type RealRig, startReal } from "./real-rig.ts";
import type { Answer } from "./rig.ts";

const TOKENS = [
  ["acme", "acme", ["submit", "read", "content", "operate", "decide"]],
  ["globex", "globex", ["submit", "read", "content", "operate", "decide"]],
  ["reader", "acme", ["read", "content"]],
  ["operator", undefined, ["submit", "read", "content", "operate", "decide"]],
] as const;

const In = z.object({ who: z.string(), text: z.string(), outside: z.boolean() });
const Desk = contract("Desk", 1, { input: In, output: z.int(), key: ({ who }) => who });
const page = tool("page", { input: z.string(), output: z.string(), effect: "read", run: (text) => text });
const desk = agent(Desk, {
  memory: { facts: { scope: "key" } },
  tools: [page],
  handle: async ({ text, outside }, ctx) => {
    const value = outside ? await ctx.call(page, text) : text;
    await ctx.memory.remember({ value });
    return (await ctx.memory.recall()).length;
  },
});
const main = route("main", 1, In)
  .to("desk", Desk, ({ task }) => task)
  .output(({ desk: count }) => count);

let rig: RealRig;

beforeAll(async () => {
  const tokens = TOKENS.map(([name, tenant, roles]) => ({
    sha256: createHash("sha256").update(name).digest("hex"),
    subject: `${name}-user`,
    ...(tenant === undefined ? {} : { tenant }),
    roles: [...roles],
  }));
  rig = await startReal({ appToken: "the-app", tokens }, system("shop", { agents: [desk], routes: [main] }));
});
afterAll(async () => rig.stop());

type Name = (typeof TOKENS)[number][0];

function as(name: Name, method: string, path: string, body?: unknown): Promise<Answer> {
  return rig.call(method, path, body, { authorization: `Bearer ${name}` });
}

function tell(name: Name, text: string, outside = false): Promise<Answer> {
  return as(name, "POST", "/tasks?waitMs=10000", { route: "main", input: { who: "ann", text, outside } });
}

const View = z.object({
  id: z.string(),
  facts: z.array(z.looseObject({ id: z.string(), value: z.unknown() })),
  gone: z.array(z.unknown()),
});

async function shown(name: Name, query = ""): Promise<z.infer<typeof View>> {
  return View.parse((await as(name, "GET", `/memory/key.Desk.ann${query}`)).json);
}

describe("law: each tenant has memories of its own", () => {
  test("the same key of two tenants is two memories, and each sees its own under the same name", async () => {
    await tell("acme", "acme's secret");
    await tell("globex", "globex's note");
    for (const name of ["acme", "globex"] as const) expect((await as(name, "GET", "/memory")).json).toEqual({ memories: ["key.Desk.ann"] });
    expect((await shown("acme")).facts.map(({ value }) => value)).toEqual(["acme's secret"]);
    expect((await shown("globex")).facts.map(({ value }) => value)).toEqual(["globex's note"]);
    expect(JSON.stringify((await as("operator", "GET", "/memory")).json)).toMatch(/t-[0-9a-f]{16}\.key\.Desk\.ann/);
    expect(await as("acme", "GET", "/memory/key.Desk.bob")).toMatchObject({ status: 404, json: { error: { code: "memory.unknown" } } });
  });
});

describe("law: a fact is forgotten by who may operate, and vouched for by a person who may decide", () => {
  test("who may only read may not, and a promoted fact keeps its trust", async () => {
    await tell("acme", "told by a page", true);
    const id = (await shown("acme", "?text=page")).facts[0]?.id;
    expect(await as("reader", "POST", "/memory/key.Desk.ann/forget", { id })).toMatchObject({ status: 403 });
    const promoted = await as("acme", "POST", "/memory/key.Desk.ann/promote", { id, reason: "seen" });
    expect(promoted).toMatchObject({ status: 200, json: { trust: "untrusted", promoted: { by: "acme-user", reason: "seen" } } });
  });

  test("what is forgotten is no longer shown, its readers are named, and the audit has a line", async () => {
    const id = (await shown("acme", "?text=secret")).facts[0]?.id;
    const answer = await as("acme", "POST", "/memory/key.Desk.ann/forget", { id, reason: "asked for it" });
    expect(answer).toMatchObject({
      status: 200,
      json: { facts: [{ memory: "key.Desk.ann", id }], readers: [{ agent: "Desk" }, { agent: "Desk" }] },
    });
    expect(JSON.stringify((await shown("acme")).facts)).not.toContain("secret");
    expect((await shown("acme")).gone).toMatchObject([{ id, why: "forgotten", by: "acme-user" }]);
    const audit = JSON.stringify((await as("acme", "GET", "/audit")).json);
    expect(audit).toContain("memory-forget");
    expect(audit).toContain("asked for it");
    expect(audit).toContain("memory-promote");
    expect(await as("acme", "POST", "/memory/key.Desk.ann/forget", { id: "none" })).toMatchObject({
      json: { error: { code: "memory.unknown" } },
    });
  });
});
