/**
 * @module `runLocal` and `startLocal`: run tasks of a system in milliseconds without Dapr, on the same turn engine as with Dapr.
 */
import type { InputOf, OutputOf } from "../agents/contract.ts";
import { requireKeys } from "../agents/definition.ts";
import type { Endpoint, EndpointEnvironment } from "../agents/model/endpoint.ts";
import { replaceModels } from "../agents/model/models.ts";
import type { RouteContract, RouteDefinition } from "../agents/route.ts";
import type { System } from "../agents/system.ts";
import { canonicalJson } from "../runtime/canonical.ts";
import { type ProcessEntry, ProcessPage } from "../runtime/answers.ts";
import type { Cassette } from "../runtime/cassette/cassette.ts";
import { Fault, type Json } from "../runtime/faults.ts";
import { insideId } from "../runtime/ids.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { FaultView, HistoryLine, ProcessView, StopsView, SpendingView } from "../runtime/process-view.ts";
import type { OutcomeStatus } from "../runtime/protocol.ts";
import { ANONYMOUS, type Principal } from "../runtime/protocol/principal.ts";
import type { GivenReleases, ReleasesView, ReleaseView } from "../runtime/release.ts";
import type { SyncAnswer } from "../runtime/source-answers.ts";
import { Gateway } from "../actors/gateway/gateway.ts";
import { Host } from "../actors/host/host.ts";
import { Driver } from "../actors/memory/driver.ts";
import { LocalWorld, SkippingClock } from "../actors/memory/world.ts";
import { type Logger, SILENT } from "../actors/engine/log.ts";
import type { Clock, ReleaseSource } from "../actors/engine/ports.ts";
import { systemRandom } from "../actors/engine/system-clock.ts";
import { type Fakes, withFakes } from "./fakes.ts";
import { type LocalMemory, localMemory } from "./local-memory.ts";
import { LocalPeople, type People } from "./people.ts";
import { syncSource } from "../actors/operations/source-operations.ts";
import { SystemOperations } from "../actors/operations/system-operations.ts";

/** A route by its definition or its contract: both carry its types. */
type Route = RouteDefinition | RouteContract;

/** Options of {@link runLocal}; all are optional. */
export interface RunLocalOptions {
  /** `[fake(Planner, ...)]`, or untyped handlers by agent name. Other agents run their own handlers. */
  readonly fakes?: Fakes;
  /** Endpoints that replace those of the system's models, by name: `{ fast: fakeModel(() => "Hello.") }`. Others are called as they are. */
  readonly models?: Readonly<Record<string, Endpoint | readonly Endpoint[]>>;
  /**
   * Decides on requests to people: `people: ({ tool }) => ({ do: "approve" })`. `undefined` leaves a request open. Without it a run that
   * needs a person fails with `person.expired`.
   */
  readonly people?: People;
  /** Releases of prompts and models, as a file of releases has them. @default agents use what their code says */
  readonly releases?: GivenReleases;
  /** A clock that the test drives itself. @default real time while handlers work, skipped while the system is idle */
  readonly clock?: Clock;
  /** Task id. @default "local" */
  readonly id?: string;
  readonly timeoutMs?: number;
  /** Whom the task acts for. @default without a name and permissions */
  readonly principal?: Principal;
  /** The permissions that the task is given: some of the principal's. @default all of them */
  readonly permissions?: readonly string[];
  /** The input holds a text of strangers: the name of where it comes from. @default it is trusted */
  readonly untrusted?: string;
  /** The logger of the hosts: a pino logger or an object with the same methods. @default no log */
  readonly log?: Logger;
  /** Maximum real time of the run in milliseconds, after which it throws. @default 30 s */
  readonly giveUpMs?: number;
}

