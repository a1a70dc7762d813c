/** @module Work items on one keyed actor: none costs more than an early one, and settled ones leave its state. */
import { expect, test } from "vitest";
import { Bed } from "../../bench/bed.ts";
import { hotKey } from "../../bench/hot-key.ts";
import { startTroupe } from "../../bench/targets/troupe.ts";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { print } from "./random.ts";

/** LIVE_WORKS=10000 for the full figure. */
const WORKS = Number(process.env["LIVE_WORKS"] ?? 500);
const CALLERS = 8;
const TEST_MS = 300_000;
const BYTES_RATIO_MAX = 1.2;
/** The bar is 1.2 on a machine of its own; this bound only catches a cost that grows. */
const TIME_RATIO_MAX = 3;
const SNAPSHOT_BYTES_MAX = 1_048_576;

const binaries = await findDapr();

for (const profile of ["embedded", "redis-everysec"] as const) {
  const there = binaries !== undefined && (profile === "embedded" || (await findRedis()) !== undefined);
  if (!there) print(`skip: no Dapr programs or no store for ${profile}`);
  test.skipIf(!there)(`${WORKS} work items on one key all complete at a level cost (${profile})`, { timeout: TEST_MS }, async () => {
    if (binaries === undefined) throw new Error("no Dapr programs");
    const bed = await Bed.make();
    await bed.run(TEST_MS, async () => {
      const target = await bed.hold(startTroupe({ ...(await bed.place()), binaries, profile, ids: "made", env: { BENCH_KEY: "hot" } }));
      const { measured, snapshotBytes, ratios } = await hotKey(target, WORKS, CALLERS);
      const last = measured.at(-1);
      print(
        `${WORKS} work items on one key (${profile}): ${last?.ms.toFixed(1)} ms and ${last?.bytes.toFixed(0)} bytes each at the end; ` +
          `against the beginning: time ${ratios.ms.toFixed(2)}, bytes ${ratios.bytes.toFixed(2)}; snapshot ${snapshotBytes} bytes`,
      );
      expect(ratios.bytes).toBeLessThanOrEqual(BYTES_RATIO_MAX);
      expect(ratios.ms).toBeLessThan(TIME_RATIO_MAX);
      expect(snapshotBytes).toBeLessThan(SNAPSHOT_BYTES_MAX);
    });
  });
}
