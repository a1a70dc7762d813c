/**
 * @module The users' HTTP API: submit, look, cancel, list dead letters.
 */
import { Router, type Request } from "express";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { requireId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Principal } from "../../runtime/protocol.ts";
import type { Caller, Operations } from "../operations.ts";
import { check, readJson } from "./body.ts";
import { traceOf } from "./trace.ts";

const STATUS_OK = 200;
const STATUS_ACCEPTED = 202;
/** Characters of a cursor or a reason that are taken. */
const CURSOR_CHARS_MAX = 512;
const REASON_CHARS_MAX = 1_024;
const PAGE_ENTRIES_DEFAULT = 50;
/** Decimal digits of a number in a query: enough for every limit, too few to overflow. */
const WHOLE_NUMBER = /^\d{1,9}$/;

/** A task as it stands in a body or in the data of a topic's event. `input` may be any JSON, but it must be there. */
export const TaskRequest = z.strictObject({
  id: z.string().optional(),
  route: z.string().min(1),
  input: z.unknown().refine((input) => input !== undefined, "an input is required"),
  timeoutMs: z.int().min(LIMITS.taskTimeoutMsMin).max(LIMITS.taskTimeoutMsMax).optional(),
});

const CancelRequest = z.strictObject({ reason: z.string().max(REASON_CHARS_MAX).optional() });

function whole(max: number): z.ZodType<number> {
  return z.string().regex(WHOLE_NUMBER, `a whole number up to ${max} is expected`).transform(Number).refine((value) => value <= max, `at most ${max} is allowed`);
}

const SubmitQuery = z.strictObject({ waitMs: whole(LIMITS.waitMsMax).optional() });
const PageQuery = z.strictObject({ cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional(), limit: whole(LIMITS.pageEntriesMax).refine((limit) => limit >= 1, "at least 1 is needed").optional() });
const NoQuery = z.strictObject({});

/** The routes. `admit` throws `system.stopping` when no new work may begin. */
export function apiRoutes(operations: Operations, principal: Principal, admit: () => void): Router {
  const router = Router({ caseSensitive: true });
  const caller = (request: Request): Caller => ({ principal, trace: traceOf(request) });
  router.post("/tasks", async (request, response) => {
    admit();
    const { waitMs } = check(SubmitQuery, request.query, "body.invalid", "the query");
    const task = check(TaskRequest, await jsonBody(request), "body.invalid", "the task");
    if (task.id !== undefined) requireId(task.id, "task id");
    const { receipt, outcome } = await operations.submit(task, caller(request), waitMs ?? 0);
    response.location(`/processes/${receipt.id}`);
    if (outcome === undefined) response.status(STATUS_ACCEPTED).json(receipt);
    else response.status(STATUS_OK).json(outcome);
  });
  router.get("/processes/:id", async (request, response) => {
    check(NoQuery, request.query, "body.invalid", "the query");
    response.json(await operations.process(requireId(request.params.id, "process id")));
  });
  router.post("/processes/:id/cancel", async (request, response) => {
    admit();
    check(NoQuery, request.query, "body.invalid", "the query");
    const id = requireId(request.params.id, "process id");
    const { reason } = check(CancelRequest, (await jsonBody(request)) ?? {}, "body.invalid", "the cancellation");
    response.status(STATUS_ACCEPTED).json(await operations.cancel(id, reason ?? "cancelled over HTTP", caller(request)));
  });
  router.get("/deadletters", async (request, response) => {
    const { cursor, limit } = check(PageQuery, request.query, "body.invalid", "the query");
    response.json(await operations.deadLetters(cursor, limit ?? PAGE_ENTRIES_DEFAULT));
  });
  return router;
}

/** A JSON body, or none. A page of another site may send other content types without being asked for leave (CORS). */
async function jsonBody(request: Request): Promise<unknown> {
  const body = await readJson(request);
  if (body !== undefined && request.is("json") === false) throw new Fault("body.invalid", "content-type application/json is expected");
  return body;
}
