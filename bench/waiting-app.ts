/** @module The app process of `bench/waiting.ts`. */
import pino from "pino";
import { serve } from "../actors/index.ts";
import waiting from "./waiting-system.ts";

const logger = pino({ level: process.env["BENCH_LOG"] ?? "warn" }, pino.destination({ dest: 2, sync: true }));
const startedMs = Date.now();
const host = await serve(waiting, {
  appPort: Number(process.env["APP_PORT"]),
  daprHttpPort: Number(process.env["DAPR_HTTP_PORT"]),
  openProcessesMax: Number(process.env["BENCH_OPEN_MAX"]),
  logger,
});
process.once("SIGTERM", () => void host.stop().finally(() => process.exit(0)));
const count = await host.recovered;
process.stdout.write(`${JSON.stringify({ kind: "recovered", n: count, lateMs: Date.now() - startedMs })}\n`);
