/** @module The state folder of a run: made, or refused with a reason that a person can act on. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { messageOf } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

/** Makes the folder where it is missing. Throws STATE_FOLDER where it cannot be made or written. */
export function makeStateFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CliError(
      "STATE_FOLDER",
      `the state folder ${dir} cannot be made or written: ${messageOf(error)}.`,
      "Name another one with --state, or fix its permissions.",
      error,
    );
  }
}
