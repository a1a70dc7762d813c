/** @module Tokens with roles: their identity, their permissions, and the limit on requests without a valid one. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL_ROUTES } from "../../../actors/http/routes.ts";
import { parseTokens, ROLES, type Role, type TokenEntry } from "../../../actors/http/tokens.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { HandClock } from "../engine-rig.ts";
import { ErrorAnswer, startRig, TOKEN, type Answer, type HttpRig } from "./rig.ts";
import { RULE } from "./people-fixtures.ts";

const sha256 = (token: string): string => createHash("sha256").update(token).digest("hex");
const entry = (role: Role): TokenEntry => ({ sha256: sha256(`${role}-token`), subject: `${role}-er`, roles: [role] });
const ADA: TokenEntry = { sha256: sha256("ada's"), subject: "ada", tenant: "acme", roles: ["submit", "read"], permissions: ["book"] };
const BOB: TokenEntry = { sha256: sha256("bob's"), subject: "bob", roles: ["decide"], personRoles: ["manager", "buyer"] };
const TOKENS = [...ROLES.map(entry), ADA, BOB];
/** Routes that need a caller with a name, where tokens have names. */
const NAMED: readonly string[] = ["decideRequest", "revokeRule"];
const DECISION = { do: "deny", hash: "0".repeat(64), reason: "too dear" } as const;
const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

const codeOf = (answer: Answer): string => ErrorAnswer.parse(answer.json).error.code;

describe("roles", () => {
  let rig: HttpRig;
  beforeEach(async () => {
    rig = await startRig({ appToken: TOKEN, tokens: TOKENS });
  });
  afterEach(async () => rig.host.drain());

  const BODIES: Readonly<Record<string, unknown>> = {
    submitTask: { route: "trip", input: 1 },
    discardDeadLetter: { reason: "r" },
    stopRelease: { reason: "r" },
    terminateProcess: { reason: "r" },
    decideDeadLetters: { ids: ["p:1"], what: "discard", reason: "r" },
    forkProcess: { at: "start" },
    setAside: { actor: "Audit/a", reason: "r" },
    decideRequest: DECISION,
    forgetFact: { id: "f1" },
    promoteFact: { id: "f1", reason: "r" },
  };
  const routes = ALL_ROUTES.filter(([, { role }]) => role !== "open").map(
    ([name, { method, path, role, also }]) =>
      [
        name,
        method.toUpperCase(),
        path.replace("{id}", "p").replace("{memory}", "key.Desk.ann").replace("{work}", "p:1:a:0:1").replace("{other}", "q"),
        role,
        also,
      ] as const,
  );

  test.each(routes)("%s: only the required role is accepted", async (name, method, path, role, also) => {
    const body = method === "POST" ? (BODIES[name] ?? {}) : undefined;
    // A stream would stay open; its headers are enough.
    const how = name === "followProcess" || name === "followChanges" ? "HEAD" : method;
    const asked = path
      .replace(/^\/deadletters\/p(?=\/|$)/, "/deadletters/p:1")
      .replace("/inbox/p", "/inbox/p.r1")
      .replace("/rules/p", `/rules/${RULE.id}`);
    for (const held of ROLES) {
      const answer = await rig.call(how, asked, body, bearer(`${held}-token`));
      if (also !== undefined) expect([held, answer.status]).toEqual([held, 403]);
      else if (role === undefined || held === role) expect([held, answer.status < 300, answer.text]).toEqual([held, true, answer.text]);
      else {
        expect([held, answer.status]).toEqual([held, 403]);
        if (how !== "HEAD") expect([codeOf(answer), answer.text.includes(`the role ${role}`)]).toEqual(["auth.role", true]);
      }
    }
    const ofApp = await rig.call(how, asked, body, bearer(TOKEN));
    if (NAMED.includes(name)) expect(codeOf(ofApp)).toBe("person.forbidden");
    else expect(ofApp.status).toBeLessThan(300);
  });

  test("a decision on a request is made by the person of the token, with its roles as a person; the app's token names none", async () => {
    expect((await rig.call("POST", "/inbox/p.r1/decision", DECISION, bearer("bob's"))).status).toBe(202);
    expect(rig.seen.events).toEqual([`decide p.r1 ${JSON.stringify(DECISION)} bob manager+buyer`]);
    await rig.host.drain();
    rig = await startRig({ appToken: TOKEN });
    expect((await rig.call("POST", "/inbox/p.r1/decision", DECISION, bearer(TOKEN))).status).toBe(202);
    await rig.host.drain();
    rig = await startRig();
    expect((await rig.call("POST", "/inbox/p.r1/decision", DECISION)).status).toBe(202);
    expect(rig.seen.events).toEqual([expect.stringMatching(/ anonymous $/)]);
  });

  test("the principal is the token's, independent of the rest of the request", async () => {
    await rig.call("POST", "/tasks", { route: "trip", input: 1 }, { ...bearer("ada's"), "x-user": "root", "dapr-api-token": TOKEN });
    await rig.call("POST", "/tasks", { route: "trip", input: 1 }, bearer("submit-token"));
    await rig.call("POST", "/tasks", { route: "trip", input: 1 }, { "dapr-api-token": TOKEN });
    expect(rig.seen.submitted.map(({ caller }) => caller.principal)).toEqual([
      { subject: "ada", tenant: "acme", permissions: ["book"] },
      { subject: "submit-er", tenant: "default", permissions: [] },
      { subject: "app-token", tenant: "default", permissions: [] },
    ]);
  });

  test("a wrong bearer token is refused even with the sidecar's own header", async () => {
    expect(codeOf(await rig.call("GET", "/graph", undefined, { ...bearer("wrong"), "dapr-api-token": TOKEN }))).toBe("auth.token");
  });

  test("a user's token opens none of the sidecar's paths", async () => {
    for (const [method, path] of [
      ["GET", "/dapr/config"],
      ["PUT", "/actors/party.Planner/p/method/receive"],
      ["POST", "/topics/tasks"],
    ] as const) {
      for (const headers of [bearer("ada's"), { "dapr-api-token": "ada's" }])
        expect(codeOf(await rig.call(method, path, method === "GET" ? undefined : {}, headers))).toBe("auth.token");
    }
    expect([rig.seen.received, rig.seen.submitted]).toEqual([[], []]);
  });

  test("the role is checked before the body is read", async () => {
    expect(codeOf(await rig.call("POST", "/tasks", "{", bearer("read-token")))).toBe("auth.role");
  });
});

