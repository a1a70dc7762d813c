/**
 * @module Exports traces and metrics over OTLP when the environment asks for it. OpenTelemetry's SDK for Node is loaded only then, and
 * configured by the variables of OpenTelemetry's specification (`OTEL_*`).
 */
import type { Logger } from "../engine/log.ts";

/** The exporter, running until {@link RunningTelemetry.stop}. */
export interface RunningTelemetry {
  /** Sends what is left and shuts down. Never throws; a collector that does not answer is logged. */
  stop(): Promise<void>;
}

/** The environment, service name and log of the exporter. */
export interface TelemetryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the service if the environment does not set one. */
  readonly serviceName: string;
  readonly log: Logger;
}

/** Maximum wait for a collector at shutdown, in milliseconds. */
const STOP_MS_MAX = 2_000;

/** Whether the environment asks for telemetry: an `OTEL_*` variable is set, and `OTEL_SDK_DISABLED` is not `true`. */
export function wantsTelemetry(env: TelemetryOptions["env"]): boolean {
  const isDisabled = env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true";
  return (
    !isDisabled &&
    Object.entries(env).some(
      ([name, value]) => name.startsWith("OTEL_") && name !== "OTEL_SDK_DISABLED" && value !== undefined && value.trim() !== "",
    )
  );
}

/** Whether the environment asks for logs as log records: `OTEL_LOGS_EXPORTER` is set, and not to `none`. */
export function wantsLogs(env: TelemetryOptions["env"]): boolean {
  const exporter = env["OTEL_LOGS_EXPORTER"]?.trim() ?? "";
  return wantsTelemetry(env) && exporter !== "" && exporter !== "none";
}

/**
 * Starts the SDK if the environment asks for it; otherwise returns undefined. Call it before the host is created, since
 * a host checks only once whether an SDK is installed. If the SDK package is missing, logs what to do, and the app runs
 * without telemetry.
 */
export async function startTelemetry({ env, serviceName, log }: TelemetryOptions): Promise<RunningTelemetry | undefined> {
  if (!wantsTelemetry(env)) return undefined;
  try {
    const { NodeSDK } = await import("@opentelemetry/sdk-node");
    const named = env["OTEL_SERVICE_NAME"] || /(^|,)\s*service\.name=/.test(env["OTEL_RESOURCE_ATTRIBUTES"] ?? "");
    // The default of OpenTelemetry sends logs too. Here they are sent only if they are asked for: they are on standard output already.
    const sdk = new NodeSDK({ ...(wantsLogs(env) ? {} : { logRecordProcessors: [] }), ...(named ? {} : { serviceName }) });
    sdk.start();
    log.info({ endpoint: env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "the default of OpenTelemetry" }, "exporting telemetry");
    return { stop: () => stopInTime(() => sdk.shutdown(), log) };
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    const fix = missing ? "npm install @opentelemetry/sdk-node" : "check the OTEL_* variables";
    log.warn({ err: error, fix }, "OTEL_* is set, but telemetry could not be started; the app runs without it");
    return undefined;
  }
}

async function stopInTime(shutdown: () => Promise<void>, log: Logger): Promise<void> {
  const controller = new AbortController();
  const late = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      log.warn({ waitedMs: STOP_MS_MAX }, "the collector did not take the remaining telemetry in time");
      resolve();
    }, STOP_MS_MAX);
    controller.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const sent = shutdown().catch((error: unknown) => log.warn({ err: error }, "the remaining telemetry was not sent"));
  await Promise.race([sent, late]);
  controller.abort();
}
