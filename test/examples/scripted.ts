/** @module Runs an example's system with the scripted model of its folder, over HTTP. The environment is not read. */
import { join } from "node:path";
import { openai, type System } from "../../agents/index.ts";
import { type RunLocalOptions, scriptedModel, type ScriptedRequest } from "../../testing/index.ts";
import { ROOT } from "./readme.ts";

/** Calls `run` with models that the script of the example answers. Returns what it returns, and the requests. */
export async function withScript<T>(
  example: string,
  { models }: System,
  run: (options: Required<Pick<RunLocalOptions, "models">>) => Promise<T>,
): Promise<{ readonly outcome: T; readonly requests: readonly ScriptedRequest[] }> {
  const scripted = await scriptedModel({ file: join(ROOT, "examples", example, "model.script.yaml") });
  try {
    const endpoint = (model: string): ReturnType<typeof openai> => openai({ model, name: model, baseUrl: scripted.url, apiKey: "none" });
    const outcome = await run({ models: Object.fromEntries([...models.keys()].map((name) => [name, endpoint(name)])) });
    return { outcome, requests: [...scripted.requests] };
  } finally {
    await scripted.stop();
  }
}
