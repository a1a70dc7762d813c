/** @module Example 02 prints what the README shows: a ring refused, a ring in a dead letter, a ring of asks refused. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { part, readme, ROOT } from "./readme.ts";

const run = promisify(execFile);

test("examples/02-loops/run.ts prints what the README shows", async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, "examples/02-loops/run.ts")]);
  expect(stdout).toContain("cycle.unbounded");
  expect(stdout).toContain("failed, cycle.no-progress: Sales -> Support -> Sales");
  expect(stdout).toContain("cycle.ask-ring: Chicken -> Egg -> Chicken");
  expect(part(readme(), "examples/02-loops/run.ts")).toBe(`\`\`\`text\n${stdout}\`\`\`\n`);
});
