/** @module Recovery does not rely on one nudge: a process whose nudge failed is nudged again, until it succeeds or the host stops. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { IndexClient } from "../../actors/host/index-client.ts";
import { LocalWorld, SkippingClock } from "../../actors/memory/world.ts";
import { SILENT } from "../../actors/engine/log.ts";
import type { Reminders, Ports } from "../../actors/engine/ports.ts";
import { Host } from "../../actors/host/host.ts";
import { recover } from "../../actors/host/recovery.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { systemRandom } from "../../actors/engine/system-clock.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { Fault } from "../../runtime/faults.ts";
import { bookingSystem } from "../live/booking.ts";

const NEVER = { call: () => new Promise<void>(() => {}) };
const DONE = { call: () => Promise.resolve() };
const ROUND_MS = 5;
const ROUNDS_MAX = 400;

/** A scheduler that is not back yet refuses so many reminders. */
function lateReminders(refusals: number): Reminders & { readonly set: Reminders["set"]; readonly names: string[] } {
  let left = refusals;
  const names: string[] = [];
  return {
    names,
    set: async (_actor, name) => {
      left -= 1;
      if (left >= 0) throw new Fault("sidecar.unavailable", "the scheduler is not back yet");
      names.push(name);
    },
    remove: async () => {},
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
  const reminders = lateReminders(3);
  const ports: Ports = { ...second.ports, reminders };
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
  expect(reminders.names.length).toBeGreaterThan(0);
});
