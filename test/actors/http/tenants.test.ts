/** @module Tokens of tenants: each sees and changes only what its own tokens submitted; what is of others is unknown. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../../agents/agent.ts";
import { contract } from "../../../agents/contract.ts";
import { route } from "../../../agents/route.ts";
import { system } from "../../../agents/system.ts";
import { childProcessId, insideId } from "../../../runtime/ids.ts";
import { follow } from "./events.ts";
import { startReal, type RealRig } from "./real-rig.ts";
import { ErrorAnswer, type Answer } from "./rig.ts";

const APP = "the-app";
const ROLES = ["submit", "read", "operate", "decide"] as const;
const TOKENS = [
  ["acme", "acme"],
  ["globex", "globex"],
  ["home", "default"],
  ["operator", undefined],
] as const;

let rig: RealRig;

const Text = z.object({ text: z.string() });
const Echo = contract("Echo", 1, { input: Text, output: Text });
const echo = agent(Echo, {
  handle: async (input) => {
    if (input.text === "bad") throw new Error("it broke");
    return input;
  },
});
const inner = route("inner", 1, Text)
  .to("say", Echo, ({ task }) => task)
  .output(({ say }) => say);
const outer = route("outer", 1, Text)
  .to("nested", inner, ({ task }) => task)
  .output(({ nested }) => nested);
const waiting = route("waiting", 1, Text)
  .waitFor("go", Text)
  .output(({ go }) => go);

beforeAll(async () => {
  const entries = TOKENS.map(([name, tenant]) => ({
    sha256: createHash("sha256").update(name).digest("hex"),
    subject: `${name}-user`,
    ...(tenant === undefined ? {} : { tenant }),
    roles: [...ROLES],
  }));
  rig = await startReal({ appToken: APP, tokens: entries }, system("shop", { agents: [echo], routes: [inner, outer, waiting] }));
});
afterAll(async () => rig.stop());

type Name = (typeof TOKENS)[number][0];

function as(name: Name, method: string, path: string, body?: unknown): Promise<Answer> {
  return rig.call(method, path, body, { authorization: `Bearer ${name}` });
}

function run(name: Name, id: string | undefined, text: string, path = "outer"): Promise<Answer> {
  const waitMs = path === "waiting" ? 0 : 10_000;
  return as(name, "POST", `/tasks?waitMs=${waitMs}`, { ...(id === undefined ? {} : { id }), route: path, input: { text } });
}

const Entries = z.object({ entries: z.array(z.looseObject({ id: z.string() })) });

async function idsOf(name: Name, path: string): Promise<readonly string[]> {
  return Entries.parse((await as(name, "GET", path)).json).entries.map(({ id }) => id);
}

function codeOf(answer: Answer): string {
  return ErrorAnswer.parse(answer.json).error.code;
}

describe("one id of several tenants", () => {
  beforeAll(async () => {
    for (const name of ["acme", "globex", "home"] as const) {
      expect((await run(name, "order-1", name)).json).toMatchObject({ id: "order-1", status: "completed", output: { text: name } });
      expect((await run(name, "letter-1", "bad")).json).toMatchObject({ id: "letter-1", status: "failed" });
    }
  });

  test("is a process of each, with its own outcome", async () => {
    for (const name of ["acme", "globex", "home"] as const) {
      const answer = await as(name, "GET", "/processes/order-1");
      expect(answer.json).toMatchObject({ id: "order-1", by: `${name}-user`, outcome: { output: { text: name } } });
      // The same id with the same input is the same process still.
      expect((await run(name, "order-1", name)).json).toMatchObject({ id: "order-1", output: { text: name } });
      expect(codeOf(await run(name, "order-1", "other"))).toBe("process.conflict");
    }
  });

  test("is what each lists, reads, follows and decides", async () => {
    const nested = { acme: 0, globex: 0, home: 0 };
    for (const name of ["acme", "globex", "home"] as const) {
      const listed = await idsOf(name, "/processes");
      nested[name] = listed.length;
      expect(listed.filter((id) => !id.startsWith("child-")).toSorted()).toEqual(["letter-1", "order-1"]);
      // The nested route, under the id that it lists.
      for (const id of listed) expect((await as(name, "GET", `/processes/${id}`)).json).toMatchObject({ id });
      for (const path of ["stops", "history"]) expect((await as(name, "GET", `/processes/order-1/${path}`)).status).toBe(200);
      const reader = await follow(`${rig.origin}/processes/order-1/events`, { authorization: `Bearer ${name}` });
      expect((await reader.rest()).at(-1)).toMatchObject({ name: "outcome", data: { output: { text: name } } });
      expect((await idsOf(name, "/deadletters")).toSorted()).toEqual(expect.arrayContaining(["letter-1:1"]));
      expect((await as(name, "GET", "/deadletters/letter-1%3A1")).json).toMatchObject({ id: "letter-1:1", processId: "letter-1" });
    }
    expect(nested).toEqual({ acme: 4, globex: 4, home: 4 });
    expect((await as("acme", "POST", "/deadletters/letter-1%3A1/discard", { reason: "no" })).json).toMatchObject({ id: "letter-1:1" });
    expect(await idsOf("acme", "/deadletters?decided=true")).toEqual(["letter-1:1"]);
    expect(await idsOf("globex", "/deadletters?decided=true")).toEqual([]);
    await expect.poll(async () => idsOf("acme", "/audit")).toHaveLength(1);
    expect(await idsOf("globex", "/audit")).toEqual([]);
  });

  test("is seen by an operator under ids that tell them apart, with the tenant", async () => {
    const { entries } = Entries.parse((await as("operator", "GET", "/processes?route=outer")).json);
    expect(entries.filter(({ id }) => id.endsWith("order-1")).map(({ id, tenant }) => [id, tenant])).toEqual(
      expect.arrayContaining([
        [insideId("order-1", "acme"), "acme"],
        [insideId("order-1", "globex"), "globex"],
        ["order-1", undefined],
      ]),
    );
    const id = insideId("order-1", "acme");
    expect((await as("operator", "GET", `/processes/${id}`)).json).toMatchObject({ id, by: "acme-user" });
  });
});

test("an id without a given one is the tenant's too", async () => {
  const { id } = z.object({ id: z.string() }).parse((await run("acme", undefined, "made")).json);
  expect((await as("acme", "GET", `/processes/${id}`)).status).toBe(200);
  expect(codeOf(await as("globex", "GET", `/processes/${id}`))).toBe("process.unknown");
});

test("what is of another tenant is unknown, for every request", async () => {
  await run("globex", "secret", "x", "waiting");
  await run("globex", "secret-letter", "bad");
  const ids = (id: string): readonly string[] => [id, insideId(id, "globex")];
  for (const name of ["acme", "home"] as const) {
    for (const id of ids("secret")) {
      for (const path of ["", "/stops", "/history", "/events"])
        expect([path, codeOf(await as(name, "GET", `/processes/${id}${path}`))]).toEqual([path, "process.unknown"]);
      expect(codeOf(await as(name, "POST", `/processes/${id}/cancel`, {}))).toBe("process.unknown");
      expect(codeOf(await as(name, "POST", `/processes/${id}/signals/go`, { payload: { text: "x" } }))).toBe("process.unknown");
    }
    for (const id of ids("secret-letter:1")) {
      expect(codeOf(await as(name, "GET", `/deadletters/${id}`))).toBe("deadletter.unknown");
      for (const [what, body] of [
        ["redrive", {}],
        ["discard", { reason: "r" }],
      ] as const)
        expect(["deadletter.unknown", "process.unknown"]).toContain(codeOf(await as(name, "POST", `/deadletters/${id}/${what}`, body)));
    }
    expect(codeOf(await as(name, "POST", "/purge", {}))).toBe("auth.role");
  }
  expect((await as("globex", "GET", "/processes/secret")).json).toMatchObject({ phase: "open" });
  expect((await as("globex", "POST", "/processes/secret/signals/go", { payload: { text: "x" } })).json).toMatchObject({ id: "secret" });
});

describe("ids that the system gives", () => {
  test("are refused from outside", async () => {
    for (const id of [
      childProcessId("victim:1:nested:0:1:1"),
      insideId("order-1", "acme"),
      `${insideId("", "acme")}${childProcessId("w")}`,
    ])
      for (const name of ["acme", "operator"] as const) expect([id, codeOf(await run(name, id, "mine"))]).toEqual([id, "id.invalid"]);
  });

  test("an id that only looks like one is free", async () => {
    for (const id of ["child-care", "t-shirt.1"]) expect((await run("acme", id, "free")).json).toMatchObject({ status: "completed" });
  });
});
