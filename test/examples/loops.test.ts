/** @module Example 02 prints what docs/cycles.md shows: a rejected cycle, a cycle in a dead letter, a rejected cycle of asks. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { document, part, ROOT } from "./readme.ts";

const run = promisify(execFile);

test("examples/02-loops/run.ts prints what docs/cycles.md shows", async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, "examples/02-loops/run.ts")]);
  expect(stdout).toContain("cycle.unbounded");
  expect(stdout).toContain("failed, cycle.no-progress: Sales -> Support -> Sales");
  expect(stdout).toContain("cycle.ask-ring: Egg -> Chicken -> Egg");
  expect(part(document("docs/cycles.md"), "examples/02-loops/run.ts")).toBe(`\`\`\`text\n${stdout}\`\`\`\n`);
});
