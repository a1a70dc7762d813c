/** @module The part of the table of the HTTP API for forks and differences of runs. */
import { z } from "zod";
import { ForkReport, RunDiff } from "../../runtime/cassette/diff.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { AnyJson } from "../../runtime/process-view.ts";
import { ASKING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { NoQuery, ProcessParams } from "./schemas.ts";

const NAME_LENGTH_MAX = 128;

/** Path of two processes. */
const DiffParams = ProcessParams.extend({ other: ProcessParams.shape.id.describe("Id of the process that it is compared with.") });

/** Body of a fork. */
const ForkRequest = z.strictObject({
  at: z
    .string()
    .min(1)
    .max(4 * LIMITS.idLengthMax)
    .describe("Key of a call, id of a work item, both with a slash between, or `start`: from there on models are asked."),
  model: z.string().min(1).max(NAME_LENGTH_MAX).optional().describe("A model of the system that is asked in the place of each."),
  prompt: z.string().min(1).max(NAME_LENGTH_MAX).optional().describe("The version of the prompt of the agents that have it."),
  input: AnyJson.optional().describe("Another input: of the task, if it is forked from the start; otherwise of the work item."),
  budget: z
    .strictObject({
      modelCalls: z.int().nonnegative().max(LIMITS.forkModelCallsMax).optional(),
      usd: z.number().nonnegative().max(LIMITS.forkUsdMax).optional(),
      timeMs: z.int().positive().max(LIMITS.forkMsMax).optional().describe("Real time, in milliseconds."),
    })
    .optional()
    .describe("What the fork may spend."),
});

const READING = ["id.invalid", "process.unknown", "process.purged", "cassette.too-large", ...ASKING] as const;

/** Routes of forks, by a name that is their `operationId`. */
export const FORK_ROUTES = {
  forkProcess: spec({
    method: "post",
    path: "/processes/{id}/fork",
    summary: "Runs a process again in memory from a call on, with new model calls and recorded results of tools; nothing is written",
    role: "operate",
    also: "content",
    content: { what: "process", params: ["id"] },
    params: ProcessParams,
    query: NoQuery,
    body: ForkRequest,
    answers: { 200: json(ForkReport, "How the forked run ended, and what it did otherwise.") },
    faults: ["fork.unknown", "fork.busy", "model.unknown", "prompt.unknown", "route.unknown", "schema.task", "schema.input", ...READING],
  }),
  diffProcesses: spec({
    method: "get",
    path: "/processes/{id}/diff/{other}",
    summary: "Compares the last runs of two processes: path, calls, arguments, results, cost, outcome",
    role: "read",
    also: "content",
    content: { what: "process", params: ["id", "other"] },
    params: DiffParams,
    query: NoQuery,
    answers: { 200: json(RunDiff, "What differs.") },
    faults: [...READING],
  }),
} as const;
