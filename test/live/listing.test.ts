/** @module Listings over a real daprd: the benchmark of pages in a small version. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "..", "..", "bench/listing.ts");

test("pages of both listings are complete, and faster than the bar", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, "--profile", "embedded", "--entries", "1000", "--pages", "30"]);
  expect(stdout).toMatch(/^embedded: 1000 entries/m);
  expect(stdout.match(/^\/(processes|deadletters) /gm)).toHaveLength(8);
}, 120_000);
