/** @module Package entry `./dapr`: serves a system with a Dapr sidecar. */
import { fileURLToPath } from "node:url";
import { v7 } from "uuid";
import type { System } from "../agents/system.ts";
import type { DaprVersionCheck } from "../runtime/dapr-version.ts";
import { faultFrom } from "../runtime/faults.ts";
import { DaprReminders } from "./dapr/reminders.ts";
import { SidecarClient } from "./dapr/client.ts";
import { SidecarSearch } from "./dapr/find-sidecar.ts";
import { tryReminders } from "./dapr/fitness.ts";
import { DaprTransport } from "./dapr/transport.ts";
import { userValues } from "./dapr/user-values.ts";
import { Gateway } from "./gateway/gateway.ts";
import { Host } from "./host/host.ts";
import { HttpHost, type HttpHostOptions } from "./http/server.ts";
import type { TokenEntry } from "./http/tokens.ts";
import { LateStore } from "./dapr/late-store.ts";
import { DaprLeases } from "./dapr/leases.ts";
import { type DigestOptions, DigestSchedule } from "./operations/digest-schedule.ts";
import { DriftWatch } from "./operations/drift-watch.ts";
import type { Operations } from "./operations/operations.ts";
import { LoopLag } from "./engine/loop-lag.ts";
import type { Ports, ReleaseSource, StateStore } from "./engine/ports.ts";
import { MessageKeys } from "./engine/signatures.ts";
import { PlacedHost, Placement, ShortTransport } from "./host/local-first-transport.ts";
import { listenerOf } from "./dapr/port-listener.ts";
import { INDEX_ROOT } from "../runtime/index-actor.ts";
import { type Address, actorType } from "../runtime/protocol.ts";
import { sourceOf } from "./releases/sources.ts";
import { Retention } from "./retention/retention.ts";
import { SidecarWatchdog } from "./dapr/watchdog.ts";
import { systemRandom, systemClock } from "./engine/system-clock.ts";
import { fork } from "./fork/fork.ts";
import { SystemOperations } from "./operations/system-operations.ts";

export { daprClient, type DaprClientOptions } from "./dapr/user-client.ts";
export { consoleLogger, type LogFacts, type Logger } from "./engine/log.ts";
export { parseTokens, type Role, type TokenEntry } from "./http/tokens.ts";
export type { DigestOptions } from "./operations/digest-schedule.ts";
export type {
  Caller,
  LetterFilter,
  Operations,
  OutcomeView,
  Page,
  ProcessFilter,
  PurgeOptions,
  RedriveOptions,
  Submission,
  SubmitResult,
  TaskReceipt,
} from "./operations/operations.ts";
import type { Logger } from "./engine/log.ts";

/** Where {@link serve} listens, and where its sidecar is. */
export interface ServeOptions {
  /** Port of the app; 0 takes a free one. */
  readonly appPort: number;
  /**
   * Address that the app listens on. A client that can reach it can run turns.
   * @default 127.0.0.1
   */
  readonly host?: string | undefined;
  readonly daprHttpPort: number;
  /**
   * Address of the sidecar.
   * @default 127.0.0.1
   */
  readonly daprHost?: string | undefined;
  /** DAPR_API_TOKEN: sent to the sidecar. */
  readonly apiToken?: string | undefined;
  /** APP_API_TOKEN: the token of daprd, with all roles. Without it, no request needs a token. */
  readonly appToken?: string | undefined;
  /**
   * Further tokens for the HTTP API, each with its own roles. They require `appToken`.
   * @throws `tokens.invalid`
   */
  readonly tokens?: readonly TokenEntry[] | undefined;
  /**
   * Names under which clients reach the app, beside those of loopback and `host`: `name` or `name:port`. Needed without `appToken`,
   * where requests for other names are refused, and for pages behind a proxy that gives the app another name.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * The folder of the built dashboard, which is served at `/ui`. `false`: there is none.
   * @default the dashboard of this package
   */
  readonly dashboard?: string | false | undefined;
  /**
   * Keys that sign the messages between actors, each of at least 32 random characters. The first one signs, all are accepted: to
   * replace a key, give all hosts the new one second, then first, then alone. Without keys, who can publish on the system's topics
   * or call its sidecars can forge messages.
   */
  readonly messageKeys?: readonly string[] | undefined;
  /**
   * Name of the state store component.
   * @default statestore
   */
  readonly stateStore?: string | undefined;
  /**
   * Name of the pubsub component.
   * @default pubsub
   */
  readonly pubsub?: string | undefined;
  /**
   * Maximum number of open processes of this host. Above: new tasks get 429.
   * @default LIMITS.openProcessesMax
   */
  readonly openProcessesMax?: number | undefined;
  /**
   * How long ended processes are kept, in milliseconds. A process stays longer while others may still refer to it.
   * @default LIMITS.retentionMsDefault
   */
  readonly retentionMs?: number | undefined;
  /** Writes a digest of each period by itself, once although several hosts run. @default none is written */
  readonly digest?: DigestOptions | undefined;
  /**
   * Which versions of the sidecar are accepted besides 1.18 and 1.19: newer ones with a warning, none, or any.
   * @default newer
   */
  readonly daprVersion?: DaprVersionCheck | undefined;
  /**
   * Where the releases of prompts and models stand, as YAML or JSON: the path of a file, or `configuration:<store>/<key>` for a key of a
   * Dapr configuration store. It is read again every second. @default agents use what their code says
   */
  readonly releases?: string | undefined;
  /** A pino logger, {@link consoleLogger}, or anything else of that shape. */
  readonly logger: Logger;
}

