/** @module A sidecar that holds every actor call is reset; one that answers, or does not exist, is left alone. */
import { expect, test } from "vitest";
import { SILENT } from "../../actors/engine/log.ts";
import type { Clock } from "../../actors/engine/ports.ts";
import { SidecarWatchdog, type WatchdogParts } from "../../actors/dapr/watchdog.ts";
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
  parts: Partial<Pick<WatchdogParts, "reach" | "answered">> = {},
): Promise<{ readonly atMs: number; readonly forMs: number }[]> {
  const clock = new QuickClock();
  const found: { atMs: number; forMs: number }[] = [];
  let since: number | undefined;
  const log = { ...SILENT, warn: () => void (since = clock.ms) };
  const dog: SidecarWatchdog = new SidecarWatchdog({
    clock,
    log,
    reach: () => Promise.resolve(),
    answered: () => ({ answeredAtMs: -1, acceptedAtMs: -1 }),
    ...parts,
    stopped: () => clock.ms > untilMs,
    call: () => {
      if (since !== undefined) found.push({ atMs: since, forMs: clock.ms - since });
      since = undefined;
      expect(dog.reason).toBeUndefined();
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

test("a sidecar that answers is never reset, nor is one that holds the check and answers other actor calls", async () => {
  expect(await downs(async () => ({}), HOUR_MS)).toEqual([]);
  const busy = { answered: () => ({ answeredAtMs: Number.POSITIVE_INFINITY, acceptedAtMs: -1 }) };
  expect(await downs(hang, HOUR_MS, busy)).toEqual([]);
});

const refuse = (): Promise<never> => Promise.reject(new Error("refused"));

test("a sidecar that refuses every call at once makes the app unhealthy after 15 s, for a while, again and again", async () => {
  const found = await downs(refuse, 120_000);
  expect(found.length).toBeGreaterThan(1);
  expect(found[0]?.atMs).toBeGreaterThanOrEqual(15_000);
  expect(found[0]?.atMs).toBeLessThan(30_000);
  for (const { forMs } of found) expect(forMs).toBeGreaterThanOrEqual(20_000);
});

test("refusals for less than 15 s, and of a host whose other calls succeed, change nothing", async () => {
  let count = 0;
  expect(await downs(() => ((count += 1) % 3 === 0 ? Promise.resolve() : refuse()), HOUR_MS)).toEqual([]);
  const served = { answered: () => ({ answeredAtMs: Number.POSITIVE_INFINITY, acceptedAtMs: Number.POSITIVE_INFINITY }) };
  expect(await downs(refuse, HOUR_MS, served)).toEqual([]);
});

test("a sidecar that was away finds the app healthy as soon as it is back", async () => {
  let looks = 0;
  const reach = (): Promise<void> => ((looks += 1) > 3 ? Promise.resolve() : Promise.reject(new Error("not there")));
  const found = await downs(refuse, 40_000, { reach });
  expect(found[0]?.forMs).toBeLessThan(10_000);
});

test("a few calls without an answer, as when placement moves actors, do not reset it", async () => {
  let count = 0;
  expect(await downs((clock) => ((count += 1) % 4 === 0 ? Promise.resolve() : hang(clock)), HOUR_MS)).toEqual([]);
});

test("while it is reset the app says on /healthz that it is not healthy", async () => {
  let reason: string | undefined = "the sidecar refuses every actor call";
  const rig = await startRig({ unhealthy: () => reason });
  expect(await rig.call("GET", "/healthz")).toMatchObject({ status: 503, json: { status: "unhealthy", reason } });
  reason = undefined;
  expect((await rig.call("GET", "/healthz")).status).toBe(200);
  await rig.host.drain();
});
