/** @module Contents are shown to tokens with the role `content`, and each look is noted before the answer. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { person } from "../../../agents/person.ts";
import { route } from "../../../agents/route.ts";
import { system } from "../../../agents/system.ts";
import type { TokenEntry } from "../../../actors/http/tokens.ts";
import { follow } from "./events.ts";
import { type RealRig, startReal } from "./real-rig.ts";
import { type Answer, ErrorAnswer, type HttpRig, startRig } from "./rig.ts";

const entry = (token: string, more: Omit<TokenEntry, "sha256">): TokenEntry => ({
  sha256: createHash("sha256").update(token).digest("hex"),
  ...more,
});
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe("a route with contents", () => {
  const TOKENS = [
    entry("r-token", { subject: "ann", roles: ["read"] }),
    entry("c-token", { subject: "bob", roles: ["read", "content"] }),
    entry("p-token", { subject: "pat", roles: ["decide"] }),
  ];
  let rig: HttpRig;
  beforeEach(async () => {
    rig = await startRig({ appToken: "app-token-of-the-rig", tokens: TOKENS });
  });
  afterEach(async () => rig.host.drain());

  test.each([
    ["/processes/p", "process p"],
    ["/processes/p/stops", "process p"],
    ["/deadletters/p:1", "deadletter p:1"],
    ["/inbox/p.r1", "request p.r1"],
    ["/memory/key.Desk.ann", "memory key.Desk.ann"],
  ])("%s hides contents from a token without the role, and notes the look of one with it", async (path, noted) => {
    const hidden = await rig.call("GET", path, undefined, bearer("r-token"));
    expect([hidden.status, hidden.text.includes('"hidden":true')]).toEqual([200, true]);
    expect(rig.seen.looks).toEqual([]);
    const shown = await rig.call("GET", path, undefined, bearer("c-token"));
    expect([shown.status, shown.text.includes('"hidden"')]).toEqual([200, false]);
    expect(rig.seen.looks).toEqual([`bob ${noted}`]);
    // A second look within minutes is the same line.
    await rig.call("GET", path, undefined, bearer("c-token"));
    expect(rig.seen.looks).toEqual([`bob ${noted}`]);
  });

  test("both processes of a comparison are noted", async () => {
    expect((await rig.call("GET", "/processes/p/diff/q", undefined, bearer("c-token"))).status).toBe(200);
    expect(rig.seen.looks).toEqual(["bob process p", "bob process q"]);
  });

  test("who vouches for a fact without the role gets no content back", async () => {
    const body = { id: "f1", reason: "seen" };
    const answer = await rig.call("POST", "/memory/key.Desk.ann/promote", body, bearer("p-token"));
    expect([answer.status, (answer.json as { readonly hidden?: boolean }).hidden]).toEqual([200, true]);
    expect(answer.json).not.toHaveProperty("value");
  });

  test("nothing is shown where a look cannot be noted", async () => {
    rig.behaviour.looked = async () => {
      throw new Error("the audit is away");
    };
    for (const path of ["/processes/p/stops", "/processes/p/events"]) {
      const answer = await rig.call("GET", path, undefined, bearer("c-token"));
      expect([path, answer.status, ErrorAnswer.parse(answer.json).error.code]).toEqual([path, 503, "audit.unavailable"]);
    }
  });
});

describe("a process that asks people", () => {
  const SECRET = "the-secret-of-the-task";
  const Text = z.object({ text: z.string() });
  const Boss = person("Boss", { input: Text, roles: ["boss"], deadlineMs: 60_000, onExpiry: "deny" });
  const trip = route("trip", 1, Text)
    .to("ok", Boss, ({ task }) => task)
    .output(({ ok }) => ok);
  const TOKENS = [
    entry("submitter", { subject: "ann", roles: ["submit", "read"] }),
    entry("tenant", { subject: "ann", tenant: "acme", roles: ["submit", "read"] }),
    entry("reader", { subject: "rob", roles: ["read"] }),
    entry("looker", { subject: "bob", roles: ["read", "content"] }),
    entry("boss", { subject: "cyd", roles: ["read", "decide"], personRoles: ["boss"] }),
    entry("clerk", { subject: "dan", roles: ["read", "decide"], personRoles: ["clerk"] }),
  ];
  let rig: RealRig;
  const as = (token: string, path: string): Promise<Answer> => rig.call("GET", path, undefined, bearer(token));
  const seesSecret = async (token: string, path: string): Promise<boolean> => (await as(token, path)).text.includes(SECRET);

  beforeEach(async () => {
    rig = await startReal({ appToken: "app", tokens: TOKENS }, system("shop", { agents: [Boss], routes: [trip] }));
    for (const token of ["submitter", "tenant"])
      await rig.call("POST", "/tasks", { id: "one", route: "trip", input: { text: SECRET } }, bearer(token));
    await vi.waitFor(async () => {
      for (const token of ["submitter", "tenant"]) expect((await as(token, "/processes/one")).text).toContain('"requests"');
    });
  });
  afterEach(async () => rig.stop());

  test("shows what is asked to those who may decide it, to its submitter, and to the role `content`", async () => {
    expect(await seesSecret("boss", "/inbox/one.r1")).toBe(true);
    expect(await seesSecret("looker", "/inbox/one.r1")).toBe(true);
    expect(await seesSecret("clerk", "/inbox/one.r1")).toBe(false);
    expect(await seesSecret("reader", "/inbox/one.r1")).toBe(false);
    expect(await seesSecret("submitter", "/processes/one")).toBe(true);
    expect(await seesSecret("looker", "/processes/one")).toBe(true);
  });

  test("shows no content to others on any route of the role `read`", async () => {
    const paths = ["", "/one", "/one/stops", "/one/history", "/one/timeline", "/one/cassette"].map((path) => `/processes${path}`);
    for (const path of [...paths, "/inbox", "/inbox/one.r1", "/audit", "/overview", "/costs", "/digest", "/drift", "/agents", "/system"]) {
      const { status, text } = await as("reader", path);
      expect([path, status, text.includes(SECRET)]).toEqual([path, 200, false]);
    }
    const views = await rig.call("POST", "/processes/one/cancel", {}, bearer("app"));
    expect(views.status).toBe(202);
    expect(JSON.stringify(await (await follow(`${rig.origin}/processes/one/events`, bearer("reader"))).rest())).not.toContain(SECRET);
  });

  test("an export has contents for those who may see them, where they are asked for", async () => {
    expect((await as("looker", "/processes/one/cassette")).json).toMatchObject({ redacted: true });
    expect(await seesSecret("looker", "/processes/one/cassette")).toBe(false);
    expect(await seesSecret("looker", "/processes/one/cassette?contents=true")).toBe(true);
    const refused = await as("reader", "/processes/one/cassette?contents=true");
    expect([refused.status, ErrorAnswer.parse(refused.json).error.code]).toEqual([403, "auth.role"]);
  });

  test("a subject of a tenant is not the subject of that name without one", async () => {
    const [of = ""] = z
      .object({ entries: z.array(z.object({ id: z.string() })) })
      .parse((await as("reader", "/processes")).json)
      .entries.map(({ id }) => id)
      .filter((id) => id !== "one");
    expect(of).toMatch(/^t-/);
    expect(await seesSecret("tenant", "/processes/one")).toBe(true);
    expect(await seesSecret("submitter", `/processes/${of}`)).toBe(false);
  });

  test("each look is a line of the audit that names who looked at what", async () => {
    await as("looker", "/processes/one/stops");
    await as("boss", "/inbox/one.r1");
    await vi.waitFor(async () => {
      const { json } = await as("reader", "/audit?what=looked%20at%20content");
      const lines = z.object({ entries: z.array(z.object({ who: z.string(), target: z.string() })) }).parse(json).entries;
      expect(lines.map(({ who, target }) => `${who} ${target}`).sort()).toEqual(["bob one", "cyd one.r1"]);
    });
    // The words that lists show are found too.
    const { json } = await as("reader", "/audit?what=looked%20at%20content%20of%20a%20process");
    expect(json).toMatchObject({ entries: [{ who: "bob", target: "one" }] });
  });
});
