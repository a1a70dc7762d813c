/**
 * @module Runs a system without a key: a scripted model on a free port of loopback answers in the place of the provider, and ends with the
 * run.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ScriptedModel, scriptedModel } from "../../testing/scripted/model.ts";
import { isFault } from "../../runtime/faults.ts";
import { messageOf } from "../dapr/problem.ts";
import { shownPath } from "../text/output.ts";
import { CliError } from "../text/problem.ts";

/** The script beside a system's file. */
const SCRIPT_FILE = "model.script.yaml";
const KEY_BYTES = 24;
/** Variables that name a real provider. */
const PROVIDER_VARIABLES = ["OPENAI_API_KEY", "OPENAI_BASE_URL"] as const;

/** Names the script of an app that is started without `troupe up`, for example in a dapr.yaml. */
const SCRIPT_VARIABLE = "TROUPE_MODEL_SCRIPT";

/** What decides whether the scripted model answers. */
export interface ModelScriptOptions {
  /** The file of the system, or of the run; its folder may have a script. */
  readonly beside: string;
  /** The script that the command names. It is used also where a key is set. */
  readonly file: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly tell: (line: string) => void;
}

/** What a run needs of its scripted model; nothing if a real one answers. */
export interface RunModel {
  /** Variables for the apps. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const NONE: RunModel = { env: {}, stop: () => Promise.resolve() };

/**
 * Starts the scripted model if the command names a script, or if there is one beside the system and no provider is set.
 * @throws USAGE if the script cannot be read; `definition.invalid` for a bad script
 */
export async function startRunModel({ beside, file, env, tell }: ModelScriptOptions): Promise<RunModel> {
  const isSet = hasProvider(env);
  const known = join(dirname(beside), SCRIPT_FILE);
  const path = file ?? (!isSet && existsSync(known) ? known : undefined);
  if (path === undefined) return NONE;
  const key = randomBytes(KEY_BYTES).toString("base64url");
  const model = await start(path, key);
  const how = `scripted model answers, from ${shownPath(path)}.`;
  tell(isSet ? `The ${how}` : `No OPENAI_API_KEY: the ${how}`);
  return { env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: key }, stop: () => model.stop() };
}

/**
 * Starts the scripted model in an app if TROUPE_MODEL_SCRIPT names a script and no provider is set, and adds its address to `env`. An app
 * never uses a script that was not named: a lost key must not become scripted replies.
 * @throws as {@link startRunModel}
 */
export async function startAppModel(env: NodeJS.ProcessEnv, tell: (line: string) => void): Promise<RunModel> {
  const file = env[SCRIPT_VARIABLE] || undefined;
  if (file === undefined || hasProvider(env)) return NONE;
  const model = await startRunModel({ beside: file, file, env, tell });
  Object.assign(env, model.env);
  return model;
}

function hasProvider(env: NodeJS.ProcessEnv): boolean {
  return PROVIDER_VARIABLES.some((name) => (env[name] ?? "").trim() !== "");
}

async function start(file: string, key: string): Promise<ScriptedModel> {
  try {
    return await scriptedModel({ file, key });
  } catch (error) {
    if (isFault(error)) throw error;
    throw new CliError(
      "USAGE",
      `the model script ${shownPath(file)} cannot be read: ${messageOf(error)}.`,
      "Give the path of a script.",
      error,
    );
  }
}
