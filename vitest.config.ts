/** @module Two projects: `fast` is pure and runs in parallel; `live` starts real processes and runs one file at a time. */
import { defineConfig } from "vitest/config";

/** The tests that start Dapr, a store or the command itself. */
export const LIVE = [
  "test/live/**/*.test.ts",
  "test/conformance/**/*.test.ts",
  "test/**/live.test.ts",
  "test/**/*.live.test.ts",
  "test/cli/{dapr-cluster,demo,up}.test.ts",
  "test/examples/**/*.test.ts",
  "test/pack/**/*.test.ts",
];

const FAST_TIMEOUT_MS = 20_000;
const LIVE_TIMEOUT_MS = 120_000;
const SLOW_TEST_MS = 2_000;
/** How long `expect.poll` waits for what must come; a busy machine needs more than vitest's second. */
const POLL_MS_MAX = 15_000;
/** A few files at once are quicker than one; more would only share the same cores. */
const FAST_FILES_MAX = 4;

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
          name: "live",
          include: LIVE,
          exclude: ["**/node_modules/**"],
          testTimeout: LIVE_TIMEOUT_MS,
          hookTimeout: LIVE_TIMEOUT_MS,
          expect: { poll: { timeout: POLL_MS_MAX } },
          fileParallelism: false,
        },
      },
    ],
  },
});
