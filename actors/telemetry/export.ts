/**
 * @module Sends traces and metrics out over OTLP when the environment asks for it: OpenTelemetry's SDK for Node, loaded only
 * then. Everything is configured by the variables of OpenTelemetry's specification (`OTEL_*`).
 */
import type { Logger } from "../engine/log.ts";

/** What runs until {@link RunningTelemetry.stop}. */
export interface RunningTelemetry {
  /** Sends what was not sent yet and ends. Never throws; a collector that does not answer is logged. */
  stop(): Promise<void>;
}

/** What telemetry is started with. */
export interface TelemetryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the service where the environment names none. */
  readonly serviceName: string;
  readonly log: Logger;
}

/** Longest wait for a collector at the end, in milliseconds. */
const STOP_MS_MAX = 2_000;

/** Whether the environment asks for telemetry: some `OTEL_*` variable is set, and `OTEL_SDK_DISABLED` is not `true`. */
export function wantsTelemetry(env: TelemetryOptions["env"]): boolean {
  const isDisabled = env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true";
  return (
    !isDisabled &&
    Object.entries(env).some(
      ([name, value]) => name.startsWith("OTEL_") && name !== "OTEL_SDK_DISABLED" && value !== undefined && value.trim() !== "",
    )
  );
}

/**
 * Starts the SDK when the environment asks for it; undefined otherwise. To be called before the host is made: a host
 * looks once whether somebody counts. An SDK that is not installed is logged with what to do, and the app runs without.
 */
export async function startTelemetry({ env, serviceName, log }: TelemetryOptions): Promise<RunningTelemetry | undefined> {
  if (!wantsTelemetry(env)) return undefined;
  try {
    const { NodeSDK } = await import("@opentelemetry/sdk-node");
    const named = env["OTEL_SERVICE_NAME"] || /(^|,)\s*service\.name=/.test(env["OTEL_RESOURCE_ATTRIBUTES"] ?? "");
    // Spans and metrics only: log lines are pino's, on standard output.
    const sdk = new NodeSDK({ logRecordProcessors: [], ...(named ? {} : { serviceName }) });
    sdk.start();
    log.info({ endpoint: env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "the default of OpenTelemetry" }, "telemetry goes out");
    return { stop: () => stopInTime(() => sdk.shutdown(), log) };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    const fix = missing ? "npm install @opentelemetry/sdk-node" : "look at the OTEL_* variables";
    log.warn({ err: error, fix }, "OTEL_* is set, and no telemetry goes out; the app runs without");
    return undefined;
  }
}

async function stopInTime(shutdown: () => Promise<void>, log: Logger): Promise<void> {
  const controller = new AbortController();
  const late = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      log.warn({ waitedMs: STOP_MS_MAX }, "the collector did not take the last telemetry in time");
      resolve();
    }, STOP_MS_MAX);
    controller.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const sent = shutdown().catch((error: unknown) => log.warn({ err: error }, "the last telemetry was not sent"));
  await Promise.race([sent, late]);
  controller.abort();
}
