/** @module `up`: runs a system under a supervisor, in the foreground until Ctrl-C, or in the background with `--stay`. */
import { type Command, Option } from "commander";
import { resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ensureDapr, type Profile } from "../dapr/index.ts";
import { answers } from "../dapr/part.ts";
import { PROFILES } from "../dapr/resources.ts";
import { buildDashboard } from "../run/dashboard.ts";
import { startEmbedded } from "../run/embedded.ts";
import { startFile } from "../run/file-run.ts";
import { startRunModel } from "../run/model-script.ts";
import { type Lifetime, STOPS_SYSTEM } from "../run/lifetime.ts";
import { checkSystemFile } from "../run/load.ts";
import { logText } from "../text/log.ts";
import { complain, say, shownPath } from "../text/output.ts";
import { EXIT, Interrupted, problemText } from "../text/problem.ts";
import { restartSidecar, restartUnit, type Run, type RunUnit, sidecarName } from "../run/run.ts";
import { readRunFile, type RunPlan } from "../run/run-file.ts";
import { RunLog } from "../run/run-log.ts";
import { recordRun, removeRunRecord, runRecordPath } from "../run/run-record.ts";
import { detach } from "../run/stay.ts";
import { storesOf } from "../run/stores.ts";
import { Supervisor } from "../run/supervisor.ts";
import { watchSources } from "../run/watch.ts";
import { type Context, examples, fromEnv, jsonOption, modelScriptOption, portOption, stateOption } from "./common.ts";

