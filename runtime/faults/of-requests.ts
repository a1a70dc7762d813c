/** @module The part of the fault table with what a request, a task or a message can be answered with. */
import type { FaultRow } from "./row.ts";

/** Faults of requests, tasks, messages, tokens and processes. */
export const REQUEST_FAULTS = {
  "id.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "An id is empty, longer than 128 characters or holds characters outside A-Z a-z 0-9 _ . -",
    fix: "Use an id of 1 to 128 of these characters, or leave it out and one is made.",
  },
  "body.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "The body is not the JSON object that the route expects.",
    fix: "Compare the body with the path and the expectation in the message.",
  },
  "schema.task": {
    retryable: false,
    httpStatus: 400,
    meaning: "The task's input does not fit the route's schema.",
    fix: "Fix the value at the path in the message.",
  },
  "schema.input": {
    retryable: false,
    httpStatus: 422,
    meaning: "An agent was given an input that does not fit its contract.",
    fix: "Fix the input that you gave to a redrive, the mapping of the stop, or the contract.",
  },
  "schema.output": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler returned a value that does not fit its contract.",
    fix: "Fix the handler, or the contract.",
  },
  "schema.state": {
    retryable: false,
    httpStatus: 422,
    meaning: "A state does not fit the agent's schema: one given to ctx.setState, or one stored under an earlier schema.",
    fix: "Fix the handler, or let the schema take the old state too.",
  },
  "schema.signal": {
    retryable: false,
    httpStatus: 400,
    meaning: "The payload of a signal does not fit the schema of what waits for it.",
    fix: "Fix the value at the path in the message.",
  },
  "message.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "A message is not a CloudEvent of this system's protocol.",
    fix: "Publish the fields named in the message; unknown fields are refused.",
  },
  "message.expired": {
    retryable: false,
    httpStatus: 410,
    meaning: "The message's expiry has passed, so it is refused and never run.",
    fix: "Submit the task again with a later deadline.",
  },
  "message.too-large": {
    retryable: false,
    httpStatus: 413,
    meaning: "The message or body is larger than its limit.",
    fix: "Send a reference to the content instead of the content.",
  },
  "value.too-large": {
    retryable: false,
    httpStatus: 413,
    meaning: "One value is larger than its limit.",
    fix: "Store the content elsewhere and pass a reference.",
  },
  "value.missing": {
    retryable: true,
    httpStatus: 503,
    meaning: "A referenced value is not in the state store.",
    fix: "Check that all apps share one state store; a forgotten value stays missing.",
  },
  "auth.token": {
    retryable: false,
    httpStatus: 401,
    meaning: "The request carries no token, or a wrong one.",
    fix: "Send `Authorization: Bearer` with a token of TROUPE_TOKENS_FILE or with that of APP_API_TOKEN; daprd needs the same APP_API_TOKEN as the app.",
  },
  "auth.role": {
    retryable: false,
    httpStatus: 403,
    meaning: "The token does not have the role that the request needs.",
    fix: "Use a token with the role named in the message, or add the role to the token's entry in TROUPE_TOKENS_FILE.",
  },
  "auth.too-many": {
    retryable: true,
    httpStatus: 429,
    meaning: "This host refused too many requests without a valid token within a second.",
    fix: "Send a valid token: requests with one are not held up.",
  },
  "tokens.invalid": {
    retryable: false,
    httpStatus: 500,
    meaning: "The file of tokens is not a list of tokens, or there is no APP_API_TOKEN beside it.",
    fix: "Fix the file at the path in the message; each entry is { sha256, subject, tenant?, roles, permissions? }.",
  },
  "method.unknown": {
    retryable: false,
    httpStatus: 405,
    meaning: "The path takes other methods.",
    fix: "Use a method of the header Allow.",
  },
  "stream.too-many": {
    retryable: true,
    httpStatus: 429,
    meaning: "This host has as many followers of processes as it may have.",
    fix: "Follow fewer processes, or look at them with GET /processes/:id.",
  },
  "route.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The system has no route of that name, or the API no such path.",
    fix: "Use one of those named in the message.",
  },
  "agent.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The system has no agent of that name.",
    fix: "Add the agent to the system, or fix the name.",
  },
  "process.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no process with that id.",
    fix: "Check the id, and that it is of a task of this system.",
  },
  "process.conflict": {
    retryable: false,
    httpStatus: 409,
    meaning: "The id belongs to a process with another input or route.",
    fix: "Choose another id; the same id with the same input is the same process.",
  },
  "process.ended": {
    retryable: false,
    httpStatus: 409,
    meaning: "The process has ended, or is being compensated, and takes neither a cancellation nor a signal.",
    fix: "Read its outcome with GET /processes/:id.",
  },
  "process.cancelled": {
    retryable: false,
    httpStatus: 409,
    meaning: "The process was cancelled.",
    fix: "Nothing; what had been done was compensated.",
  },
  "process.expired": {
    retryable: false,
    httpStatus: 504,
    meaning: "The process's deadline passed before it ended.",
    fix: "Give the task more time, or find the slow stop in its history.",
  },
  "process.purged": {
    retryable: false,
    httpStatus: 410,
    meaning: "The process with that id ended and was purged; nothing is left of it but its id.",
    fix: "Choose another id for a new task.",
  },
  "system.overloaded": {
    retryable: true,
    httpStatus: 429,
    meaning: "This host has as many open processes as it may have. Nothing was recorded.",
    fix: "Send the same task again after the time in Retry-After.",
  },
  "system.stopping": {
    retryable: true,
    httpStatus: 503,
    meaning: "This host is stopping and takes no new work.",
    fix: "Ask again; another host or the next start will answer.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
