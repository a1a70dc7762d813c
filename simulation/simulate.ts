/**
 * @module `simulate`: a user's system in the simulated world, seed after seed, until a promise breaks or all seeds ran.
 *
 * The outside of the system is marked with `outside`: a function that stands for another program. In the simulation its
 * calls fail, hang, or happen without an answer; anywhere else the function is called directly.
 */
import type { System } from "../agents/system.ts";
import type { Json } from "../runtime/faults.ts";
import { DEFAULT_TENANT } from "../runtime/ids.ts";
import type { SimTask } from "./people/client.ts";
import { ALL_FAULTS, type FaultRates, NO_FAULTS } from "./world/faults.ts";
import { ADVERSARY, type ModelRates, NO_MINDS } from "./world/model-faults.ts";
import type { BoughtLine } from "./world/models.ts";
import { place } from "./world/life.ts";
import type { LedgerLine } from "./world/outside.ts";
import { reportText, shrink } from "./report.ts";
import { type RunOptions, runSeed, type Scenario } from "./run.ts";
import { virtualGlobals } from "./world/virtual-globals.ts";

/** One call of another program, as invariants see it. */
export interface OutsideCall {
  readonly name: string;
  /** The arguments, as JSON text. */
  readonly about: string;
  readonly what: LedgerLine["what"];
  readonly key: string | undefined;
  readonly processId: string;
  readonly atMs: number;
}

/** One reply that was paid for, as invariants see it. Also one that did not arrive. */
export interface BoughtCall {
  /** Name of the model in the system. */
  readonly model: string;
  readonly agent: string;
  readonly processId: string;
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Millionths of a US dollar: 1 for a token of input, 4 for one of output. */
  readonly costMicros: number;
  readonly arrived: boolean;
}

/** A run in which everything has ended. */
export interface SimulatedRun {
  readonly seed: number;
  readonly calls: readonly OutsideCall[];
  /** What was bought of models. */
  readonly models: readonly BoughtCall[];
  readonly messages: number;
}

/** A task of each run. */
export interface SimulatedTask {
  readonly route: string;
  readonly input: unknown;
  readonly timeoutMs?: number;
  /** Who submits it, with what permissions. @default a client without a name and permissions */
  readonly principal?: { readonly subject: string; readonly permissions: readonly string[] };
  /** The permissions that the task is given. @default all of the principal's */
  readonly permissions?: readonly string[];
}

export interface SimulateOptions {
  /** Tasks of each run: route and input. They are given at the same time. */
  readonly tasks: readonly SimulatedTask[];
  /** How many runs, or the seeds themselves. Default 200. */
  readonly seeds?: number | readonly number[] | undefined;
  /** Which faults may happen: all, none, or all with some rates changed. @default "all" */
  readonly faults?: "all" | "none" | Partial<FaultRates> | undefined;
  /**
   * What the models of the system say; no real model is asked. `honest`: what fits the schemas. `adversary`: also what does not fit,
   * what is cut, calls that no one wants, endless calls, and all that a text demands which they read. Or `honest` with rates of your own.
   * @default "adversary"
   */
  readonly models?: "adversary" | "honest" | { readonly rates: Partial<ModelRates> } | undefined;
  /**
   * What people do whom the system asks. `honest`: each request gets one decision that fits, in time. `all`: also late ones, none at all,
   * two that differ, several people at once, and decisions that must be refused: without the role, by who asked, by an agent, about
   * something else. `none`: no one answers.
   * @default "all"
   */
  readonly people?: "all" | "honest" | "none" | undefined;
  /** Checks at the end of every run, by name. A check returns what is wrong, or undefined. */
  readonly invariants?: Readonly<Record<string, (run: SimulatedRun) => string | undefined>> | undefined;
  /** Model calls of one process, nested routes apart. More are a loop. @default 100 */
  readonly modelCallsMax?: number | undefined;
  /** Calls of `outside` with the same arguments may happen more than once in one process. Default false. */
  readonly repeatsAllowed?: boolean | undefined;
  /** Command that repeats a seed, for the report. `{seed}` is replaced. */
  readonly command?: string | undefined;
}

export interface SimulateResult {
  readonly ok: boolean;
  readonly runs: number;
  /** Present when something broke. */
  readonly seed?: number;
  readonly law?: string;
  /** What broke, the seed, the command that repeats it, and the shortest trace that was found. */
  readonly report?: string;
}

const SEEDS_DEFAULT = 200;
const TIMEOUT_MS_DEFAULT = 60_000;
const MODEL_CALLS_MAX_DEFAULT = 100;
const RING_AGENTS_MAX = 8;

/**
 * Marks a function that acts on another program. `key` finds the idempotency key among the arguments: then the other
 * program is taken to act once for each key. Without it every call acts.
 */
export function outside<Args extends readonly Json[], R extends Json>(
  name: string,
  act: (...args: Args) => R | Promise<R>,
  options: { readonly key?: (...args: Args) => string } = {},
): (...args: Args) => Promise<R> {
  return async (...args) => {
    const at = place.getStore();
    if (at === undefined) return act(...args);
    const key = options.key?.(...args);
    // The key is no part of what the effect is about.
    const about = JSON.stringify(args.filter((arg) => arg !== key)).slice(1, -1);
    await at.life.outside.perform({ name, key, about: `${name}(${about}) for ${at.processId}` });
    return act(...args);
  };
}

