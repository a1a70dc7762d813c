/** @module A task that another program publishes with Dapr's own SDK, as users do. */
import { CommunicationProtocolEnum, DaprClient, LogLevel } from "@dapr/dapr";
import { expect, test } from "vitest";
import { findDapr } from "../../cli/dapr/index.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const TEST_MS = 120_000;
const WAIT_MS = 60_000;

const able = (await findDapr()) !== undefined;
if (!able) print("skip: no Dapr programs");

test.skipIf(!able)("a task that is published with @dapr/dapr completes", { timeout: TEST_MS }, async () => {
  const world = await World.start({ profile: "embedded", seed: seedOfRun() });
  const publisher = new DaprClient({
    daprHost: "127.0.0.1",
    daprPort: String(world.host.daprPort),
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    logger: { level: LogLevel.Error },
  });
  try {
    const answer = await publisher.pubsub.publish("pubsub", "live.tasks", {
      id: "published",
      route: "party",
      input: { n: 1, shelf: "s1", refuse: false },
    });
    expect(answer.error).toBeUndefined();
    const view = await world.client.ended("published", Date.now() + WAIT_MS);
    expect(view?.outcome).toMatchObject({ status: "completed" });
  } finally {
    await publisher.stop();
    await world.stop();
  }
});
