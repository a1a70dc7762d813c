/** @module Contents are shown to tokens with the role `content`, and each look is noted before the answer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HttpRig, startRig } from "./rig.ts";
import { createHash } from "node:crypto";

const entry = (token: string, subject: string, roles: readonly string[]): never =>
  ({ sha256: createHash("sha256").update(token).digest("hex"), subject, roles }) as never;
const TOKENS = [
  entry("r-token", "ann", ["read"]),
  entry("c-token", "bob", ["read", "content"]),
  entry("d-token", "cyd", ["read", "decide"]),
];
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig({ appToken: "app-token-of-the-rig", tokens: TOKENS });
});
afterEach(async () => rig.host.drain());

test.each([
  ["/processes/p", "process p"],
  ["/processes/p/stops", "process p"],
  ["/deadletters/p:1", "deadletter p:1"],
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

test("people see what they decide on, and the look is noted", async () => {
  const request = await rig.call("GET", "/inbox/p.r1", undefined, bearer("d-token"));
  expect([request.status, request.text.includes('"hidden"')]).toEqual([200, false]);
  expect(rig.seen.looks).toEqual(["cyd request p.r1"]);
});

test("nothing is shown where a look cannot be noted", async () => {
  rig.behaviour.looked = async () => {
    throw new Error("the audit is away");
  };
  expect((await rig.call("GET", "/processes/p/stops", undefined, bearer("c-token"))).status).toBe(500);
});
