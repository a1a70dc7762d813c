/**
 * @module The last phase of some runs: the world has been quiet for long, hosts sweep and are killed while they do, and
 * everything that was ever sent comes again. Nothing may start or come back, and ended processes must leave no keys.
 */
import { SILENT } from "../actors/engine/log.ts";
import type { Ports } from "../actors/engine/ports.ts";
import { Retention } from "../actors/retention/retention.ts";
import { settledName, workActorId } from "../runtime/ids.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Message } from "../runtime/protocol.ts";
import type { Finding } from "./checks/check.ts";
import type { Life } from "./world/life.ts";
import type { Random } from "./world/random.ts";
import { drive } from "./world/timeline.ts";
import type { Watch } from "./checks/watch.ts";
import type { World } from "./world/world.ts";

const SWEEPS_MIN = 5;
const SWEEP_MS = 60_000;
const KILL_MS_MAX = 400;
const DOWN_MS = 1_000;
const RESENT_MAX = 60;
/** The last part of the key of a settled work item's entry. */
const ENTRY = /^settled-([0-9a-f]+)-\d+$/;

/** Hears every message that a host sends. */
export function hearing(
  hear: (message: Message, world: World) => void,
  wrap: ((ports: Ports, life: Life, world: World) => Ports) | undefined,
): (ports: Ports, life: Life, world: World) => Ports {
  return (made, life, world) => {
    const ports = wrap?.(made, life, world) ?? made;
    const { transport } = ports;
    const heard = (message: Message): Message => {
      hear(message, world);
      return message;
    };
    return {
      ...ports,
      transport: {
        publish: (topic, message) => transport.publish(topic, heard(message)),
        deliver: (message) => transport.deliver(heard(message)),
        heartbeat: (actor, beat) => transport.heartbeat(actor, beat),
        inspect: (actor) => transport.inspect(actor),
        nudge: (actor, run) => transport.nudge(actor, run),
        notification: (topic, id, data) => transport.notification(topic, id, data),
      },
    };
  };
}

/** Purges the world of a run that is over. Returns the broken laws. */
export async function purgePhase(world: World, watch: Watch, random: Random, messages: readonly Message[]): Promise<readonly Finding[]> {
  const old = [...messages];
  const findings: Finding[] = [];
  const find = (law: string, text: string): void => void findings.push({ law, text });
  for (const node of world.nodes) world.restart(node.index);
  world.endWatches();
  await pass(world, LIMITS.retentionMsDefault + 2 * LIMITS.indexBucketMs);
  const effects = world.outside.ledger.length;
  for (let sweep = 0; sweep < SWEEPS_MIN && !watch.failed; sweep += 1) {
    if (sweep >= 2) await pass(world, LIMITS.tombstoneMs + LIMITS.clockDriftMsMax);
    for (const { life } of world.nodes) sweepOn(world, life);
    const victim = world.anyUp(random);
    // No host is killed in the last sweeps, so that they finish what killed hosts began.
    if (sweep < 2 && victim !== undefined)
      world.timeline.after(random.int(1, KILL_MS_MAX), () => world.crash(victim, DOWN_MS, "in the midst of a sweep"));
    for (let count = 0; count < RESENT_MAX && old.length > 0; count += 1) {
      const message = random.pick(old);
      world.timeline.after(
        random.int(0, SWEEP_MS / 2),
        () =>
          void world
            .anyUp(random)
            ?.face?.receive(structuredClone(message))
            .catch(() => {}),
      );
    }
    await pass(world, SWEEP_MS);
  }
  findings.push(...watch.findings);
  if (world.outside.ledger.length !== effects)
    find(
      "what was purged stays purged",
      `${world.outside.ledger.length - effects} effects happened after the purge began: ${JSON.stringify(world.outside.ledger[effects])}`,
    );
  checkGone(world, watch, find);
  return findings;
}

async function pass(world: World, ms: number): Promise<void> {
  // Virtual time only moves to the next event, so an event is needed at the end.
  world.timeline.after(ms, () => {});
  await drive(world.timeline, world.timeline.nowMs + ms, () => false);
}

function sweepOn(world: World, life: Life): void {
  if (life.state !== "up" || life.host === undefined || life.ports === undefined) return;
  world.trace?.(`${life.name}: sweeps`);
  void new Retention({ system: world.options.system.name, host: life.host, ports: life.ports, log: SILENT }).sweep().catch(() => {});
}

/** A process that ended without a dead letter and has no parent must have left no keys. */
function checkGone(world: World, watch: Watch, find: (law: string, text: string) => void): void {
  const actors = workActors(watch);
  const settled = Map.groupBy(watch.left, ([, processId]) => processId);
  for (const { id, state } of watch.processes.values()) {
    if (state.outcome === undefined || state.outcome.deadLetter !== undefined || state.task?.parent !== undefined) continue;
    const gone = new Set([id, ...(actors.get(id) ?? []), ...(settled.get(id) ?? []).map(([workId]) => settledName(workId))]);
    const left = [...world.store.keys].filter((key) => key.split("/").some((part) => gone.has(part.replace(ENTRY, "$1"))));
    if (left.length > 0) find("what ended is purged", `${id} has left ${left.length} keys, such as ${left[0] ?? ""}`);
  }
}

/** The actors that did one work item each, by process. */
function workActors(watch: Watch): ReadonlyMap<string, readonly string[]> {
  const actors = new Map<string, string[]>();
  for (const { state } of watch.agents.values())
    for (const { id, processId } of Object.values(state.works))
      if (workActorId(id) === state.id) actors.set(processId, [...(actors.get(processId) ?? []), state.id]);
  return actors;
}
