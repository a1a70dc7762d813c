/**
 * @module Three projects: `fast` is pure and runs in parallel. `paired` starts real processes and mostly waits for them, so two files run
 * at once. `live` measures, kills and freezes real processes, so one file runs at a time.
 */
import { defineConfig } from "vitest/config";

/** Tests of the command, the examples and the screens. */
export const PAIRED = ["test/**/*.live.test.ts", "test/cli/{dapr-cluster,demo,up}.test.ts", "test/examples/**/*.test.ts"];
/** Tests that need the machine, or the clone, for themselves. */
export const ALONE = ["test/live/**/*.test.ts", "test/conformance/**/*.test.ts", "test/**/live.test.ts", "test/pack/**/*.test.ts"];
/** The tests that start Dapr, a store or the command itself. */
export const LIVE = [...PAIRED, ...ALONE];

/** A test of seconds takes a minute where other programs share two slow cores. */
const FAST_TIMEOUT_MS = 60_000;
const LIVE_TIMEOUT_MS = 120_000;
const SLOW_TEST_MS = 2_000;
/** How long `expect.poll` waits for what must come; a busy machine needs more than vitest's second. */
const POLL_MS_MAX = 15_000;
/** A few files at once are quicker than one; more would only share the same cores. */
const FAST_FILES_MAX = 4;
const PAIRED_FILES = 2;
const LIVE_SETTINGS = { testTimeout: LIVE_TIMEOUT_MS, hookTimeout: LIVE_TIMEOUT_MS, expect: { poll: { timeout: POLL_MS_MAX } } } as const;

export default defineConfig({
  test: {
    slowTestThreshold: SLOW_TEST_MS,
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...LIVE],
          testTimeout: FAST_TIMEOUT_MS,
          hookTimeout: FAST_TIMEOUT_MS,
          expect: { poll: { timeout: POLL_MS_MAX } },
          maxWorkers: FAST_FILES_MAX,
        },
      },
      {
        test: {
          name: "paired",
          ...LIVE_SETTINGS,
          include: PAIRED,
          exclude: ["**/node_modules/**", ...ALONE],
          maxWorkers: PAIRED_FILES,
        },
      },
      {
        test: {
          name: "live",
          ...LIVE_SETTINGS,
          include: ALONE,
          exclude: ["**/node_modules/**"],
          fileParallelism: false,
        },
      },
    ],
  },
});