test("tokens without an app token do not start: the actors' own paths would be unprotected", async () => {
  await expect(startRig({ tokens: TOKENS })).rejects.toMatchObject({ code: "tokens.invalid" });
});

test("without tokens every client may do everything", async () => {
  const rig = await startRig();
  expect((await rig.call("POST", "/purge", {}, bearer("anything"))).status).toBe(200);
  expect(rig.seen.events).toEqual(["purge {} anonymous"]);
  await rig.host.drain();
});

test("refusals are limited per second, and requests with a valid token are not delayed", async () => {
  const clock = new HandClock();
  const rig = await startRig({ appToken: TOKEN, clock });
  for (let asked = 0; asked < LIMITS.refusalsPerSecondMax; asked += 1) expect((await rig.call("GET", "/graph")).status).toBe(401);
  const held = await rig.call("GET", "/graph", undefined, bearer("wrong"));
  expect([held.status, codeOf(held), Number(held.headers.get("retry-after")) > 0, held.headers.get("connection")]).toEqual([
    429,
    "auth.too-many",
    true,
    "close",
  ]);
  expect((await rig.call("GET", "/graph", undefined, bearer(TOKEN))).status).toBe(200);
  await clock.advance(1_000);
  expect((await rig.call("GET", "/graph")).status).toBe(401);
  await rig.host.drain();
});

test("a long body without a token is not read to its end", async () => {
  const rig = await startRig({ appToken: TOKEN });
  const answer = await rig.call("POST", "/tasks", "x".repeat(100_000)).catch(() => undefined);
  // The connection is closed; whether the answer still arrives is the network's affair.
  if (answer !== undefined) expect([answer.status, answer.headers.get("connection")]).toEqual([401, "close"]);
  expect(rig.seen.submitted).toEqual([]);
  await rig.host.drain();
});

describe("the file", () => {
  const good = JSON.stringify([ADA]);
  test("is read, also with a byte order mark", () => {
    expect(parseTokens(good)).toEqual([ADA]);
    expect(parseTokens(`\uFEFF${good}`)).toEqual([ADA]);
  });

  test.each([
    ["no JSON", "secret{", "not JSON"],
    ["no list", JSON.stringify(ADA), "expected array, found an object"],
    ["an empty list", "[]", "expected array to have >=1 items"],
    ["an unknown key", JSON.stringify([{ ...ADA, role: "read" }]), "[0].role"],
    ["a token instead of its digest", JSON.stringify([{ ...ADA, sha256: "ada's" }]), "[0].sha256"],
    ["an unknown role", JSON.stringify([{ ...ADA, roles: ["admin"] }]), "[0].roles"],
    ["no roles", JSON.stringify([{ ...ADA, roles: [] }]), "[0].roles"],
    ["no subject", JSON.stringify([{ ...ADA, subject: "" }]), "[0].subject"],
    ["one token twice", JSON.stringify([ADA, { ...ADA, subject: "eve" }]), "1.sha256"],
    ["too many", JSON.stringify(Array.from({ length: LIMITS.tokensMax + 1 }, () => ADA)), "expected array to have <=1024 items"],
  ])("%s is refused with its place", (_name, text, mentions) => {
    expect(() => parseTokens(text)).toThrow(
      expect.objectContaining({ code: "tokens.invalid", message: expect.stringContaining(mentions) }),
    );
    try {
      parseTokens(text);
    } catch (error) {
      expect(String(error)).not.toContain("secret");
    }
  });
});
