/**
 * @module The app process of our side: serves the benchmark's system with the daprd that the benchmark started.
 *
 * With BENCH_WATCH set it also counts its HTTP calls (see `watch.ts`); the product is unaware of that.
 */
import pino from "pino";
import { serve } from "../actors/index.ts";
import bench from "./system.ts";

/** No log line for each step, so that both sides are measured without their logs. */
const logger = pino({ level: process.env["BENCH_LOG"] ?? "warn" });

function port(name: string): number {
  const value = Number(process.env[name]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a port`);
  return value;
}

const watchFile = process.env["BENCH_WATCH"];
if (watchFile !== undefined) (await import("./watch.ts")).watchHttp(watchFile);
const host = await serve(bench, { appPort: port("APP_PORT"), daprHttpPort: port("DAPR_HTTP_PORT"), logger });
process.once("SIGTERM", () => {
  // `process.exit` instead of waiting for an empty event loop: a CPU profile is written either way, and nothing can
  // delay the end.
  void host.stop().finally(() => process.exit(0));
});
console.log("listening");
await host.recovered;
console.log("recovered");