/** Runs a system through many seeds. Never throws for an error of the system: the result describes it. */
export async function simulate(system: System, options: SimulateOptions): Promise<SimulateResult> {
  const seeds =
    typeof options.seeds === "object" ? options.seeds : Array.from({ length: options.seeds ?? SEEDS_DEFAULT }, (_, index) => index + 1);
  const scenario = scenarioOf(system, options);
  const most = ratesOf(options);
  const restore = virtualGlobals();
  try {
    for (const seed of seeds) {
      const run: RunOptions = { scenario, seed, most };
      const result = await runSeed(run);
      const finding = result.findings[0];
      if (finding === undefined) continue;
      const shrunk = await shrink(run, result);
      const command = (options.command ?? "simulate(system, { …, seeds: [{seed}] })").replace("{seed}", String(seed));
      const last = await runSeed(shrunk.options);
      return {
        ok: false,
        runs: seeds.indexOf(seed) + 1,
        seed,
        law: shrunk.finding.law,
        report: reportText(shrunk, command, explain(last.world.outside.ledger)),
      };
    }
  } finally {
    restore();
  }
  return { ok: true, runs: seeds.length };
}

/** The rates of faults and models that the options ask for. */
export function ratesOf({ faults, models = "adversary" }: SimulateOptions): FaultRates {
  const minds = models === "adversary" ? ADVERSARY : NO_MINDS;
  const own = typeof models === "object" ? models.rates : {};
  if (faults === "none") return { ...NO_FAULTS, ...minds, ...own };
  return { ...ALL_FAULTS, handlerThrows: 0, ...minds, ...own, ...(typeof faults === "object" ? faults : {}) };
}

/** The scenario of a system and its tasks. */
export function scenarioOf(system: System, options: SimulateOptions): Scenario {
  const { tasks, invariants = {}, repeatsAllowed = false, modelCallsMax = MODEL_CALLS_MAX_DEFAULT, people = "all" } = options;
  const made = tasks.map((task, index): SimTask => ({
    id: `task-${index + 1}`,
    route: task.route,
    input: task.input,
    timeoutMs: task.timeoutMs ?? TIMEOUT_MS_DEFAULT,
    ...(task.principal === undefined ? {} : { principal: { tenant: DEFAULT_TENANT, ...task.principal } }),
    ...(task.permissions === undefined ? {} : { permissions: task.permissions }),
    atMs: 0,
  }));
  return {
    name: system.name,
    system: () => system,
    tasks: () => made,
    strict: false,
    repeatsAllowed,
    people: people === "none" ? undefined : people,
    invariant: (world) => {
      const calls = world.outside.ledger.map(({ name, about, what, key, processId, atMs }): OutsideCall => ({
        name,
        about,
        what,
        key,
        processId,
        atMs,
      }));
      const models = world.models.ledger.filter(({ what }) => what !== "failed").map(boughtOf);
      const loop = loopIn(models, modelCallsMax);
      if (loop !== undefined) return { law: LOOP, text: loop };
      const run: SimulatedRun = { seed: world.options.seed, calls, models, messages: world.network.delivered };
      for (const [name, check] of Object.entries(invariants)) {
        const wrong = check(run);
        if (wrong !== undefined) return `${name}: ${wrong}`;
      }
      return undefined;
    },
  };
}

const LOOP = "model calls come to an end";

/** The process with too many model calls, and the agents that made the last of them. */
function loopIn(models: readonly BoughtCall[], callsMax: number): string | undefined {
  for (const [processId, calls] of Map.groupBy(models, (call) => call.processId)) {
    if (calls.length <= callsMax) continue;
    const agents = calls.map(({ agent }) => agent).filter((agent, index, all) => agent !== all[index - 1]);
    const tokens = calls.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
    return (
      `${processId} has bought ${calls.length} model calls with ${tokens} tokens, ` +
      `at last of ${agents.slice(-RING_AGENTS_MAX).join(" -> ")}. ` +
      "Lower visitsMax or callsMax of these agents, or give the route a budget."
    );
  }
  return undefined;
}

function boughtOf({ model, agent, processId, atMs, inputTokens, outputTokens, costMicros, what }: BoughtLine): BoughtCall {
  return { model, agent, processId, atMs, inputTokens, outputTokens, costMicros, arrived: what === "answered" };
}

/** Explains to a newcomer why an effect happened twice. */
function explain(ledger: readonly LedgerLine[]): string | undefined {
  const seen = new Map<string, LedgerLine>();
  for (const line of ledger) {
    if (line.what !== "applied") continue;
    const first = seen.get(line.about);
    if (first === undefined) {
      seen.set(line.about, line);
      continue;
    }
    const where = reasonOf(first, line);
    const [once, again] = [first, line].map(({ atMs, life }) => `at ${(atMs / 1_000).toFixed(3)} s on ${life}`);
    return `WHY: ${line.about} happened ${once} and again ${again}.\n${where}`;
  }
  return undefined;
}

function reasonOf(first: LedgerLine, { agent, name, step, call, workId }: LedgerLine): string {
  if (step === undefined)
    return (
      `${agent} calls ${name} outside of ctx.step. Nothing records that it was done, so a handler that runs again\n` +
      "(after a crash, a lost answer, another error or for its compensation) calls it again.\n" +
      `Put it in ctx.step("${name}", …), and pass step.idempotencyKey on.`
    );
  if (call !== undefined && first.call !== undefined && first.call !== call && first.workId === workId)
    return (
      `${agent} called tool ${step} twice with the same input. To Troupe these are two calls, so each has its own idempotency key.\n` +
      "A model may always call twice. Give the other program a key that is made from what the call is about, such as the number\n" +
      "of the order, or have the tool look whether it was done."
    );
  const what = call === undefined ? `step ${JSON.stringify(step)}` : `tool ${step}`;
  const key = call === undefined ? "step.idempotencyKey" : "call.idempotencyKey";
  return (
    `${agent} calls ${name} in ${what} without an idempotency key. A step or tool runs at least once: where its answer is lost\n` +
    `or its host dies before the result is recorded, it runs again. Pass ${key} to the other program.`
  );
}
