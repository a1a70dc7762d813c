/** @module A sidecar that holds every actor call is reset; one that answers, or does not exist, is left alone. */
import { expect, test } from "vitest";
import { SILENT } from "../../actors/engine/log.ts";
import type { Clock } from "../../actors/engine/ports.ts";
import { SidecarWatchdog } from "../../actors/dapr/watchdog.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { startRig } from "./http/rig.ts";

const HOUR_MS = 3_600_000;

/** A clock on which waiting takes no time. */
class QuickClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  after(delayMs: number, callback: () => void): () => void {
    setImmediate(() => {
      this.ms += delayMs;
      callback();
    });
    return () => {};
  }
}

/** Runs a watchdog for a time; gives when the app called itself unhealthy, from and for how long. */
async function downs(
  call: (clock: QuickClock) => Promise<unknown>,
  untilMs: number,
): Promise<{ readonly atMs: number; readonly forMs: number }[]> {
  const clock = new QuickClock();
  const found: { atMs: number; forMs: number }[] = [];
  let since: number | undefined;
  const log = { ...SILENT, warn: () => void (since = clock.ms) };
  const dog: SidecarWatchdog = new SidecarWatchdog({
    clock,
    log,
    stopped: () => clock.ms > untilMs,
    call: () => {
      if (since !== undefined) found.push({ atMs: since, forMs: clock.ms - since });
      since = undefined;
      expect(dog.resetting).toBe(false);
      return call(clock);
    },
  });
  await dog.run();
  return found;
}

const hang = async (clock: QuickClock): Promise<never> => {
  clock.ms += LIMITS.sidecarCallMs;
  throw new Error("no answer");
};

test("a sidecar that holds every call is reset within half a minute, and for longer when that did not help", async () => {
  const found = await downs(hang, 200_000);
  expect(found.length).toBeGreaterThan(2);
  expect(found[0]?.atMs).toBeLessThan(30_000);
  expect(found[0]?.forMs).toBeGreaterThanOrEqual(5_000);
  expect(found[1]?.forMs).toBeGreaterThanOrEqual(20_000);
});

test("answers, errors and a sidecar that is not there never reset it", async () => {
  expect(await downs(async () => ({}), HOUR_MS)).toEqual([]);
  expect(await downs(() => Promise.reject(new Error("refused")), HOUR_MS)).toEqual([]);
});

test("a few calls without an answer, as when placement moves actors, do not reset it", async () => {
  let count = 0;
  expect(await downs((clock) => ((count += 1) % 4 === 0 ? Promise.resolve() : hang(clock)), HOUR_MS)).toEqual([]);
});

test("while it is reset the app says on /healthz that it is not healthy", async () => {
  let resetting = true;
  const rig = await startRig({ resetting: () => resetting });
  expect((await rig.call("GET", "/healthz")).status).toBe(503);
  resetting = false;
  expect((await rig.call("GET", "/healthz")).status).toBe(200);
  await rig.host.drain();
});
