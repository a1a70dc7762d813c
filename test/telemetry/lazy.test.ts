/**
 * @module OpenTelemetry's SDK is loaded only if the environment asks for it. A missing or misconfigured SDK is logged, and the app runs.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startTelemetry, wantsTelemetry } from "../../actors/telemetry/export.ts";
import { SILENT } from "../../actors/engine/log.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const READY_MS = 15_000;

/** Starts the app until it listens; returns the OpenTelemetry packages that it loaded, and the time it took. */
async function startApp(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly loads: readonly string[]; readonly ms: number; readonly text: string }> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_")));
  const startedAtMs = performance.now();
  const app = spawn(
    process.execPath,
    ["--import", join(import.meta.dirname, "loads.ts"), join(ROOT, "cli/app.ts"), join(ROOT, "examples/01-travel/system.ts")],
    {
      env: { ...own, APP_PORT: "0", DAPR_HTTP_PORT: "9", OPENAI_BASE_URL: "http://127.0.0.1:9/v1", ...env },
      stdio: ["ignore", "pipe", "inherit"],
      signal: AbortSignal.timeout(READY_MS),
      killSignal: "SIGKILL",
    },
  );
  let text = "";
  await new Promise<void>((done, failed) => {
    app.once("error", failed);
    app.once("exit", () => failed(new Error(`the app ended: ${text}`)));
    app.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('"listening"')) done();
    });
  });
  const ms = performance.now() - startedAtMs;
  const gone = new Promise<void>((resolve) => app.removeAllListeners("exit").once("exit", () => resolve()));
  app.kill("SIGKILL");
  await gone;
  return { loads: [...text.matchAll(/^loads (.*)$/gm)].flatMap((found) => found[1] ?? []), ms, text };
}

describe("the SDK", () => {
  test("is not loaded by an app whose environment has no OTEL_*, nor when it is disabled", async () => {
    const plain = await startApp({});
    expect(plain.loads).toEqual(["@opentelemetry/api"]);
    const disabled = await startApp({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "true" });
    expect(disabled.loads).toEqual(["@opentelemetry/api"]);
    const loaded = await startApp({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    expect(loaded.loads).toContain("@opentelemetry/sdk-node");
    expect(loaded.text).toContain("exporting telemetry");
    process.stdout.write(
      `start-up: ${plain.ms.toFixed(0)} ms without OTEL_*, ${loaded.ms.toFixed(0)} ms with (${loaded.loads.length} packages)\n`,
    );
  });

  test.each([
    [{}, false],
    [{ OTEL_SERVICE_NAME: " " }, false],
    [{ OTEL_SERVICE_NAME: "x" }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318", OTEL_SDK_DISABLED: "TRUE" }, false],
    [{ OTEL_SDK_DISABLED: "false" }, false],
    [{ HOTEL_NAME: "x" }, false],
  ])("%j: wanted is %s", (env, wanted) => {
    expect(wantsTelemetry(env)).toBe(wanted);
  });

  test("nothing is started if the environment does not ask for it", async () => {
    expect(await startTelemetry({ env: {}, serviceName: "x", log: SILENT })).toBeUndefined();
  });
});
