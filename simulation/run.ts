/**
 * @module One run: a safety phase with faults, a liveness phase without, and then everything is checked.
 */
import type { System } from "../agents/system.ts";
import type { Ports } from "../actors/engine/ports.ts";
import { checkEnd, type Finding } from "./checks/check.ts";
import { checkHolding, HELD_MS, openRuns } from "./checks/holding.ts";
import { checkForgetful } from "./checks/forgetful.ts";
import { ReceivedLaw } from "./checks/received-law.ts";
import { TrustLaws } from "./checks/trust-laws.ts";
import { Watch } from "./checks/watch.ts";
import { Clients, type SimTask } from "./people/client.ts";
import { Deciders, RUNS_MAX } from "./people/deciders.ts";
import type { PeopleMode } from "./people/persons.ts";
import { repeatOld } from "./people/repeats.ts";
import { type FaultRates, Faults, type Fired, ratesOf } from "./world/faults.ts";
import type { Life } from "./world/life.ts";
import { type Plan, planOf, schedule } from "./plan.ts";
import { Random, STREAM } from "./world/random.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Message } from "../runtime/protocol.ts";
import { hearing, purgePhase } from "./purge-phase.ts";
import { type LimitChanges, withLimits } from "./world/limits.ts";
import { drive } from "./world/timeline.ts";
import type { CallFault } from "./world/faults.ts";
import { World } from "./world/world.ts";

/** A system and its tasks, for each seed. */
export interface Scenario {
  readonly name: string;
  readonly system: (seed: number) => System;
  readonly tasks: (seed: number) => readonly SimTask[];
  /** A check beside the promises. Returns what is wrong, maybe with the law that it breaks, or undefined. */
  readonly invariant?: ((world: World) => string | Finding | undefined) | undefined;
  /** Every effect of a handler is in the ledger, under a key and with an undo, so compensation is checked too. */
  readonly strict: boolean;
  /** The same effect may happen more than once in one process. */
  readonly repeatsAllowed?: boolean | undefined;
  /** After the run everything is purged while hosts are killed and every message that was sent arrives again. */
  readonly purges?: boolean | undefined;
  /** Messages to agents come again, long after they were answered. */
  readonly repeats?: boolean | undefined;
  /** People decide on dead letters, so failed processes get new runs. */
  readonly decides?: boolean | undefined;
  /** Limits that are smaller in this scenario, so that small runs reach them. */
  readonly limits?: LimitChanges | undefined;
  /** Rates that are other in this scenario, such as models that always obey. */
  readonly rates?: ((seed: number, rates: FaultRates) => FaultRates) | undefined;
  /** Its source has the documents of the world. */
  readonly documents?: boolean | undefined;
  /** People answer the requests of its processes. Absent: no one does. */
  readonly people?: PeopleMode | undefined;
  /** What this scenario plans otherwise. */
  readonly plan?: ((seed: number, base: Plan) => Partial<Plan>) | undefined;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** The most that may fail; a seed takes its part. */
  readonly most: FaultRates;
  /** Take `most` as it is. */
  readonly exact?: boolean | undefined;
  /** Only these faults may happen. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Only these tasks are submitted. */
  readonly onlyTasks?: ReadonlySet<string> | undefined;
  readonly atCalls?: ReadonlyMap<number, CallFault> | undefined;
  readonly plan?: Partial<Plan> | undefined;
  readonly trace?: ((atMs: number, line: string) => void) | undefined;
  readonly wrapPorts?: ((ports: Ports, life: Life, world: World) => Ports) | undefined;
}

export interface RunResult {
  readonly seed: number;
  readonly findings: readonly Finding[];
  readonly fired: readonly Fired[];
  readonly messages: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly tasks: readonly SimTask[];
  readonly world: World;
}

/** After the last fault everything must have ended within this time beyond the last deadline. */
const LIVENESS_MS = 20 * 60_000;
/** Limits that are smaller in all runs, which are short. */
const LIMITS_OF_RUNS: LimitChanges = { reminderSpreadMs: 10_000 };
/** After the last process has ended the world runs a little longer: late messages must change nothing. */
const QUIET_MS = 8_000;
/** After that no reminder may be left. One that was set too late goes when it next rings. */
const RECOVER_MS = 2 * LIMITS.reminderMs;

/** Names of the tools whose calls are recorded each time that they are made. */
function recordedEach(system: System): ReadonlySet<string> {
  const tools = [...system.agents.values()].flatMap((agent) => [...agent.tools.values()]);
  return new Set(tools.filter(({ unknown }) => unknown !== "repeat").map(({ name }) => name));
}

