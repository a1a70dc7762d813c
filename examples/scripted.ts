/** @module Runs an example without a key: the scripted model answers, and that is said. With a key or a base URL it does nothing. */
import { fileURLToPath } from "node:url";
import { scriptedModel } from "troupe/testing";

/** Starts the scripted model of `model.script.yaml` in an example's folder, if there is no key. Returns what ends it. */
export async function scriptWithoutKey(folder: string): Promise<() => Promise<void>> {
  const { env } = process;
  if (env["OPENAI_API_KEY"] !== undefined || env["OPENAI_BASE_URL"] !== undefined) return () => Promise.resolve();
  const script = `${folder}/model.script.yaml`;
  const { url, stop } = await scriptedModel({ file: fileURLToPath(new URL(script, import.meta.url)) });
  env["OPENAI_BASE_URL"] = url;
  console.log(`No OPENAI_API_KEY: the scripted model answers, from examples/${script}.`);
  return stop;
}
