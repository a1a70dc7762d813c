/** @module A source that deletes documents while tasks run that have read them: the small form of `node bench/source-deletions.ts`. */
import { expect, test } from "vitest";
import { measureDeletions } from "../../bench/deletions.ts";

const SEED_MAX = 1_000_000;

test("law: no request holds a document after its deletion was reported, and each task that had read one is listed", async () => {
  const seed = Math.floor(Math.random() * SEED_MAX);
  const found = await measureDeletions({ documents: 60, deleted: 30, tasks: 16, seed });
  const what = `seed ${seed}: ${JSON.stringify(found)}`;
  expect(found.requestsAfter, what).toBe(0);
  expect(found.tasksMissed, what).toEqual([]);
  expect(found.tasksFailed, what).toBe(0);
  expect(found.requestsBefore, what).toBeGreaterThan(0);
  expect(found.tasksRunning, what).toBeGreaterThan(0);
});