interface Prepared {
  readonly watch: Watch;
  readonly deciders: Deciders;
  readonly sent: readonly Message[];
}

/** What a scenario has besides its tasks. */
function prepare(scenario: Scenario, world: World, { watch, deciders, sent }: Prepared): void {
  const received = new ReceivedLaw((law, text) => watch.find(law, text));
  if (scenario.strict) world.outside.onReceived = (handling, result) => received.received(handling, result);
  if (scenario.documents === true) world.outside.documents.begin();
  if (scenario.decides === true) watch.onEnded = (state) => deciders.ended(state);
  if (scenario.repeats === true) repeatOld(world, new Random(world.options.seed, STREAM.system + 400), sent);
}

/** Runs a seed. */
export async function runSeed(options: RunOptions): Promise<RunResult> {
  const { scenario, seed } = options;
  const own = options.exact === true ? options.most : ratesOf(seed, options.most);
  const rates = scenario.rates?.(seed, own) ?? own;
  const tasks = scenario.tasks(seed).filter((task) => options.onlyTasks?.has(task.id) !== false);
  const base = planOf(seed, rates, tasks.length);
  const plan: Plan = { ...base, ...scenario.plan?.(seed, base), ...options.plan };
  const faults = new Faults(rates, options.only);
  const system = scenario.system(seed);
  const watch = new Watch(scenario.strict, rates.storeForgets > 0, recordedEach(system));
  const { trace } = options;
  const sent: Message[] = [];
  const world: World = new World({
    seed,
    system,
    faults,
    nodes: plan.nodes,
    atCalls: options.atCalls ?? plan.atCalls,
    sleeps: options.atCalls === undefined ? plan.sleeps : undefined,
    copies: plan.copies,
    shortWay: plan.shortWay,
    trace: trace === undefined ? undefined : (line) => trace(world.timeline.nowMs, line),
    observe: (at, life, key, text) => watch.wrote(at, life, key, text),
    observeRemoved: (at, key) => watch.removed(at, key),
    wrapPorts: hearing((message, { network }) => {
      if (scenario.purges === true || scenario.repeats === true) sent.push(structuredClone(message));
      network.onSent(message);
    }, options.wrapPorts),
  });
  const trust = new TrustLaws(world, watch, scenario.people);
  world.models.onAttempt = (made) => watch.models.made(made);
  schedule(world, plan.timed);
  const clients = new Clients(world, new Random(seed, STREAM.system + 100), tasks);
  const deciders = new Deciders(world, new Random(seed, STREAM.system + 300));
  prepare(scenario, world, { watch, deciders, sent });
  watch.begin();
  const restoreLimits = withLimits({ ...LIMITS_OF_RUNS, ...scenario.limits });
  try {
    const done = (): boolean => watch.failed || (clients.settled && deciders.settled && trust.settled && watch.allEnded(clients.accepted));
    await drive(world.timeline, plan.safetyMs, done);
    world.heal(plan.keepDead);
    const deadline = tasks.reduce((last, task) => Math.max(last, task.timeoutMs), 0);
    const endMs = world.timeline.nowMs + (scenario.decides === true ? RUNS_MAX : 1) * deadline + LIVENESS_MS;
    const open = openRuns(watch);
    await drive(world.timeline, world.timeline.nowMs + HELD_MS, done);
    const unheld = done() || rates.storeForgets > 0 ? [] : checkHolding(world, watch, open);
    if (unheld.length === 0) await drive(world.timeline, endMs, done);
    const nowMs = world.timeline.nowMs;
    await drive(world.timeline, nowMs + QUIET_MS, () => watch.failed);
    const settled = (): boolean => watch.failed || (world.reminders.all.length === 0 && watch.allClosed());
    await drive(world.timeline, endMs + RECOVER_MS, settled);
    if (!watch.failed) await watch.checkTrimmed(world);
    if (!watch.failed) trust.check();
    const isOver = !watch.failed && unheld.length === 0;
    const atEnd = async (): Promise<readonly Finding[]> =>
      rates.storeForgets > 0 ? checkForgetful(world) : [...checkEnd(world, clients, watch, scenario), ...deciders.check(watch)];
    const findings = [...watch.findings, ...unheld, ...(isOver ? await atEnd() : [])];
    if (scenario.purges === true && findings.length === 0)
      findings.push(...(await purgePhase(world, watch, new Random(seed, STREAM.system + 200), sent)));
    return {
      seed,
      findings,
      fired: faults.fired,
      messages: world.network.delivered,
      events: world.timeline.count,
      virtualMs: world.timeline.nowMs,
      tasks,
      world,
    };
  } finally {
    restoreLimits();
    watch.end();
  }
}
