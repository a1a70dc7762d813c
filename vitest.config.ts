/**
 * @module Three projects: `fast` is pure and runs in parallel. `live` starts and kills real processes and mostly waits for them, so two
 * files run at once. `alone` measures, or changes the clone, so one file runs at a time.
 */
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** Tests that start Dapr, a store or the command itself. */
export const LIVE = [
  "test/**/*.live.test.ts",
  "test/**/live.test.ts",
  "test/cli/{dapr-cluster,demo,up}.test.ts",
  "test/{conformance,examples,live,pack}/**/*.test.ts",
];
/** Those of them that measure times and memory, or pack the clone. */
export const ALONE = ["test/live/{fan,hot-key,listing,recovery,thousand,waiting}.test.ts", "test/pack/**/*.test.ts"];

/** A test of seconds takes a minute where other programs share two slow cores. */
const FAST_TIMEOUT_MS = 60_000;
const LIVE_TIMEOUT_MS = 120_000;
const SLOW_TEST_MS = 2_000;
/** How long `expect.poll` waits for what must come; a busy machine needs more than vitest's second. */
const POLL_MS_MAX = 15_000;
/** A few files at once are quicker than one; more would only share the same cores. */
const FAST_FILES_MAX = 4;
const LIVE_FILES_MAX = 2;
const LIVE_SETTINGS = { testTimeout: LIVE_TIMEOUT_MS, hookTimeout: LIVE_TIMEOUT_MS, expect: { poll: { timeout: POLL_MS_MAX } } } as const;
const NOT_OURS = "**/node_modules/**";

export default defineConfig({
  test: {
    slowTestThreshold: SLOW_TEST_MS,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [NOT_OURS, ...LIVE],
          testTimeout: FAST_TIMEOUT_MS,
          hookTimeout: FAST_TIMEOUT_MS,
          expect: { poll: { timeout: POLL_MS_MAX } },
          maxWorkers: FAST_FILES_MAX,
        },
      },
      {
        test: {
          name: "live",
          ...LIVE_SETTINGS,
          include: LIVE,
          exclude: [NOT_OURS, ...ALONE],
          maxWorkers: LIVE_FILES_MAX,
        },
      },
      {
        test: {
          name: "alone",
          ...LIVE_SETTINGS,
          include: ALONE,
          exclude: [NOT_OURS],
          fileParallelism: false,
        },
      },
    ],
  },
});
