/**
 * @module `runLocal` and `startLocal`: tasks of a system, without Dapr, in milliseconds, on the turn engine that runs on Dapr.
 */
import { z } from "zod";
import type { AgentDefinition } from "../agents/agent.ts";
import type { RuntimeContext } from "../agents/context.ts";
import type { System } from "../agents/system.ts";
import { Fault, type Json, type WireFault } from "../runtime/faults.ts";
import { ANONYMOUS, type OutcomeStatus } from "../runtime/protocol.ts";
import { Host } from "../actors/host/host.ts";
import { LocalWorld, SkippingClock } from "../actors/memory/world.ts";
import { type Logger, SILENT } from "../actors/engine/log.ts";
import type { Clock } from "../actors/engine/ports.ts";
import { systemRandom } from "../actors/engine/system-clock.ts";
import { SystemOperations } from "../actors/operations/system-operations.ts";

/** Replaces an agent's handler in a test. Its input has been checked, its output will be, as for the real one. */
export type FakeHandler = (input: Json, context: RuntimeContext) => unknown;

/** What a caller of {@link runLocal} may choose; all of it has a default. */
export interface RunLocalOptions {
  /** Handlers by agent name; agents that are not named run as they are. */
  readonly fakes?: Readonly<Record<string, FakeHandler>>;
  /** A clock that the test drives itself. Default: real time while handlers work, skipped while nothing does. */
  readonly clock?: Clock;
  /** Task id. Default `local`. */
  readonly id?: string;
  readonly timeoutMs?: number;
  readonly log?: Logger;
  /** Real time after which the run is given up, in milliseconds. Default 30 s. */
  readonly giveUpMs?: number;
}

/** One thing that happened: epoch milliseconds of the run's clock, what, and where. `code` is the fault's. */
export interface LocalHistoryLine {
  readonly atMs: number;
  readonly what: string;
  readonly stop: string;
  readonly agent: string;
  readonly attempt: number;
  readonly code?: string | undefined;
}

/** How a local run ended, with contents in place of references. */
export interface LocalOutcome {
  readonly id: string;
  readonly status: OutcomeStatus;
  readonly output?: Json | undefined;
  readonly fault?: WireFault | undefined;
  /** Original message, fault, attempts, history, path: as it would lie at the dead letter queue. */
  readonly deadLetter?: Json | undefined;
  readonly history: readonly LocalHistoryLine[];
}

const GIVE_UP_MS = 30_000;

const Shown = z.object({
  phase: z.string(),
  history: z.array(
    z.object({ atMs: z.int(), what: z.string(), stop: z.string(), agent: z.string(), attempt: z.int(), code: z.string().optional() }),
  ),
  outcome: z
    .object({
      status: z.custom<OutcomeStatus>(),
      output: z.custom<Json>().optional(),
      fault: z.custom<WireFault>().optional(),
      deadLetter: z.custom<Json>().optional(),
    })
    .optional(),
});

/** Runs one task to its outcome. Throws coded faults on bad input, and when the task does not end in `giveUpMs`. */
export async function runLocal(system: System, route: string, input: unknown, options: RunLocalOptions = {}): Promise<LocalOutcome> {
  const local = startLocal(system, options);
  try {
    return await local.run(route, input, { id: options.id ?? "local", timeoutMs: options.timeoutMs });
  } finally {
    await local.stop();
  }
}

/** What a caller of {@link startLocal} may choose; as for {@link runLocal}. */
export type StartLocalOptions = Pick<RunLocalOptions, "fakes" | "clock" | "log" | "giveUpMs">;

