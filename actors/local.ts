/**
 * @module `runLocal`: one task of a system, without Dapr, in milliseconds, on the turn engine that runs on Dapr.
 */
import { z } from "zod";
import type { AgentDefinition } from "../agents/agent.ts";
import type { RuntimeContext } from "../agents/context.ts";
import type { System } from "../agents/system.ts";
import { Fault, type Json, type WireFault } from "../runtime/faults.ts";
import { ANONYMOUS, type OutcomeStatus } from "../runtime/protocol.ts";
import { Host } from "./host.ts";
import { LocalWorld, SkippingClock } from "./local-world.ts";
import { type Logger, SILENT } from "./log.ts";
import type { Clock } from "./ports.ts";
import { systemChance } from "./system-clock.ts";
import { SystemOperations } from "./system-operations.ts";

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
  /** Original message, fault, attempts, history, path: as it would lie at the dead letter desk. */
  readonly deadLetter?: Json | undefined;
  readonly history: readonly LocalHistoryLine[];
}

const GIVE_UP_MS = 30_000;

const Shown = z.object({
  phase: z.string(),
  history: z.array(z.object({ atMs: z.int(), what: z.string(), stop: z.string(), agent: z.string(), attempt: z.int(), code: z.string().optional() })),
  outcome: z.object({ status: z.custom<OutcomeStatus>(), output: z.custom<Json>().optional(), fault: z.custom<WireFault>().optional(), deadLetter: z.custom<Json>().optional() }).optional(),
});

/** Runs one task to its outcome. Throws coded faults on bad input, and when the task does not end in `giveUpMs`. */
export async function runLocal(system: System, route: string, input: unknown, options: RunLocalOptions = {}): Promise<LocalOutcome> {
  const id = options.id ?? "local";
  const clock = options.clock ?? new SkippingClock(Date.now());
  const world = new LocalWorld({ clock, chance: systemChance });
  const host = new Host({ system: withFakes(system, options.fakes ?? {}), ports: world.ports, log: options.log ?? SILENT });
  world.attach(host);
  const operations = new SystemOperations({ system, ports: world.ports, host, newId: () => id });
  let ended = false;
  host.listen((_before, after) => {
    if (after.id === id && after.phase === "ended") ended = true;
  });
  await operations.submit({ id, route, input, timeoutMs: options.timeoutMs }, { principal: ANONYMOUS }, 0);
  await drive({ world, host, clock, giveUpMs: options.giveUpMs ?? GIVE_UP_MS }, () => ended);
  const shown = Shown.parse(await operations.process(id));
  await host.stop(0);
  if (shown.outcome === undefined) throw new Fault("turn.failed", `the process ended without an outcome: ${shown.phase}`);
  return { id, ...shown.outcome, history: shown.history };
}

interface Driven {
  readonly world: LocalWorld;
  readonly host: Host;
  readonly clock: Clock;
  readonly giveUpMs: number;
}

/** Turns of the event loop in which nothing may happen before time is skipped. */
const QUIET_ROUNDS = 3;

async function drive({ world, host, clock, giveUpMs }: Driven, done: () => boolean): Promise<void> {
  const endAt = performance.now() + giveUpMs;
  let quiet = 0;
  while (!done()) {
    if (performance.now() > endAt) throw new Fault("process.expired", `the run did not end within ${giveUpMs} ms of real time`);
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!(clock instanceof SkippingClock)) continue;
    const active = clock.fireDue() || world.busy || host.running > 0;
    quiet = active ? 0 : quiet + 1;
    if (quiet < QUIET_ROUNDS) continue;
    quiet = 0;
    if (!clock.skip()) throw new Fault("turn.failed", "nothing is left that could go on, and the process has not ended");
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
