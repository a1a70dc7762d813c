/** @module Two owners cannot both win: a host that was frozen during a takeover writes nothing. */
import { expect, test } from "vitest";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { frozenRound, MOMENTS } from "./frozen.ts";
import { print, seedOfRun } from "./random.ts";
import { World } from "./world.ts";

const ROUNDS_MIN = 2 * MOMENTS.length;
const TEST_MS = 240_000;
const ROUND_MS = 60_000;

const rounds = Number(process.env["LIVE_ROUNDS"] ?? ROUNDS_MIN);
const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

test.skipIf(!able)(
  "a frozen host that resumes after the takeover is refused, at every moment between decision and write",
  { timeout: TEST_MS + rounds * ROUND_MS },
  async () => {
    const seed = seedOfRun();
    const world = await World.start({ profile: "redis", hosts: 2, seed });
    try {
      const wrong: string[] = [];
      for (let n = 0; n < rounds; n += 1) {
        const round = await frozenRound(world, MOMENTS[n % MOMENTS.length] ?? "process commit", n);
        print(
          `frozen ${n + 1}/${rounds}, before its ${round.moment}: the other host had ended the process after ` +
            `${Math.round(round.takeoverMs)} ms; ${round.wrong.length === 0 ? "refused" : round.wrong.join("; ")}`,
        );
        wrong.push(...round.wrong);
      }
      expect(wrong).toEqual([]);
    } finally {
      await world.stop();
    }
  },
);
