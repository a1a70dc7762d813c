/** @module The model of `--work model`: one server for all sides, in a process of its own. */
import { fileURLToPath } from "node:url";
import { freePort } from "../../cli/dapr/index.ts";
import { basicEnv, startProgram } from "./program.ts";
import type { TargetPlace } from "./target.ts";

const READY_MS = 10_000;
const SERVER = fileURLToPath(new URL("../model-server.ts", import.meta.url));
const STOP_GRACE_MS = 1_000;

export interface BenchModel {
  /** Base URL of its OpenAI-compatible API. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the model. `delayMs`: how long it takes for each answer. */
export async function startModel({ dir, log }: TargetPlace, delayMs = 0): Promise<BenchModel> {
  const port = await freePort();
  const { promise: isReady, resolve } = Promise.withResolvers<void>();
  const program = await startProgram({
    name: "model",
    command: process.execPath,
    args: [SERVER],
    cwd: dir,
    env: { ...basicEnv(), PORT: String(port), DELAY_MS: String(delayMs) },
    onLine: (line) => {
      log("model", line);
      if (line === "listening") resolve();
    },
  });
  await Promise.race([isReady, program.exited, new Promise((end) => setTimeout(end, READY_MS).unref())]);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    stop: async () => {
      await program.stop(STOP_GRACE_MS);
    },
  };
}
