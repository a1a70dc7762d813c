/** @module The tokens and the message key of a run: those of the environment, otherwise random ones. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../../runtime/limits.ts";
import { makeFolder, requireOwnFolder, writePrivate } from "../dapr/private-files.ts";
import { systemCode } from "../dapr/problem.ts";

/** What closes a run. It is passed on by environment only, never on a command line or in a log. */
export interface RunSecrets {
  /** daprd requires it from its callers. */
  readonly apiToken: string;
  /** The app requires it from its callers. */
  readonly appToken: string;
  /** Signs the messages between actors. */
  readonly messageKey: string;
}

const SECRET_BYTES = 32;

/** The secrets of a run in a state folder. Tokens are new in each run; the key stays, because a broker may still hold messages. */
export async function runSecrets(dir: string, env: NodeJS.ProcessEnv = process.env): Promise<RunSecrets> {
  return {
    apiToken: env["DAPR_API_TOKEN"] || newSecret(),
    appToken: env["APP_API_TOKEN"] || newSecret(),
    messageKey: env["TROUPE_MESSAGE_KEY"] || (await keyOf(dir)),
  };
}

/** The secrets of an app of a run file: its own environment first. */
export function ownSecrets(secrets: RunSecrets, env: Readonly<Record<string, string>>): RunSecrets {
  return {
    apiToken: env["DAPR_API_TOKEN"] || secrets.apiToken,
    appToken: env["APP_API_TOKEN"] || secrets.appToken,
    messageKey: env["TROUPE_MESSAGE_KEY"] || secrets.messageKey,
  };
}

/** The environment of an app. */
export function secretsEnv({ apiToken, appToken, messageKey }: RunSecrets): Readonly<Record<string, string>> {
  return { DAPR_API_TOKEN: apiToken, APP_API_TOKEN: appToken, TROUPE_MESSAGE_KEY: messageKey };
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

async function keyOf(dir: string): Promise<string> {
  requireOwnFolder(dir);
  const path = join(dir, "message-key");
  const known = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  if (known.trim().length >= LIMITS.messageKeyCharsMin) return known.trim();
  const key = newSecret();
  makeFolder(dir);
  await writePrivate(path, `${key}\n`);
  return key;
}
