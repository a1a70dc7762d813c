/**
 * @module A source of 1,000 documents deletes 100 while 200 tasks run: `node bench/source-deletions.ts [--documents 1000] [--deleted 100]
 * [--tasks 200] [--seed 1]`. Prints what was sent to the model afterwards, and fails if that held a deleted document or a task is not listed.
 */
import { parseArgs } from "node:util";
import { measureDeletions } from "./deletions.ts";

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "1000" },
    deleted: { type: "string", default: "100" },
    tasks: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
const options = {
  documents: Number(values.documents),
  deleted: Number(values.deleted),
  tasks: Number(values.tasks),
  seed: Number(values.seed),
};
const found = await measureDeletions(options);
console.log(JSON.stringify({ ...options, ...found }, null, 2));
if (found.requestsAfter > 0 || found.tasksMissed.length > 0 || found.tasksFailed > 0) process.exitCode = 1;
