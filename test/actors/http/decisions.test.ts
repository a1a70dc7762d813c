/** @module Decisions of people on the topic: made by who a signed claim names, and by no one else. */
import { SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decisionKey, MessageKeys } from "../../../actors/engine/signatures.ts";
import { Fault } from "../../../runtime/faults.ts";
import { event, startRig, type HttpRig } from "./rig.ts";

const KEY = "a message key of the system, of 32 characters or more";
const OLD_KEY = "the message key that the system had before this one";
const DECISION = { do: "approve", hash: "0".repeat(64) } as const;
const NOW_S = Math.floor(Date.now() / 1_000);
const CLAIMS = { sub: "ann", roles: ["manager"], exp: NOW_S + 60, request: "p.r1", decision: DECISION };

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig({ keys: new MessageKeys([KEY, OLD_KEY]) });
});
afterEach(async () => rig.host.drain());

function sign(claims: object, key = decisionKey(KEY), alg = "HS256"): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));
}

async function publish(data: unknown): Promise<unknown> {
  return (await rig.call("POST", "/topics/decisions", event(data))).json;
}

test("a claim that is signed with the decision key of the system names who decides, also with an older key", async () => {
  expect(await publish({ token: await sign(CLAIMS) })).toEqual({ status: "SUCCESS" });
  expect(await publish({ token: await sign({ ...CLAIMS, sub: "bob" }, decisionKey(OLD_KEY)) })).toEqual({ status: "SUCCESS" });
  expect(rig.seen.events).toEqual([
    `decide p.r1 ${JSON.stringify(DECISION)} ann manager`,
    `decide p.r1 ${JSON.stringify(DECISION)} bob manager`,
  ]);
  expect(rig.seen.invalid).toEqual([]);
});

test("a claim with a tenant decides on requests of that tenant alone", async () => {
  await publish({ token: await sign({ ...CLAIMS, tenant: "acme" }) });
  expect(rig.seen.events).toEqual([expect.stringMatching(/^decide t-[0-9a-f]{16}\.p\.r1 /)]);
});

test.each([
  ["without a token", async () => ({ request: "p.r1", decision: DECISION }), "message.invalid"],
  ["with a token that is none", async () => ({ token: "x" }), "message.invalid"],
  ["signed with the message key itself", async () => ({ token: await sign(CLAIMS, KEY) }), "message.signature"],
  ["signed with another algorithm", async () => ({ token: await sign(CLAIMS, decisionKey(KEY), "HS512") }), "message.invalid"],
  ["that is not signed", async () => ({ token: new UnsecuredJWT({ ...CLAIMS }).encode() }), "message.invalid"],
  ["that has expired", async () => ({ token: await sign({ ...CLAIMS, exp: NOW_S - 60 }) }), "message.expired"],
  ["that does not expire", async () => ({ token: await sign({ ...CLAIMS, exp: undefined }) }), "message.invalid"],
  ["in the name of no one", async () => ({ token: await sign({ ...CLAIMS, sub: "anonymous" }) }), "message.invalid"],
  ["with more than a decision", async () => ({ token: await sign({ ...CLAIMS, permissions: ["pay"] }) }), "message.invalid"],
] as const)("a decision %s is refused and kept as an invalid message", async (_what, data, code) => {
  expect(await publish(await data())).toEqual({ status: "SUCCESS" });
  expect(rig.seen.events).toEqual([]);
  expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual([code]);
});

test("a host without message keys takes no decision from the topic", async () => {
  await rig.host.drain();
  rig = await startRig();
  await publish({ token: await sign(CLAIMS) });
  expect(rig.seen.events).toEqual([]);
  expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual(["message.signature"]);
});

test("a decision after another one is acknowledged; a refused one is kept; one that was not delivered comes again", async () => {
  const refused = async (code: "person.decided" | "person.forbidden" | "store.unavailable"): Promise<unknown> => {
    rig.behaviour.decide = async () => {
      throw new Fault(code, "no");
    };
    return publish({ token: await sign(CLAIMS) });
  };
  expect(await refused("person.decided")).toEqual({ status: "SUCCESS" });
  expect(rig.seen.invalid).toEqual([]);
  expect(await refused("store.unavailable")).toEqual({ status: "RETRY" });
  expect(await refused("person.forbidden")).toEqual({ status: "SUCCESS" });
  expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual(["person.forbidden"]);
});