/** How a local run ended, with contents instead of references. */
export interface LocalOutcome<Output = unknown> {
  readonly id: string;
  readonly status: OutcomeStatus;
  readonly output?: Output | undefined;
  readonly fault?: FaultView | undefined;
  /** Original message, fault, attempts, history, path: the dead letter as it would be in the dead letter queue. */
  readonly deadLetter?: Json | undefined;
  /** From which untrusted origins the output was derived. Empty: it is trusted. */
  readonly label: readonly string[];
  /** What the run spent on models and tools. Absent: nothing. */
  readonly spent?: SpendingView | undefined;
  /** All events, oldest first. */
  readonly history: readonly HistoryLine[];
}

const GIVE_UP_MS = 30_000;
const START_OPTIONS = ["fakes", "models", "people", "releases", "clock", "log", "giveUpMs"];
const TASK_OPTIONS = ["id", "timeoutMs", "principal", "permissions", "untrusted"];

/**
 * Runs one task to its outcome. A route's definition types input and output; with a route's name both are unknown. Throws coded
 * faults for bad input, and if the task does not end within `giveUpMs`.
 */
export function runLocal<R extends Route>(
  system: System,
  route: R,
  input: InputOf<R>,
  options?: RunLocalOptions,
): Promise<LocalOutcome<OutputOf<R>>>;
export function runLocal(system: System, route: string, input: unknown, options?: RunLocalOptions): Promise<LocalOutcome>;
export async function runLocal(
  system: System,
  route: Route | string,
  input: unknown,
  options: RunLocalOptions = {},
): Promise<LocalOutcome> {
  requireKeys(options, "runLocal", [...START_OPTIONS, ...TASK_OPTIONS]);
  const { id = "local", timeoutMs, principal, permissions, untrusted, ...rest } = options;
  const local = startLocal(system, rest);
  const task = { id, timeoutMs, principal, permissions, untrusted };
  try {
    return await (typeof route === "string" ? local.run(route, input, task) : local.run(route, input, task));
  } finally {
    await local.stop();
  }
}

/** Options of {@link startLocal}; as for {@link runLocal}. */
export type StartLocalOptions = Pick<RunLocalOptions, "fakes" | "models" | "people" | "releases" | "clock" | "log" | "giveUpMs">;

/** Options of one task of a {@link LocalSystem}. */
export interface LocalTask {
  /** Task id. The same id with the same input is the same task. @default `local-1`, `local-2` and so on */
  readonly id?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Whom the task acts for. @default without a name and permissions */
  readonly principal?: Principal | undefined;
  /** The permissions that the task is given: some of the principal's. @default all of them */
  readonly permissions?: readonly string[] | undefined;
  /** The input holds a text of strangers: the name of where it comes from. @default it is trusted */
  readonly untrusted?: string | undefined;
}

/** A system without Dapr that runs several tasks, also at the same time. The state of its agents is kept until `stop`. */
export interface LocalSystem {
  /** Runs one task to its outcome, like {@link runLocal}. */
  run<R extends Route>(route: R, input: InputOf<R>, task?: LocalTask): Promise<LocalOutcome<OutputOf<R>>>;
  run(route: string, input: unknown, task?: LocalTask): Promise<LocalOutcome>;
  /** Returns a process: open work items, newest history, outcome. Throws `process.unknown`. */
  show(id: string): Promise<ProcessView>;
  /** Returns the records of an ended process with their contents, for {@link replayFrom}. Throws `process.unknown`. */
  cassette(id: string): Promise<Cassette>;
  /** Returns the newest processes, each with the summary of its last run. */
  list(): Promise<readonly ProcessEntry[]>;
  /** Returns the work items of a process, with contents and the steps of their handlers. Throws `process.unknown`. */
  stops(id: string): Promise<StopsView>;
  /** Requests a task's cancellation. Throws `process.unknown` before it was accepted, `process.ended` after its end. */
  cancel(id: string, reason: string): Promise<void>;
  /** Pauses, resumes or terminates a task. Throws `process.unknown`, `process.ended`, `pause.spent`. */
  act(id: string, what: "pause" | "resume" | "terminate", reason: string): Promise<void>;
  /** Sends a signal to an accepted task. Throws `process.unknown`, `process.ended`, `schema.signal`. A repeated id is the same signal. */
  signal(id: string, name: string, payload: unknown, signalId?: string, principal?: Principal): Promise<void>;
  /**
   * Compares a source with its memory. Before the first task all sources are compared once; there is no schedule.
   * @throws `source.unknown`, `source.unavailable`
   */
  sync(source: string): Promise<SyncAnswer>;
  /**
   * The releases of prompts and models, with what was counted of the ended tasks. Canaries are judged before each task and here. With an
   * argument, other releases take their place first, as when the file changes.
   */
  releases(next?: GivenReleases): Promise<ReleasesView>;
  /** Stops the canary of an agent. Throws `release.unknown`. */
  stopRelease(agent: string, reason: string): Promise<ReleaseView>;
  /** What agents remember. */
  readonly memory: LocalMemory;
  stop(): Promise<void>;
}

