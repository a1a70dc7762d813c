/** @module The built dashboard: its size, and that no file of it is loaded from elsewhere. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildDashboard } from "../../pack/dashboard.ts";

const ALL_BYTES_MAX = 350 * 1_024;
const FIRST_BYTES_MAX = 200 * 1_024;

test("all files have at most 350 KiB in gzip, those of the first screen 200, and the page names no other place", async () => {
  const folder = await buildDashboard();
  const files = globSync("assets/*", { cwd: folder });
  const bytes = (name: string): number => gzipSync(readFileSync(join(folder, name))).byteLength;
  const sum = (names: readonly string[]): number => names.reduce((all, name) => all + bytes(name), 0);
  const page = readFileSync(join(folder, "index.html"), "utf8");
  const first = files.filter((name) => page.includes(name));
  process.stdout.write(`dashboard: ${sum(files)} bytes in gzip, ${sum(first)} for the first screen, ${files.length} files\n`);
  expect(sum(files)).toBeLessThanOrEqual(ALL_BYTES_MAX);
  expect(sum(first)).toBeLessThanOrEqual(FIRST_BYTES_MAX);
  expect(first.length).toBeGreaterThan(1);
  expect(page).not.toMatch(/https?:|<style|<script>/);
});
