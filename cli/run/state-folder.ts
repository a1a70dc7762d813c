/** @module Creates the state folder of a run. */
import { accessSync, constants } from "node:fs";
import { makeFolder, requireOwnFolder } from "../dapr/private-files.ts";
import { messageOf } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

/**
 * Creates the folder unless it exists.
 * @throws STATE_FOLDER when it cannot be created or written; FOLDER_FOREIGN
 */
export function makeStateFolder(dir: string): void {
  try {
    makeFolder(dir);
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CliError(
      "STATE_FOLDER",
      `the state folder ${dir} cannot be created or written: ${messageOf(error)}.`,
      "Name another one with --state, or fix its permissions.",
      error,
    );
  }
  requireOwnFolder(dir);
}