/** What may be said of one task of a {@link LocalSystem}. */
export interface LocalTask {
  /** Default `local-1`, `local-2` and so on. The same id with the same input is the same task. */
  readonly id?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A system without Dapr that takes several tasks, at the same time if you like: the state of its agents stays until `stop`. */
export interface LocalSystem {
  /** Runs one task to its outcome. Throws coded faults on bad input, and when the task does not end in `giveUpMs`. */
  run(route: string, input: unknown, task?: LocalTask): Promise<LocalOutcome>;
  /** Asks for a task's cancellation. Throws `process.unknown` before it was accepted, `process.ended` after its end. */
  cancel(id: string, reason: string): Promise<void>;
  /** Gives a signal to a task that was accepted. Throws `process.unknown`, `process.ended`, `schema.signal`. The same id: the same signal. */
  signal(id: string, name: string, payload: unknown, signalId?: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a system in memory. Throws `agent.unknown` for a fake of an agent that is not there. */
export function startLocal(system: System, options: StartLocalOptions = {}): LocalSystem {
  const clock = options.clock ?? new SkippingClock(Date.now());
  const world = new LocalWorld({ clock, random: systemRandom });
  const host = new Host({ system: withFakes(system, options.fakes ?? {}), ports: world.ports, log: options.log ?? SILENT });
  world.attach(host);
  const ended = new Set<string>();
  host.listen((_before, after) => {
    if (after.phase === "ended") ended.add(after.id);
  });
  let given = 0;
  const newId = (): string => `local-${(given += 1)}`;
  const operations = new SystemOperations({ system, ports: world.ports, host, newId });
  const driver = new Driver({ world, host, clock, giveUpMs: options.giveUpMs ?? GIVE_UP_MS });
  return {
    run: async (route, input, task = {}) => {
      const id = task.id ?? newId();
      await driver.during(operations.submit({ id, route, input, timeoutMs: task.timeoutMs }, { principal: ANONYMOUS }, 0));
      await driver.until(() => ended.has(id));
      const shown = Shown.parse(await operations.process(id));
      if (shown.outcome === undefined) throw new Fault("turn.failed", `the process ended without an outcome: ${shown.phase}`);
      return { id, ...shown.outcome, history: shown.history };
    },
    cancel: async (id, reason) => {
      await driver.during(operations.cancel(id, reason, { principal: ANONYMOUS }));
    },
    signal: async (id, name, payload, signalId) => {
      await driver.during(operations.signal(id, name, payload, { principal: ANONYMOUS }, signalId));
    },
    stop: () => host.stop(0),
  };
}

interface Driven {
  readonly world: LocalWorld;
  readonly host: Host;
  readonly clock: Clock;
  readonly giveUpMs: number;
}

/** Turns of the event loop in which nothing may happen before time is skipped. */
const QUIET_ROUNDS = 3;

/** Moves the world's time on while somebody waits. One loop for all that wait, or each would skip time for the others. */
class Driver {
  readonly #driven: Driven;
  #round: Promise<void> | undefined;
  #quiet = 0;
  #held = 0;

  constructor(driven: Driven) {
    this.#driven = driven;
  }

  async until(done: () => boolean): Promise<void> {
    const { giveUpMs } = this.#driven;
    const endAt = performance.now() + giveUpMs;
    while (!done()) {
      if (performance.now() > endAt) throw new Fault("process.expired", `the run did not end within ${giveUpMs} ms of real time`);
      this.#round ??= this.#go().finally(() => {
        this.#round = undefined;
      });
      await this.#round;
    }
  }

  /** No time is skipped meanwhile. */
  async during<T>(action: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await action;
    } finally {
      this.#held -= 1;
    }
  }

  async #go(): Promise<void> {
    const { world, host, clock } = this.#driven;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!(clock instanceof SkippingClock)) return;
    const active = clock.fireDue() || this.#held > 0 || world.busy || host.running > 0;
    this.#quiet = active ? 0 : this.#quiet + 1;
    if (this.#quiet < QUIET_ROUNDS) return;
    this.#quiet = 0;
    if (!clock.leap()) throw new Fault("turn.failed", "nothing is left that could go on, and the process has not ended");
  }
}

function withFakes(system: System, fakes: Readonly<Record<string, FakeHandler>>): System {
  const agents = new Map<string, AgentDefinition>(system.agents);
  for (const [name, handle] of Object.entries(fakes)) {
    const definition = agents.get(name);
    if (definition === undefined) throw new Fault("agent.unknown", `there is no agent ${JSON.stringify(name)} to fake`);
    agents.set(name, { ...definition, handle: async (input, context) => handle(input, context) });
  }
  return { ...system, agents };
}
