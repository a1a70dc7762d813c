/** @module Faults as HTTP answers: always JSON with a code and what to do, never a stack trace or an HTML page. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { Fault, faultFrom, isFault, rulesOf, wireFault, type WireFault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { traceId } from "../../runtime/protocol.ts";
import { ROUTES_TEXT } from "./routes.ts";
import { traceOf } from "./trace.ts";
import type { Logger } from "../engine/log.ts";

const SECOND_MS = 1_000;
const STATUS_BAD_REQUEST = 400;
const STATUS_NOT_FOUND = 404;
const STATUS_INTERNAL = 500;
const STATUS_TOO_MANY = 429;
const STATUS_UNAVAILABLE = 503;

/** The body of every error. */
export interface ErrorBody {
  readonly error: Omit<WireFault, "cause"> & { readonly fix: string };
  readonly traceId: string;
}

/** A fault as the body of an answer. The cause, with its stack, stays in the log. */
export function errorBody({ cause: _inLog, ...fault }: WireFault, trace: string): ErrorBody {
  return { error: { ...fault, fix: rulesOf(fault).fix }, traceId: trace };
}

/** Answers with a fault, its status and, if a retry makes sense, when to retry. */
function sendFault(request: Request, response: Response, fault: WireFault, status: number = rulesOf(fault).httpStatus): void {
  if (status === STATUS_TOO_MANY || status === STATUS_UNAVAILABLE)
    response.set("retry-after", String(Math.ceil((fault.retryAfterMs ?? LIMITS.resendMs) / SECOND_MS)));
  response.status(status).json(errorBody(fault, traceId(traceOf(request))));
}

/** The fault of a thrown value. An error that is not a fault is a defect, and its text is only logged. */
function faultOfThrown(error: unknown): WireFault {
  if (isFault(error)) return faultFrom(error, "turn.failed");
  // express 5.3 and its router mark their own errors: a path that cannot be decoded is 400.
  if (error instanceof URIError || statusOf(error) === STATUS_BAD_REQUEST)
    return wireFault("id.invalid", "the path contains an invalid percent-encoding");
  return wireFault("turn.failed", "unexpected error; search the log for the trace id");
}

/** The last error handler of the app. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  // Express recognizes an error handler by its four parameters.
  return (error: unknown, request, response, next) => {
    const fault = faultOfThrown(error);
    if (fault.code === "turn.failed")
      logger.error(
        { err: error, method: request.method, path: request.path, traceId: traceId(traceOf(request)) },
        "a request failed unexpectedly",
      );
    if (response.headersSent) {
      next(error);
      return;
    }
    sendFault(request, response, fault);
  };
}

/**
 * The error handler of the actors' routes. daprd 1.18.2 drops the body of a 404 (pkg/actors/targets/app/transport/http/http.go), and with
 * it the code, so a 404 is sent as a 500 there.
 */
export function actorErrorHandler(logger: Logger): ErrorRequestHandler {
  const common = errorHandler(logger);
  return (error: unknown, request, response, next) => {
    const fault = faultOfThrown(error);
    if (rulesOf(fault).httpStatus !== STATUS_NOT_FOUND || response.headersSent) common(error, request, response, next);
    else sendFault(request, response, fault, STATUS_INTERNAL);
  };
}

/** Answers requests that no route handled. */
export const notFound: RequestHandler = (request, response) => {
  const fault = new Fault(
    "route.unknown",
    `there is no ${request.method} ${request.path.slice(0, LIMITS.idLengthMax)} here; the routes are ${ROUTES_TEXT}`,
  );
  sendFault(request, response, fault.toWire(), STATUS_NOT_FOUND);
};

function statusOf(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "status" in error && typeof error.status === "number" ? error.status : undefined;
}
