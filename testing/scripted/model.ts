/**
 * @module `scriptedModel`: an OpenAI-compatible server on loopback that follows a script, for tests and for running without a key.
 *
 * It is not a model: what it replies stands in its script, and every reply says so (`model: "scripted"`).
 */
import type { Json } from "../../runtime/faults.ts";
import type { ScriptContent } from "./script.ts";

/** Options of {@link scriptedModel}: either `script` or `file`. */
export interface ScriptedModelOptions {
  /** The script as YAML text or as a value. */
  readonly script?: string | ScriptContent;
  /** The path of a script file. It is read again when it has changed. */
  readonly file?: string;
  /** @default a free port */
  readonly port?: number;
  /** The key that requests must carry as a bearer token. @default any */
  readonly key?: string;
}

/** One request that the scripted model got. */
export interface ScriptedRequest {
  /** The header `idempotency-key`. */
  readonly idempotencyKey: string | undefined;
  /** How often this request came, from 1. */
  readonly attempt: number;
  readonly model: string | undefined;
  readonly agent: string | undefined;
  /** The number of this model call in its conversation, from 1. */
  readonly call: number | undefined;
  readonly body: Json;
  /** The place of the rule that matched. */
  readonly rule: string | undefined;
  /** Why no rule answered. */
  readonly error: string | undefined;
  readonly status: number;
}

/** A running scripted model. */
export interface ScriptedModel {
  /** The base URL for `openai({ baseUrl })` and for OPENAI_BASE_URL. */
  readonly url: string;
  /** The requests, oldest first; the newest 10,000 are kept. */
  readonly requests: readonly ScriptedRequest[];
  /** Ends all connections and resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Starts a scripted model.
 * @throws `definition.invalid` for a bad script, with file and line
 */
export async function scriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  // The entry for tests loads Node's HTTP server only when it is used.
  const { startScriptedModel } = await import("./server.ts");
  return startScriptedModel(options);
}
