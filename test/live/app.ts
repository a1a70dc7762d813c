/**
 * @module The app of the live tests: the booking system beside a daprd, with test hooks. It runs in its own process, so that it can be
 * killed.
 */
import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import pino from "pino";
import { serve } from "../../actors/index.ts";
import { bookingSystem, type Outside } from "./booking.ts";
import { GaugeWriter } from "./gauge.ts";
import { installHooks, killAtPurge, killAtUndo, type UndoKill } from "./hooks.ts";
import { type LimitChanges, withLimits } from "../../simulation/world/limits.ts";

const SAMPLE_MS = 250;
const BYTES_PER_MIB = 1_048_576;
const NS_PER_MS = 1_000_000;

function need(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const gauges = new GaugeWriter(need("LIVE_GAUGES"));
installHooks({ gauges, freezeFile: process.env["LIVE_FREEZE"] });
const limits = process.env["LIVE_LIMITS"];
if (limits !== undefined) withLimits(JSON.parse(limits) as LimitChanges);
const purgeKill = process.env["LIVE_PURGE_KILL"];
if (purgeKill !== undefined) killAtPurge(Number(purgeKill));
const undoKill = process.env["LIVE_UNDO_KILL"];
if (undoKill !== undefined) killAtUndo(JSON.parse(undoKill) as UndoKill);

const call: Outside["call"] = async (what, effect, process_, { idempotencyKey, signal }) => {
  await gauges.during("effect", async () => {
    const answer = await fetch(`${need("LIVE_LEDGER")}/${what}`, {
      method: "POST",
      body: JSON.stringify({ key: idempotencyKey, process: process_, effect }),
      signal,
    });
    if (!answer.ok) throw new Error(`the ledger answered ${answer.status} to ${what} ${idempotencyKey}`);
  });
};

/** Records memory and event-loop delay, a line every {@link SAMPLE_MS}. */
function sample(file: string): void {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  // The test requests figures from now on.
  process.on("SIGUSR2", () => delay.reset());
  setInterval(() => {
    appendFileSync(
      file,
      JSON.stringify({
        rssMib: process.memoryUsage.rss() / BYTES_PER_MIB,
        p99Ms: delay.percentile(99) / NS_PER_MS,
        maxMs: delay.max / NS_PER_MS,
      }) + "\n",
    );
  }, SAMPLE_MS).unref();
}

const samples = process.env["LIVE_SAMPLES"];
if (samples !== undefined) sample(samples);

/** Empty: messages are not signed, so that a test can publish its own. */
const messageKey = process.env["LIVE_MESSAGE_KEY"] ?? "the key of all hosts of a live test";

const host = await serve(bookingSystem({ call }, process.env["LIVE_MODEL_URL"]), {
  appPort: Number(need("LIVE_APP_PORT")),
  daprHttpPort: Number(need("LIVE_DAPR_PORT")),
  appToken: process.env["LIVE_APP_TOKEN"],
  messageKeys: messageKey === "" ? [] : [messageKey],
  retentionMs: process.env["LIVE_RETENTION_MS"] === undefined ? undefined : Number(process.env["LIVE_RETENTION_MS"]),
  releases: process.env["LIVE_RELEASES"],
  logger: pino({ level: process.env["LIVE_LOG"] ?? "warn" }),
});
process.stdout.write(`listening on ${host.port}\n`);
const open = await host.recovered;
process.stdout.write(`recovered ${open}\n`);
process.once("SIGTERM", () => void host.stop().then(() => process.exit(0)));
