/** @module Standing rules over HTTP: listed and revoked by who may, each in the tenant of its token. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { RULE } from "./people-fixtures.ts";
import { type HttpRig, startRig } from "./rig.ts";

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => rig.host.drain());

test("rules are listed, those that have ended only when asked for", async () => {
  expect((await rig.call("GET", "/rules")).json).toEqual({ entries: [{ ...RULE, by: "default" }] });
  expect((await rig.call("GET", "/rules?all=true")).json).toEqual({ entries: [{ ...RULE, by: "default", state: "revoked" }] });
  expect((await rig.call("GET", "/rules?all=maybe")).status).toBe(400);
});

test("a rule is revoked with a reason, or without one", async () => {
  const { status, json } = await rig.call("POST", `/rules/${RULE.id}/revoke`, { reason: "no longer" });
  expect([status, json]).toEqual([200, { ...RULE, state: "revoked", revoked: { by: "anonymous", atMs: 3, reason: "no longer" } }]);
  expect((await rig.call("POST", `/rules/${RULE.id}/revoke`, {})).status).toBe(200);
  expect((await rig.call("POST", "/rules/mine/revoke", {})).json).toMatchObject({ error: { code: "id.invalid" } });
  expect(rig.seen.events).toEqual([`revoke ${RULE.id} no longer anonymous`, `revoke ${RULE.id}  anonymous`]);
});
