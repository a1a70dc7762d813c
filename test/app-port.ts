/** @module Ports that tests give to apps, apart from those that runs choose for their parts. */
import { randomInt } from "node:crypto";
import { portFree } from "../cli/dapr/ports.ts";

/**
 * Below the range of the parts. The app listens only seconds after its port was chosen, and meanwhile a part of another run, which knows
 * of no choice but its own, could take a port of that range.
 */
const PORT_FIRST = 12_000;
const PORT_LAST = 20_000;

/** A free port for an app. */
export async function appPort(): Promise<number> {
  const port = randomInt(PORT_FIRST, PORT_LAST);
  return (await portFree(port)) ? port : appPort();
}
