/**
 * @module One app: loads a system and serves it beside the sidecar that the environment names. The command, `dapr run` or a
 * container runs it as a process: `node cli/app.ts <systemFile>`.
 */
import { readFileSync } from "node:fs";
import { type Level, type LoggerOptions, pino } from "pino";
import { type DigestOptions, parseTokens, serve, type TokenEntry } from "../actors/index.ts";
import { startTelemetry, wantsLogs } from "../actors/telemetry/export.ts";
import { emitLine } from "../actors/telemetry/log-records.ts";
import { DAPR_VERSION_CHECK_VARIABLE, daprVersionCheck } from "../runtime/dapr-version.ts";
import { DIGEST_PERIODS } from "../runtime/reports/digest.ts";
import { LIMITS } from "../runtime/limits.ts";
import { durationMs } from "./text/duration.ts";
import { sendableToken } from "./run/environment.ts";
import { loadSystem } from "./run/load.ts";
import { requireModelKeys } from "./run/model-keys.ts";
import { startAppModel } from "./run/model-script.ts";
import { complain } from "./text/output.ts";
import { CliError, EXIT, exitCodeOf, problemText } from "./text/problem.ts";
import { decodeText } from "./text/decode.ts";

const APP_PORT_DEFAULT = 3_100;
const DAPR_HTTP_PORT_DEFAULT = 3_500;
const PORT_MAX = 65_535;
const LEVELS: readonly (Level | "silent")[] = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

async function main(): Promise<void> {
  const file = systemFile();
  const base = { app: process.env["APP_ID"] ?? "troupe" };
  const logger = pino({ level: logLevel(), base, ...sentLines() }, pino.destination({ dest: 1, sync: true }));
  // An error that user code does not handle must not end the app: other tasks run in it, and all durable state is in the journal.
  process.on("unhandledRejection", (error) => logger.error({ err: error }, "unhandled promise rejection in the app; it keeps running"));
  process.on("uncaughtException", (error) => logger.error({ err: error }, "uncaught error in the app; it keeps running"));
  const telemetry = await startTelemetry({ env: process.env, serviceName: process.env["APP_ID"] ?? "troupe", log: logger });
  const system = await loadSystem(file);
  const model = await startAppModel(process.env, (line) => logger.warn({}, line));
  await requireModelKeys(system, process.env);
  const host = await serve(system, {
    appPort: port("APP_PORT", APP_PORT_DEFAULT),
    daprHttpPort: port("DAPR_HTTP_PORT", DAPR_HTTP_PORT_DEFAULT),
    ...token("apiToken", "DAPR_API_TOKEN"),
    ...token("appToken", "APP_API_TOKEN"),
    ...tokens(),
    ...optional("host", "TROUPE_HOST"),
    hosts: words("TROUPE_HOSTS"),
    messageKeys: words("TROUPE_MESSAGE_KEY"),
    ...optional("stateStore", "TROUPE_STATE_STORE"),
    ...optional("pubsub", "TROUPE_PUBSUB"),
    ...optional("releases", "TROUPE_RELEASES"),
    retentionMs: retention(),
    ...digest(),
    daprVersion: daprVersionCheck(process.env[DAPR_VERSION_CHECK_VARIABLE]),
    logger,
  });
  logger.info({ system: system.name, port: host.port, agents: [...system.agents.keys()], routes: [...system.routes.keys()] }, "listening");
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    host
      .stop()
      .then(() => model.stop())
      .then(() => telemetry?.stop())
      .then(
        () => process.exit(EXIT.ok),
        (error: unknown) => {
          logger.error({ err: error }, "the app failed while it stopped");
          process.exit(EXIT.failed);
        },
      );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Sends each line as a log record too, if the environment asks for it. */
function sentLines(): Pick<LoggerOptions, "hooks"> {
  if (!wantsLogs(process.env)) return {};
  const streamWrite = (line: string): string => {
    emitLine(line);
    return line;
  };
  return { hooks: { streamWrite } };
}

function systemFile(): string {
  const [file, ...more] = process.argv.slice(2);
  if (file === undefined || file.startsWith("-") || more.length > 0)
    throw new CliError(
      "USAGE",
      "one file is expected: the module that exports the system.",
      "node cli/app.ts examples/01-travel/system.ts",
    );
  return file;
}

function port(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > PORT_MAX)
    throw new CliError("USAGE", `${name} is ${JSON.stringify(text)}, which is not a port.`, `Set it to a number from 0 to ${PORT_MAX}.`);
  return value;
}

/** How long ended processes are kept: TROUPE_RETENTION, such as `7d`. */
function retention(): number | undefined {
  const text = process.env["TROUPE_RETENTION"];
  if (text === undefined || text === "") return undefined;
  const value = durationMs(text);
  if (value === undefined || value < LIMITS.retentionMsMin)
    throw new CliError(
      "USAGE",
      `TROUPE_RETENTION is ${JSON.stringify(text)}, which is not a length of time.`,
      "Set it to a number with ms, s, m, h or d, such as 7d.",
    );
  return value;
}

/** When digests are written, and where: TROUPE_DIGEST and TROUPE_DIGEST_FILE. */
function digest(): { readonly digest?: DigestOptions } {
  const wanted = process.env["TROUPE_DIGEST"];
  if (wanted === undefined || wanted === "") return {};
  const period = DIGEST_PERIODS.find((one) => one === wanted);
  if (period === undefined)
    throw new CliError("USAGE", `TROUPE_DIGEST is ${JSON.stringify(wanted)}.`, `Use one of ${DIGEST_PERIODS.join(", ")}.`);
  return { digest: { period, ...optional("file", "TROUPE_DIGEST_FILE") } };
}

function logLevel(): string {
  const wanted = process.env["TROUPE_LOG"] ?? "info";
  if (!LEVELS.some((level) => level === wanted))
    throw new CliError("USAGE", `TROUPE_LOG is ${JSON.stringify(wanted)}.`, `Use one of ${LEVELS.join(", ")}.`);
  return wanted;
}

/** The tokens of the file that TROUPE_TOKENS_FILE names. */
function tokens(): { readonly tokens?: readonly TokenEntry[] } {
  const file = process.env["TROUPE_TOKENS_FILE"];
  if (file === undefined || file === "") return {};
  let text: string;
  try {
    text = decodeText(readFileSync(file));
  } catch (error) {
    throw new CliError(
      "USAGE",
      `TROUPE_TOKENS_FILE is ${JSON.stringify(file)}, which cannot be read.`,
      "Set it to a file that this user can read.",
      error,
    );
  }
  return { tokens: parseTokens(text) };
}

/** A list from the environment, separated by commas or blanks. */
function words(name: string): readonly string[] {
  return (process.env[name] ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

/** An option from the environment; an empty variable is one that is not set. */
function optional<Key extends string>(key: Key, name: string): { readonly [K in Key]?: string } {
  const value = process.env[name];
  const none: { readonly [K in Key]?: string } = {};
  return value === undefined || value === "" ? none : { ...none, [key]: value };
}

/** As {@link optional}, for a token, which must fit in a header. */
function token<Key extends string>(key: Key, name: string): { readonly [K in Key]?: string } {
  if (process.env[name]) sendableToken(name, process.env[name]);
  return optional(key, name);
}

main().catch((error: unknown) => {
  complain(problemText(error));
  process.exit(exitCodeOf(error));
});
