/** @module Node's options for an app. */

/**
 * Limits the half-spaces of V8's young generation to 8 MiB instead of 32 (Node 24). With 1,000 open processes an app then takes
 * about 370 MiB instead of 450; the difference was uncollected garbage (docs/bench.md). Costs a few percent of CPU.
 */
export const APP_NODE_ARGS = ["--max-semi-space-size=8"] as const;