/** Starts a system in memory. Throws `agent.unknown` for a fake of an unknown agent, `definition.invalid` for an unknown option. */
export function startLocal(system: System, options: StartLocalOptions = {}): LocalSystem {
  requireKeys(options, "startLocal", START_OPTIONS);
  const clock = options.clock ?? new SkippingClock(Date.now());
  const log = options.log ?? SILENT;
  // Models answer in real time, so none is skipped meanwhile; those in the place of others may be at a server, too.
  const models = inRealTime(replaceModels(system.models, options.models ?? {}, "startLocal"), (action) => driver.during(action));
  const gateway = new Gateway({ system: system.name, models, environment: LOCAL_ENVIRONMENT, clock, log });
  const world = new LocalWorld({ clock, random: systemRandom, models: gateway });
  let releases = options.releases ?? {};
  const given = releaseSource(() => releases);
  const host = new Host({ system: withFakes(system, options.fakes ?? {}), ports: world.ports, log, releases: given });
  world.attach(host);
  const ended = new Set<string>();
  host.listen((_before, after) => {
    if (after.phase === "ended") ended.add(after.id);
    people.note(after);
  });
  // As with Dapr, the processes of a tenant have ids of their own within the system.
  const tenants = new Map<string, string>();
  const inside = (id: string): string => insideId(id, tenants.get(id) ?? ANONYMOUS.tenant);
  let made = 0;
  const newId = (): string => `local-${(made += 1)}`;
  const operations = new SystemOperations({ system, ports: world.ports, host, newId, log });
  const driver = new Driver({ world, host, clock, giveUpMs: options.giveUpMs ?? GIVE_UP_MS });
  const people = new LocalPeople({ decide: options.people, operations, during: (action) => driver.during(action) });
  const look = async (): Promise<void> => {
    // What has ended counts.
    if (Object.keys(releases).length > 0) await list();
    await driver.during(operations.releasing.look());
    if (host.releases.problem !== undefined) throw new Fault("release.invalid", host.releases.problem);
  };
  let compared: Promise<unknown> | undefined;
  const run = async <Output>(route: Route | string, input: unknown, task: LocalTask = {}): Promise<LocalOutcome<Output>> => {
    requireKeys(task, "run", TASK_OPTIONS);
    const id = task.id ?? newId();
    const { principal = ANONYMOUS, ...options } = task;
    tenants.set(id, principal.tenant);
    await (compared ??= driver.during(Promise.allSettled(host.sources.names.map((name) => host.sources.sync(name, "start")))));
    await look();
    await driver.during(operations.submit({ ...options, id, route: nameOf(system, route), input }, { principal }, 0));
    await driver.until(() => ended.has(inside(id)) || people.failure !== undefined);
    if (people.failure !== undefined) throw people.failure.error;
    // The route gives the type of the output, and the output was checked against the route when it ended.
    return { ...(await outcomeOf(operations, inside(id))), id } as LocalOutcome<Output>;
  };
  const list: LocalSystem["list"] = async () => {
    for (;;) {
      const { entries } = ProcessPage.parse(await operations.processes({}, undefined, LIMITS.pageEntriesMax));
      // The entry of a process is closed after its outcome is known.
      if (!entries.some(({ id, open }) => open && ended.has(inside(id)))) return entries;
      await driver.round();
    }
  };
  return {
    run,
    show: (id) => operations.process(inside(id)),
    cassette: (id) => operations.cassette(inside(id)),
    list,
    stops: (id) => operations.stops(inside(id)),
    ...ordersTo(operations, driver, inside),
    releases: async (next = releases) => {
      releases = next;
      await look();
      return operations.releases();
    },
    stopRelease: (agent, reason) => driver.during(operations.stopRelease(agent, reason, { principal: { ...ANONYMOUS, subject: "local" } })),
    memory: localMemory(operations, (action) => driver.during(action)),
    sync: (source) => driver.during(syncSource(host, source, "local")),
    stop: () => host.stop(0),
  };
}

