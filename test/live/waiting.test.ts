/** @module Processes that wait cost next to nothing, and go on after a `kill -9` of the app: a small run of `bench/waiting.ts`. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { z } from "zod";
import { findDapr } from "../../cli/dapr/index.ts";
import { print } from "./random.ts";

const PROCESSES = Number(process.env["LIVE_PROCESSES"] ?? 300);
const TEST_MS = 300_000;
/** The bars are 0.1 of a core and 10 s for 10,000 processes on a quiet machine; these bounds hold on a busy one. */
const CORE_SHARE_MAX = 0.2;
const LATE_P99_MS_MAX = 30_000;
const BENCH = fileURLToPath(new URL("../../bench/waiting.ts", import.meta.url));

const Figures = z.looseObject({
  coreShare: z.looseObject({ app: z.number() }),
  lateMsAfterKill: z.looseObject({ p99: z.number() }),
  ended: z.int(),
});

const isAble = (await findDapr()) !== undefined;
if (!isAble) print("skip: no Dapr programs");

test.skipIf(!isAble)(`${PROCESSES} waiting processes (embedded)`, { timeout: TEST_MS }, async () => {
  const args = ["--processes", String(PROCESSES), "--watch", "10", "--spread", "20", "--call", "60", "--quick", "100"];
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, ...args]);
  print(`waiting: ${stdout.trim()}`);
  const { coreShare, lateMsAfterKill, ended } = Figures.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  expect(ended).toBe(PROCESSES);
  expect(coreShare.app).toBeLessThan(CORE_SHARE_MAX);
  expect(lateMsAfterKill.p99).toBeLessThan(LATE_P99_MS_MAX);
});
