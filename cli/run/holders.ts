/** @module Who runs in a state folder, from its locks. */
import { join } from "node:path";
import { type FolderHolder, folderHolder } from "../dapr/lock.ts";
import { LaunchError, messageOf } from "../dapr/problem.ts";
import { shownPath } from "../text/output.ts";
import { CliError } from "../text/problem.ts";

/**
 * Who holds the state folder and its folder `apps`.
 * @throws STATE_FOLDER when it is a file or cannot be read; FOLDER_FOREIGN
 */
export async function holders(dir: string): Promise<readonly FolderHolder[]> {
  const found = await Promise.all([folderHolder(join(dir, "apps")), folderHolder(dir)]).catch((error: unknown) => {
    if (error instanceof LaunchError) throw error;
    throw new CliError(
      "STATE_FOLDER",
      `the state folder ${shownPath(dir)} cannot be read: ${messageOf(error)}.`,
      "Name another one with --state, or fix its permissions.",
      error,
    );
  });
  return found.filter((held) => held !== undefined);
}

/** The process id of the run. A run locks the state folder, and the folder `apps` in it for its apps. */
export async function ownerOf(dir: string): Promise<number | undefined> {
  const held = await holders(dir);
  return held.find(({ owner }) => owner !== undefined)?.owner?.pid;
}
