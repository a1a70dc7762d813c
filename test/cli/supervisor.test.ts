/** @module The supervisor: what dies is restarted with backoff, so often and no more; what is ended on purpose is no death. */
import { beforeEach, describe, expect, test } from "vitest";
import { Lifetime } from "../../cli/run/lifetime.ts";
import { RESTARTS_MAX, Supervisor } from "../../cli/run/supervisor.ts";

const STAYS_UP_MS = 60_000;

interface Rig {
  readonly supervisor: Supervisor;
  readonly lifetime: Lifetime;
  readonly said: string[];
  readonly waits: number[];
  restarts: number;
  isRunning: boolean;
  nowMs: number;
  /** What a restart does. */
  work: () => Promise<void>;
}

let rig: Rig;
beforeEach(() => {
  const lifetime = new Lifetime();
  const said: string[] = [];
  const waits: number[] = [];
  const pause = async (ms: number): Promise<void> => void waits.push(ms);
  const supervisor = new Supervisor({ lifetime, say: (line) => said.push(line), pause, nowMs: () => rig.nowMs });
  rig = { supervisor, lifetime, said, waits, restarts: 0, isRunning: true, nowMs: 0, work: async () => undefined };
  supervisor.begin(
    new Map([
      [
        "app",
        {
          isRunning: () => rig.isRunning,
          restart: async () => {
            rig.restarts += 1;
            await rig.work();
          },
        },
      ],
    ]),
  );
});

async function die(): Promise<void> {
  rig.supervisor.onExit("app", "ended with SIGKILL");
  await rig.supervisor.idle();
}

describe("a part that dies", () => {
  test("is restarted, and that is said", async () => {
    await die();
    expect(rig.said).toEqual(["app ended with SIGKILL; restart 1 of 12 in 0.5 s", "app is up again"]);
    expect(rig.lifetime.signal.aborted).toBe(false);
  });

  test("is restarted after longer and longer waits, and then ends the run with its name", async () => {
    for (let death = 0; death <= RESTARTS_MAX; death += 1) await die();
    expect(rig.waits).toEqual([500, 1_000, 2_000, ...Array<number>(9).fill(4_000)]);
    expect(rig.restarts).toBe(RESTARTS_MAX);
    expect(rig.lifetime.signal.reason).toMatchObject({
      code: "PART_ENDED",
      message: "app ended with SIGKILL. It was restarted 12 times and does not stay up, so everything was stopped.",
    });
  });

  test("and stayed up for a minute is forgiven", async () => {
    for (let death = 0; death < 2 * RESTARTS_MAX; death += 1) {
      await die();
      rig.nowMs += STAYS_UP_MS;
    }
    expect(rig.waits).toEqual(Array(2 * RESTARTS_MAX).fill(500));
    expect(rig.lifetime.signal.aborted).toBe(false);
  });

  test("and does not start again counts as having died again", async () => {
    rig.work = async () => {
      throw new Error("no disk");
    };
    await die();
    expect(rig.restarts).toBe(RESTARTS_MAX);
    expect(rig.said.at(-1)).toContain("app did not start: ");
    expect(rig.lifetime.signal.reason).toMatchObject({ code: "PART_ENDED" });
  });

  test("and dies again while it is being restarted is restarted once more, not twice at once", async () => {
    rig.isRunning = false;
    rig.work = async () => {
      rig.supervisor.onExit("app", "ended with exit code 1");
      rig.isRunning = rig.restarts === 2;
    };
    await die();
    expect(rig.restarts).toBe(2);
    expect(rig.said[1]).toBe("app ended again at once; restart 2 of 5 in 1 s");
  });
});

describe("no death", () => {
  test("is what ends on purpose in planned work, and planned work waits for a restart under way", async () => {
    const order: string[] = [];
    rig.work = async () => void order.push("restart");
    rig.supervisor.onExit("app", "ended");
    await rig.supervisor.planned(["app"], async () => {
      order.push("planned");
      rig.supervisor.onExit("app", "ended with SIGTERM");
    });
    await rig.supervisor.idle();
    expect(order).toEqual(["restart", "planned"]);
  });

  test("is what ends with the run, and the end does not wait for a start under way", async () => {
    rig.work = () => {
      rig.lifetime.end(new Error("over"));
      return new Promise(() => undefined);
    };
    await die();
    expect([rig.restarts, rig.said.length]).toEqual([1, 1]);
  });

  test("is what ends after the run", async () => {
    rig.lifetime.end(new Error("over"));
    await die();
    expect(rig.restarts).toBe(0);
  });
});

test("before everything is up, a part that ends ends the run", () => {
  const lifetime = new Lifetime();
  new Supervisor({ lifetime, say: () => undefined }).onExit("daprd troupe", "ended with exit code 1");
  expect(lifetime.signal.reason).toMatchObject({
    code: "PART_ENDED",
    message: "daprd troupe ended with exit code 1; everything else was stopped.",
  });
});
