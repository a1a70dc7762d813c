/** @module A system of one agent, served beside a fake sidecar. */
import { z } from "zod";
import type { Logger } from "../../../actors/engine/log.ts";
import { type RunningHost, serve } from "../../../actors/index.ts";
import { agent, contract, route, system } from "../../../agents/index.ts";
import type { FakeSidecar } from "./fake-sidecar.ts";

const Echo = contract("Echo", 1, { input: z.string(), output: z.string() });
const party = system("party", {
  agents: [agent(Echo, { handle: (text) => text })],
  routes: [
    route("echo", 1, z.string())
      .to("echo", Echo, ({ task }) => task)
      .output(({ echo }) => echo),
  ],
});

/** A host of the system `party`, with the route `echo`, whose sidecar is the fake one. */
export function serveParty(sidecar: FakeSidecar, logger: Logger): Promise<RunningHost> {
  const messageKeys = ["the key of the messages of the party"];
  return serve(party, { appPort: 0, daprHttpPort: Number(new URL(sidecar.origin).port), messageKeys, logger });
}
