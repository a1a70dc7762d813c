/** @module What Node is told where it runs an app. */

/**
 * Half-spaces of the young generation of 8 MiB instead of V8's 32 (Node 24): with 1,000 open processes an app takes some
 * 370 MiB instead of 450, most of which was garbage that nobody had collected yet (docs/bench.md). Costs a few percent of CPU.
 */
export const APP_NODE_ARGS = ["--max-semi-space-size=8"] as const;