/** Where the package, and a clone that has built it, has the dashboard. */
const DASHBOARD = fileURLToPath(new URL("../dashboard/dist", import.meta.url));

/** A running host. It handles no signals: the program that started it calls `stop`. */
export interface RunningHost {
  readonly port: number;
  readonly operations: Operations;
  /** Resolves with the number of open processes when the sidecar was found and all of them were nudged. */
  readonly recovered: Promise<number>;
  /** Accepts no more work, waits for the work in flight, closes. */
  stop(): Promise<void>;
}

/**
 * Serves a system. It listens first, so that the sidecar finds the app, then waits for the sidecar and resumes open processes. A sidecar
 * that is missing or has another version is logged and waited for.
 * @throws `port.taken`
 */
export async function serve(system: System, options: ServeOptions): Promise<RunningHost> {
  const { logger, pubsub = "pubsub", stateStore = "statestore" } = options;
  const sidecar = { origin: `http://${options.daprHost ?? "127.0.0.1"}:${options.daprHttpPort}`, apiToken: options.apiToken };
  const client = new SidecarClient(sidecar);
  const placement = new Placement(systemClock);
  const keys = messageKeys(options);
  const far = new DaprTransport(client, { pubsub, source: system.name, keys });
  const transport = new ShortTransport(far, placement, () => host);
  const [store, leases] = [new LateStore(), new DaprLeases(sidecar, stateStore, system.name)];
  const lag = new LoopLag();
  const models = gatewayOf(system, store, options);
  const ports = { store, leases, reminders: new DaprReminders(client), transport, clock: systemClock, random: systemRandom, models };
  const host: Host = new Host({
    system,
    ports,
    log: logger,
    listener: listenerOf(options.host ?? "127.0.0.1", options.appPort),
    lagMs: () => lag.ms,
    releases: releasesOf(options),
    ...(options.openProcessesMax === undefined ? {} : { openMax: options.openProcessesMax }),
  });
  const retention = new Retention({ system: system.name, ports, host, log: logger, retentionMs: options.retentionMs });
  const operations = operationsOf({ system, ports, host, retention, models, log: logger });
  const reporting = reportingOf({ system: system.name, ports, host, operations, options });
  const indexRoot = { type: actorType(system.name, "Directory"), id: INDEX_ROOT };
  const stopped = (): boolean => http.stopping;
  const search = new SidecarSearch({
    ...{ sidecar, client, stateStore, pubsub, stopped, log: logger, clock: systemClock },
    check: options.daprVersion ?? "newer",
    trialKey: () => `${system.name}/start-check/${systemRandom.token()}`,
  });
  const watchdog: SidecarWatchdog = new SidecarWatchdog({
    call: () => far.inspect(indexRoot),
    reach: () => client.reach(),
    answered: () => client.actorAnswers,
    ...{ clock: systemClock, log: logger, stopped },
  });
  const http: HttpHost = new HttpHost({
    unhealthy: () => watchdog.reason,
    system: system.name,
    agents: [...system.agents.keys()],
    host: new PlacedHost(host, placement),
    operations,
    transport: { deliver: (message) => transport.brought(message) },
    pubsub,
    ...{ answerAtOnce: () => search.answersAtOnce, ready: () => search.ready(), unready: () => search.unready },
    ...facing(options),
    keys,
    clock: systemClock,
    logger,
  });
  const port = await http.listen(options.appPort, options.host);
  const begin = async (): Promise<number> => {
    const usable = await search.run();
    if (usable === undefined) return 0;
    store.open(usable);
    leases.open();
    void models?.start();
    host.watch.onReturn(() => placement.forget());
    return resume({ ports, host, retention, operations, reporting, watchdog, actor: indexRoot, log: logger, stopped });
  };
  const recovered = begin().catch((error: unknown) => {
    logger.error({ fault: faultFrom(error, "sidecar.unavailable") }, "the sidecar cannot be used");
    return 0;
  });
  const stop = async (): Promise<void> => {
    retention.stop();
    operations.releasing.end();
    for (const one of reporting) one.stop();
    lag.stop();
    await http.drain(host.stop());
    await Promise.all([client.close(), leases.close()]);
  };
  return { port, operations, recovered, stop };
}