/** Releases that may be replaced, read as from a file. */
function releaseSource(given: () => GivenReleases): ReleaseSource {
  return {
    from: "code",
    place: "startLocal",
    read: async () => JSON.stringify(given()),
    parse: (text): unknown => JSON.parse(text),
  };
}

/** The outcome of a process that has ended, with its whole history. */
async function outcomeOf(operations: SystemOperations, id: string): Promise<LocalOutcome> {
  const { outcome, phase } = await operations.process(id);
  if (outcome === undefined) throw new Fault("turn.failed", `the process ended without an outcome: ${phase}`);
  const { status, output, fault, deadLetter, spent, label } = outcome;
  const { lines } = await operations.history(id, 0, Number.POSITIVE_INFINITY);
  const history = lines.map(({ line: _number, run: _run, ...line }) => line);
  return { id, status, output, fault, deadLetter, label: label ?? [], ...(spent === undefined ? {} : { spent }), history };
}

/** What changes the course of a task. */
function ordersTo(
  operations: SystemOperations,
  driver: Driver,
  inside: (id: string) => string,
): Pick<LocalSystem, "cancel" | "act" | "signal"> {
  return {
    cancel: async (id, reason) => {
      await driver.during(operations.cancel(inside(id), reason, { principal: ANONYMOUS }));
    },
    act: async (id, what, reason) => {
      await driver.during(operations.act(inside(id), what, { reason }, { principal: ANONYMOUS }));
    },
    signal: async (id, name, payload, signalId, principal = ANONYMOUS) => {
      await driver.during(operations.signal(inside(id), name, payload, { principal }, signalId));
    },
  };
}

/** The endpoints, connected and called within `during`. */
function inRealTime(models: System["models"], during: <T>(action: Promise<T>) => Promise<T>): System["models"] {
  const held = (endpoint: Endpoint): Endpoint => ({
    ...endpoint,
    connect: async (environment) => {
      const provider = await during(endpoint.connect(environment));
      return { chat: (request, call) => during(provider.chat(request, call)) };
    },
  });
  return new Map([...models].map(([name, endpoints]) => [name, endpoints.map(held)]));
}

/** Without Dapr there are no secret stores. */
const LOCAL_ENVIRONMENT: EndpointEnvironment = {
  env: process.env,
  secret: async (store, name) => {
    throw new Fault("model.unknown", `secret ${name} of store ${store} needs Dapr; in a test replace the model`, { sent: false });
  },
};

/** Returns the name of a route, which must be a route of the system. */
function nameOf(system: System, route: Route | string): string {
  if (typeof route === "string") return route;
  const known = system.routes.get(route.name);
  if (known !== undefined && canonicalJson(known.inputJsonSchema) !== canonicalJson(route.inputJsonSchema))
    throw new Fault("definition.invalid", `route ${JSON.stringify(route.name)} differs from the route that the system has under this name`);
  return route.name;
}
