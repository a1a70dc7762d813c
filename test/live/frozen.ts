/** @module A host is frozen between its decision and its write; another one takes over and finishes; then the first resumes. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { stopWorkId, workActorId } from "../../runtime/ids.ts";
import { Client } from "./client.ts";
import type { Freeze, Sighting } from "./hooks.ts";
import type { LiveHost } from "./host.ts";
import { effectsWrong, outcomesInJournal } from "./verdict.ts";
import type { World } from "./world.ts";

/** The call before which a host is frozen. */
export const MOMENTS = ["process commit", "agent commit"] as const;
export type Moment = (typeof MOMENTS)[number];

const WAIT_MS = 60_000;
const POLL_MS = 50;
const SETTLE_MS = 4_000;
const READY_MS = 60_000;

export interface FrozenRound {
  readonly moment: Moment;
  /** What was wrong; empty if everything is correct. */
  readonly wrong: readonly string[];
  readonly takeoverMs: number;
}

function freezeOf(moment: Moment, id: string): Freeze {
  switch (moment) {
    case "process commit":
      return { path: "^POST /v1.0/state/", body: `live.ProcessManager/${id}/3"` };
    case "agent commit":
      return { path: "^POST /v1.0/state/", body: `live.Pay/${workActorId(stopWorkId(id, 1, "pay", 0, 1))}/2"` };
    default:
      return moment satisfies never;
  }
}

export async function frozenRound(world: World, moment: Moment, n: number): Promise<FrozenRound> {
  const id = `frozen-${n}`;
  for (const host of world.hosts) {
    rmSync(`${host.freezeFile}.log`, { force: true });
    writeFileSync(host.freezeFile, JSON.stringify(freezeOf(moment, id)));
  }
  const refuse = n % 2 === 1;
  await world.client.submit({ id, route: "party", input: { n, shelf: `s${n}`, refuse } });
  const { frozen, other } = await whoFroze(world);
  rmSync(other.freezeFile, { force: true });
  const frozenAtMs = performance.now();
  const client = new Client(() => [other.url]);
  const view = await client.ended(id, Date.now() + WAIT_MS);
  const takeoverMs = performance.now() - frozenAtMs;
  const before = JSON.stringify(view?.outcome);
  frozen.signalApp("SIGCONT");
  const wrong = [...(await wakes(frozen))];
  const status = refuse ? "failed" : "completed";
  if (view?.outcome?.status !== status) wrong.push(`ended ${String(view?.outcome?.status)} and not ${status}: ${JSON.stringify(view)}`);
  const after = await world.client.ended(id, Date.now() + WAIT_MS);
  if (JSON.stringify(after?.outcome) !== before)
    wrong.push(`the outcome changed from ${String(before)} to ${JSON.stringify(after?.outcome)}`);
  if ((await outcomesInJournal(world, id)) !== 1) wrong.push("the journal does not hold one outcome");
  wrong.push(...effectsWrong(world, id, status === "completed"));
  if (await reminderStands(world, id)) wrong.push("a reminder of the ended process still fires");
  await Promise.all(world.hosts.map((host) => host.sidecar.waitReady(READY_MS)));
  return { moment, wrong: wrong.map((text) => `${id} (${moment}): ${text}`), takeoverMs };
}

async function whoFroze(world: World): Promise<{ readonly frozen: LiveHost; readonly other: LiveHost }> {
  const end = performance.now() + WAIT_MS;
  while (performance.now() < end) {
    const frozen = world.hosts.find((host) => sightings(host).some((one) => one.what === "stopped"));
    const other = world.hosts.find((host) => host !== frozen);
    if (frozen !== undefined && other !== undefined) return { frozen, other };
    await sleep(POLL_MS);
  }
  throw new Error("no host reached the write before which it should be frozen");
}

function sightings(host: LiveHost): Sighting[] {
  const file = `${host.freezeFile}.log`;
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Sighting);
}

/** The resumed host makes the commit before which it was frozen, and the store refuses it. */
async function wakes(host: LiveHost): Promise<string[]> {
  const end = performance.now() + WAIT_MS;
  while (!sightings(host).some((one) => one.what === "answered")) {
    if (performance.now() > end) return ["the resumed host never made its call"];
    await sleep(POLL_MS);
  }
  await sleep(SETTLE_MS);
  const answer = sightings(host).find((one) => one.what === "answered");
  return answer?.status === 204 ? [`the late commit was accepted: ${JSON.stringify(answer)}`] : [];
}

/** Whether the scheduler still holds a reminder of the process, after it has had time to be removed. */
async function reminderStands(world: World, id: string): Promise<boolean> {
  const end = performance.now() + WAIT_MS / 2;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${world.host.daprPort}/v1.0/actors/live.ProcessManager/${id}/reminders/run-1`, {
      signal: AbortSignal.timeout(SETTLE_MS),
    }).catch(() => undefined);
    if (answer !== undefined && (answer.status !== 200 || (await answer.text()) === "")) return false;
    if (performance.now() > end) return true;
    await sleep(10 * POLL_MS);
  }
}