interface OperationsParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly retention: Retention;
  readonly models: Gateway | undefined;
  readonly log: Logger;
}

function operationsOf({ models, ...parts }: OperationsParts): SystemOperations {
  const { system } = parts;
  return new SystemOperations({
    ...parts,
    newId: () => v7(),
    models: () => models?.view ?? [],
    forking: async (cassette, wanted) => (await fork({ system, models }, { ...wanted, cassette })).report,
  });
}

/** What clients of the HTTP API see of a host: its names, the tokens that it accepts, and its dashboard. */
function facing({
  appToken,
  tokens,
  host,
  hosts,
  dashboard = DASHBOARD,
}: ServeOptions): Pick<HttpHostOptions, "appToken" | "tokens" | "hosts" | "dashboard"> {
  return { appToken, tokens, hosts: [host ?? [], hosts ?? []].flat(), dashboard: dashboard === false ? undefined : dashboard };
}

/** The models of the system in this host; undefined if it has none. */
function gatewayOf(
  system: System,
  store: StateStore,
  { daprHost = "127.0.0.1", daprHttpPort, apiToken, logger }: ServeOptions,
): Gateway | undefined {
  if (system.models.size === 0) return undefined;
  const { secret, settings } = userValues({ daprHost, daprHttpPort, apiToken });
  const environment = { env: process.env, secret };
  const shared = { store, random: systemRandom };
  return new Gateway({ system: system.name, models: system.models, environment, clock: systemClock, log: logger, shared, settings });
}

function releasesOf({ releases, daprHost = "127.0.0.1", daprHttpPort, apiToken }: ServeOptions): ReleaseSource | undefined {
  return releases === undefined ? undefined : sourceOf(releases, userValues({ daprHost, daprHttpPort, apiToken }).settings);
}

/** What a host reports by itself. */
interface Reporting {
  start(): void;
  stop(): void;
}

interface ReportingParts {
  readonly system: string;
  readonly ports: Ports;
  readonly host: Host;
  readonly operations: SystemOperations;
  readonly options: Pick<ServeOptions, "digest" | "logger">;
}

function reportingOf({
  system,
  ports,
  host,
  operations: { reports },
  options: { digest, logger: log },
}: ReportingParts): readonly Reporting[] {
  const drift = new DriftWatch(system, reports, ports.clock, log);
  return digest === undefined ? [drift] : [drift, new DigestSchedule({ system, options: digest, ports, host, reports, log })];
}

function messageKeys({ messageKeys: given, logger }: ServeOptions): MessageKeys {
  const keys = new MessageKeys(given);
  if (!keys.isSigning)
    logger.warn(
      {},
      "messages between actors are not signed: a client that can publish on the system's topics can forge them; set TROUPE_MESSAGE_KEY",
    );
  return keys;
}

/** The parts of a host whose sidecar was found, and an actor of it that ignores reminders. */
interface Resumed {
  readonly ports: Ports;
  readonly host: Host;
  readonly retention: Retention;
  readonly operations: SystemOperations;
  readonly reporting: readonly Reporting[];
  readonly watchdog: SidecarWatchdog;
  readonly actor: Address;
  readonly log: Logger;
  readonly stopped: () => boolean;
}

/** Begins the work of a host beside its sidecar. Resolves with the number of open processes when all of them were nudged. */
async function resume({ ports, host, retention, operations, reporting, watchdog, actor, log, stopped }: Resumed): Promise<number> {
  void watchdog.run();
  void tryReminders({ reminders: ports.reminders, actor, clock: ports.clock, log, stopped });
  operations.releasing.start();
  for (const one of reporting) one.start();
  const count = await host.start();
  log.info({ open: count }, "recovered");
  retention.run();
  host.sources.start();
  return count;
}
