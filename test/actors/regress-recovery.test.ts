/** @module Recovery does not rely on one nudge: a process whose nudge failed is nudged again, until it succeeds or the host stops. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { IndexClient } from "../../actors/host/index-client.ts";
import { LocalWorld, SkippingClock } from "../../actors/memory/world.ts";
import { SILENT } from "../../actors/engine/log.ts";
import type { Ports, Transport } from "../../actors/engine/ports.ts";
import { Host } from "../../actors/host/host.ts";
import { recover } from "../../actors/host/recovery.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { systemRandom } from "../../actors/engine/system-clock.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { Fault } from "../../runtime/faults.ts";
import { bookingSystem } from "../live/booking.ts";

const NEVER = { call: () => new Promise<void>(() => {}) };
const DONE = { call: () => Promise.resolve() };
const PROCESSES = 3;
const ROUND_MS = 5;
const ROUNDS_MAX = 400;

/** A sidecar that is not back yet refuses so many nudges. */
function lateNudges(transport: Transport, refusals: number): Transport & { readonly nudged: () => number } {
  let left = refusals;
  let nudged = 0;
  return {
    publish: (topic, message) => transport.publish(topic, message),
    deliver: (message) => transport.deliver(message),
    heartbeat: (actor, beat) => transport.heartbeat(actor, beat),
    inspect: (actor) => transport.inspect(actor),
    notification: (topic, id, data) => transport.notification(topic, id, data),
    nudged: () => nudged,
    nudge: async (actor, run) => {
      left -= 1;
      if (left >= 0) throw new Fault("sidecar.unavailable", "the sidecar is not back yet");
      nudged += 1;
      return transport.nudge(actor, run);
    },
  };
}

test("a process whose first nudges fail goes on once a nudge succeeds, though no reminder of it is left", async () => {
  const store = new MemoryStore();
  const system = bookingSystem(NEVER);
  const first = new LocalWorld({ clock: new SkippingClock(Date.now()), store, random: systemRandom });
  const host = new Host({ system, ports: first.ports, log: SILENT, listener: "listener" });
  first.attach(host);
  await new SystemOperations({ system, ports: first.ports, host, newId: () => "one" }).submit(
    { id: "one", route: "party", input: { n: 1, shelf: "s", refuse: false } },
    { principal: { subject: "test", tenant: "default", permissions: [] } },
    0,
  );

  const clock = new SkippingClock(Date.now());
  const second = new LocalWorld({ clock, store, random: systemRandom });
  const transport = lateNudges(second.ports.transport, 3);
  const ports: Ports = { ...second.ports, transport };
  const back = new Host({ system: bookingSystem(DONE), ports, log: SILENT, listener: "listener" });
  second.attach(back);
  let stopped = false;
  let ended = false;
  back.listen((_before, after) => {
    ended ||= after.phase === "ended";
  });
  const count = await recover({
    system: "live",
    ports,
    directory: new IndexClient(ports, "live", "Directory"),
    log: SILENT,
    stopped: () => stopped,
  });
  expect(count).toBe(1);
  for (let round = 0; round < ROUNDS_MAX && !ended; round += 1) {
    await sleep(ROUND_MS);
    clock.leap();
    clock.fireDue();
  }
  stopped = true;
  expect(ended).toBe(true);
  expect(transport.nudged()).toBe(1);
});

test("a host that starts nudges each process once, also those of a host that it finds dead at its first look", async () => {
  const store = new MemoryStore();
  const system = bookingSystem(NEVER);
  const first = new LocalWorld({ clock: new SkippingClock(Date.now()), store, random: systemRandom });
  const host = new Host({ system, ports: first.ports, log: SILENT, listener: "listener" });
  first.attach(host);
  await host.start();
  let made = 0;
  const operations = new SystemOperations({ system, ports: first.ports, host, newId: () => `p${(made += 1)}` });
  for (let n = 1; n <= PROCESSES; n += 1)
    await operations.submit(
      { route: "party", input: { n, shelf: "s", refuse: false } },
      { principal: { subject: "test", tenant: "default", permissions: [] } },
      0,
    );

  const second = new LocalWorld({ clock: new SkippingClock(Date.now()), store, random: systemRandom });
  const nudged: string[] = [];
  const { transport } = second.ports;
  const counted: Transport = {
    ...lateNudges(transport, 0),
    nudge: (actor, run) => {
      nudged.push(actor.id);
      return transport.nudge(actor, run);
    },
  };
  // On the same listener: the host before it is dead for certain.
  const back = new Host({ system, ports: { ...second.ports, transport: counted }, log: SILENT, listener: "listener" });
  second.attach(back);
  const deaths: string[] = [];
  back.watch.onDeath((incarnation) => void deaths.push(incarnation));
  expect(await back.start()).toBe(PROCESSES);
  await sleep(ROUND_MS);
  expect(deaths).toEqual([host.incarnation]);
  expect(nudged.sort()).toEqual(Array.from({ length: PROCESSES }, (_, at) => `p${at + 1}`));
  await Promise.all([host.stop(0), back.stop(0)]);
});