interface UpOptions {
  readonly file?: string;
  readonly profile: Profile;
  readonly redisUrl?: string;
  readonly postgresUrl?: string;
  readonly port: number;
  readonly state: string;
  readonly modelScript?: string;
  readonly watch: boolean;
  readonly stay: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

const EXAMPLE = fileURLToPath(new URL("../../examples/01-travel/system.ts", import.meta.url));
const HEALTH_POLL_MS = 2_000;
const HEALTH_TIMEOUT_MS = 1_000;
/** After this many probes in a row without an answer the log says so. */
const UNHEALTHY_PROBES = 3;

/** Adds the command. */
export function up(parent: Command, context: Context): void {
  const command = parent
    .command("up")
    .argument("[systemFile]", "a module whose default export is system(...); the travel example when left out")
    .description("run a system under a supervisor: one app, or the apps of a dapr.yaml")
    .option("-f, --file <dapr.yaml>", "run the apps of a multi-app run file")
    .addOption(new Option("--profile <name>", "the stores for state and topics").choices([...PROFILES]).default("embedded"))
    .addOption(fromEnv("--redis-url <url>", "the Redis of profiles redis and postgres", "TROUPE_REDIS_URL"))
    .addOption(fromEnv("--postgres-url <url>", "the PostgreSQL of profile postgres", "TROUPE_POSTGRES_URL"))
    .addOption(modelScriptOption())
    .option("--watch", "restart app and daprd together when a source file changes", false)
    .option("--stay", "run in the background until `troupe down`; the command returns when it is up", false)
    .option("--verbose", "print the output of Dapr's programs too", false)
    .addOption(portOption())
    .addOption(stateOption())
    .addOption(jsonOption());
  examples(
    command,
    [
      ["troupe up", "the travel example, until Ctrl-C"],
      ["troupe up my/system.ts --watch", "yours, restarted when you save"],
      ["troupe up my/system.ts --stay", "in the background; `troupe down` ends it"],
      ["troupe up --profile redis --redis-url redis://127.0.0.1:6379", ""],
      ["troupe up -f dapr.yaml", "several apps, without the Dapr CLI"],
    ],
    [
      "A part that dies is restarted up to 12 times in a row, after 0.5, 1, 2, then",
      "4 s; a minute of running resets the count. Then everything is stopped with",
      "PART_ENDED and exit code 1. The next `up` continues open work.",
      "Without OPENAI_API_KEY and OPENAI_BASE_URL the scripted model answers, from",
      "model.script.yaml beside the system's file, if there is one.",
      'With --json each line is {"source","line"}; with --stay one {"url","pid","log"}.',
    ],
  );
  command.action(async (systemFile: string | undefined, options: UpOptions) => {
    if (systemFile !== undefined && options.file !== undefined)
      command.error("error: give a system file or -f, not both", { exitCode: EXIT.usage });
    if (options.file !== undefined && options.profile !== "embedded")
      command.error("error: with -f the resources of the file say where state and topics live, not --profile", { exitCode: EXIT.usage });
    if (systemFile !== undefined) await checkSystemFile(systemFile);
    context.done(
      await (options.stay
        ? detach({ dir: resolve(options.state), json: options.json }, context.lifetime)
        : runUp(systemFile, options, context.lifetime)),
    );
  });
}

/** Runs in the foreground. Resolves with the exit code when interrupted; throws when a part does not stay up. */
async function runUp(systemFile: string | undefined, options: UpOptions, lifetime: Lifetime): Promise<number> {
  const plan = options.file === undefined ? undefined : await readRunFile(options.file);
  for (const warning of plan?.warnings ?? []) complain(`warning: ${warning}`);
  const dir = resolve(options.state);
  const stores = await storesOf(options);
  const tell = (line: string): void => (options.json ? sayJson("troupe", line) : say(line));
  if (plan === undefined && systemFile === undefined) tell("No system file was given: this is the travel example.");
  const binaries = await lifetime.orEnd(ensureDapr(tell));
  lifetime.whenInterrupted(STOPS_SYSTEM);
  void buildDashboard(lifetime.signal).then((problem) => problem === undefined || tell(problem));
  const systemPath = systemFile ?? EXAMPLE;
  const model = await startRunModel({ beside: options.file ?? systemPath, file: options.modelScript, env: process.env, tell });
  const runLog = new RunLog(dir);
  const ids = new Set(plan === undefined ? ["app"] : plan.apps.map(({ appId }) => appId));
  const log = consoleLog(runLog, options, ids);
  const supervisor = new Supervisor({ lifetime, say: (line) => log("troupe", line) });
  try {
    const common = { binaries, dir, appEnv: model.env, log, lifetime, onExit: supervisor.onExit };
    const run =
      plan === undefined
        ? await startEmbedded({ ...common, systemFile: systemPath, appPort: options.port, profile: options.profile, stores })
        : await startFile({ ...common, apps: plan.apps });
    try {
      return await keepUp(run, { dir, plan, logPath: runLog.path, watch: options.watch, log, tell }, supervisor, lifetime);
    } finally {
      await removeRunRecord(dir);
      await supervisor.idle();
      await run.stop();
      tell("Everything is stopped.");
    }
  } finally {
    await model.stop();
    await runLog.close();
  }
}

interface Kept {
  readonly dir: string;
  readonly plan: RunPlan | undefined;
  readonly logPath: string;
  readonly watch: boolean;
  readonly log: (source: string, line: string) => void;
  /** Prints to the terminal of the command, not to the log. */
  readonly tell: (line: string) => void;
}

async function keepUp(run: Run, kept: Kept, supervisor: Supervisor, lifetime: Lifetime): Promise<number> {
  supervisor.begin(partsOf(run));
  await recordRun(kept.dir, run);
  if (kept.plan === undefined)
    kept.tell(`The system takes tasks at ${run.units[0]?.url} (POST /tasks), with the token in ${shownPath(runRecordPath(kept.dir))}.`);
  else for (const { appId, url } of run.units) kept.tell(`${appId} is up at ${url}`);
  kept.tell(`Dashboard: ${run.units[0]?.url}/ui (\`troupe ui\` prints a link that logs you in)`);
  kept.tell(`The log of all parts is ${shownPath(kept.logPath)}. Ctrl-C ends everything.`);
  const watching = kept.watch
    ? await watchSources(
        run.units.map(({ folder }) => folder),
        (path) => void reload(path, run, kept, supervisor, lifetime),
      )
    : undefined;
  if (watching !== undefined)
    kept.tell(`Watching the sources below ${run.units.map(({ folder }) => shownPath(folder) || ".").join(", ")}.`);
  void watchHealth(run, kept.log, lifetime);
  try {
    return await untilInterrupted(lifetime);
  } finally {
    watching?.close();
  }
}

/** The parts that the supervisor restarts, by the name in its messages. */
function partsOf(run: Run): ReadonlyMap<string, { isRunning(): boolean; restart(): Promise<void> }> {
  const controls = [
    ["placement", run.placement],
    ["scheduler", run.scheduler],
  ] as const;
  return new Map([
    ...controls.map(([name, part]) => [name, { isRunning: () => part.running, restart: () => part.start() }] as const),
    ...run.units.flatMap((unit) => [
      [unit.appName, { isRunning: () => unit.app.running, restart: () => unit.app.start() }] as const,
      [sidecarName(unit), { isRunning: () => unit.sidecar.running, restart: () => restartSidecar(unit) }] as const,
    ]),
  ]);
}

/** Restarts the units whose folder holds the changed file. A unit that does not start is started again at the next change. */
async function reload(path: string, run: Run, kept: Kept, supervisor: Supervisor, lifetime: Lifetime): Promise<void> {
  const units = run.units.filter(({ folder }) => path.startsWith(`${folder}${sep}`));
  const names = units.flatMap((unit) => [unit.appName, sidecarName(unit)]);
  await supervisor.planned(names, async () => {
    if (lifetime.signal.aborted) return;
    kept.log("troupe", `${shownPath(path)} changed; restarting ${units.map((unit) => unit.appName).join(", ")} with daprd`);
    try {
      for (const unit of units) await restartUnit(unit);
      kept.log("troupe", `restarted after the change of ${shownPath(path)}`);
    } catch (error) {
      for (const line of problemText(error).split("\n")) kept.log("troupe", line);
      kept.log("troupe", "it does not run now; the next change starts it again");
    }
  });
}

/** Logs when an app stops answering and when it answers again. The app is not killed: work in it may still end. */
async function watchHealth(run: Run, log: (source: string, line: string) => void, lifetime: Lifetime): Promise<void> {
  const silent = new Map<RunUnit, number>();
  while (!lifetime.signal.aborted) {
    await sleep(HEALTH_POLL_MS, undefined, { signal: lifetime.signal, ref: false }).catch(() => undefined);
    for (const unit of run.units) {
      if (lifetime.signal.aborted || !unit.app.running) continue;
      const before = silent.get(unit) ?? 0;
      const now = (await answers(Number(new URL(unit.url).port), "/healthz", HEALTH_TIMEOUT_MS)) ? 0 : before + 1;
      silent.set(unit, now);
      if (now === UNHEALTHY_PROBES) log("troupe", `${unit.appName} runs and does not answer /healthz`);
      if (now === 0 && before >= UNHEALTHY_PROBES) log("troupe", `${unit.appName} answers again`);
    }
  }
}

/** Writes every line to the run's log, and lines of apps and supervisor to the terminal; with `--verbose` all lines. */
function consoleLog(
  runLog: RunLog,
  { verbose, json }: Pick<UpOptions, "verbose" | "json">,
  apps: ReadonlySet<string>,
): (source: string, line: string) => void {
  return (source, line) => {
    runLog.write(source, line);
    if (!verbose && source !== "troupe" && !apps.has(source)) return;
    if (json) sayJson(source, line);
    else say(`[${source}] ${logText(line)}`);
  };
}

/** One JSON document per line: source and text. */
function sayJson(source: string, line: string): void {
  say(JSON.stringify({ source, line }));
}

/** Waits for Ctrl-C or a signal, the normal end of a foreground run. Throws any other reason. */
async function untilInterrupted(lifetime: Lifetime): Promise<number> {
  try {
    return await lifetime.orEnd(new Promise<never>(() => undefined));
  } catch (error) {
    if (error instanceof Interrupted) return EXIT.ok;
    throw error;
  }
}
