/** @module A daprd with another token than the app's is refused, and the operator is informed once. */
import { expect, test } from "vitest";
import { startRig, TOKEN } from "./http/rig.ts";

test("the first refusal of a sidecar is logged with its code; further ones and those of users are not", async () => {
  const rig = await startRig({ appToken: TOKEN });
  const told = (): number => rig.seen.log.filter((line) => line.includes("auth.token") && line.includes("the sidecar is refused")).length;
  await rig.call("GET", "/processes/one", undefined, { "dapr-api-token": "another" });
  expect(told()).toBe(0);
  const refused = await rig.call("GET", "/dapr/config", undefined, { "dapr-api-token": "another" });
  await rig.call("GET", "/dapr/subscribe", undefined, { "dapr-api-token": "another" });
  expect(refused.status).toBe(401);
  expect(told()).toBe(1);
  await rig.host.drain();
});
