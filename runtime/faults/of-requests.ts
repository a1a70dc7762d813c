/** @module The part of the fault table for requests, tasks and messages. */
import type { FaultRow } from "./row.ts";

/** Faults of requests, tasks, messages, tokens and processes. */
export const REQUEST_FAULTS = {
  "id.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning:
      "An id is empty, longer than 128 characters, has characters outside A-Z a-z 0-9 _ . -, or a form that the system keeps for its own.",
    fix: "Give the form that the message names: 1 to 128 of these characters. The id of a new task may be left out.",
  },
  "body.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "The body is not the JSON object that the HTTP route expects.",
    fix: "Correct the value that the message names.",
  },
  "body.too-many": {
    retryable: true,
    httpStatus: 503,
    meaning: "The requests that this host handles at the moment take all the memory that they may take. Nothing was recorded.",
    fix: "Send the same request again after the time in Retry-After; send fewer large ones at once, or references to large contents.",
  },
  "request.late": {
    retryable: true,
    httpStatus: 408,
    meaning: "A request did not arrive in time. Nothing was recorded.",
    fix: "Send the request again, headers and body without a pause.",
  },
  "schema.task": {
    retryable: false,
    httpStatus: 400,
    meaning: "The task's input does not fit the route's schema.",
    fix: "Correct the value that the message names.",
  },
  "schema.input": {
    retryable: false,
    httpStatus: 422,
    meaning: "An agent received an input that does not fit its contract.",
    fix: "Fix the mapping of the stop, the contract, or the input given to a redrive or an edit.",
  },
  "schema.output": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler returned a value that does not fit its contract.",
    fix: "Fix the handler, the contract, or the answer that a person gave.",
  },
  "schema.state": {
    retryable: false,
    httpStatus: 422,
    meaning: "A state does not fit the agent's schema. It was passed to ctx.setState, or stored under an earlier schema.",
    fix: "Fix the handler, or make the schema accept the old state too.",
  },
  "schema.tool-input": {
    retryable: false,
    httpStatus: 422,
    meaning: "A tool was called with an input that does not fit its schema. The tool did not run.",
    fix: "Fix the call in the handler, or the schema of the tool.",
  },
  "schema.tool-output": {
    retryable: false,
    httpStatus: 422,
    meaning: "A tool returned an output that does not fit its schema. Its effect may have happened.",
    fix: "Fix the tool, or its schema.",
  },
  "schema.signal": {
    retryable: false,
    httpStatus: 422,
    meaning: "The payload of a signal does not fit the schema of the wait.",
    fix: "Send a payload that fits the schema in the message.",
  },
  "message.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "A message is not a CloudEvent of this system's protocol.",
    fix: "Publish the fields named in the message; unknown fields are rejected.",
  },
  "message.signature": {
    // The sender tries again: while keys are exchanged, a host may not know the new one yet.
    retryable: true,
    httpStatus: 403,
    meaning: "A message for an actor is not signed with a key of this system.",
    fix: "Give all hosts of the system the same TROUPE_MESSAGE_KEY. Otherwise find who published it: only the system itself may.",
  },
  "message.expired": {
    retryable: false,
    httpStatus: 410,
    meaning: "The message has expired, so it is rejected and never run.",
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
    fix: "Check that all apps share one state store; a deleted value cannot be restored.",
  },
  "auth.token": {
    retryable: false,
    httpStatus: 401,
    meaning: "The request has no token, or a wrong one.",
    fix: "Send `Authorization: Bearer` with a token of TROUPE_TOKENS_FILE or the APP_API_TOKEN. daprd needs the app's APP_API_TOKEN.",
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
    meaning: "This host rejected too many requests without a valid token within one second.",
    fix: "Send a valid token: requests with a valid token are not limited.",
  },
  "host.unknown": {
    retryable: false,
    httpStatus: 421,
    meaning: "The app has no tokens, and the request names a host that is neither loopback nor in TROUPE_HOSTS.",
    fix: "Add the name to TROUPE_HOSTS if it is one of this app's, or set APP_API_TOKEN and send it.",
  },
  "origin.foreign": {
    retryable: false,
    httpStatus: 403,
    meaning: "A browser sent the request for a page of another origin.",
    fix: "Serve the page from the app's own host; add the host to TROUPE_HOSTS where a proxy gives the app another name.",
  },
  "tokens.invalid": {
    retryable: false,
    httpStatus: 500,
    meaning: "The token file is not a list of tokens, APP_API_TOKEN is not set beside it, or a message key is too short.",
    fix: "Fix what the message names; an entry of the file is { sha256, subject, tenant?, roles, permissions?, personRoles?, kind? }.",
  },
  "method.unknown": {
    retryable: false,
    httpStatus: 405,
    meaning: "The path does not support this method.",
    fix: "Use a method listed in the header Allow.",
  },
  "stream.too-many": {
    retryable: true,
    httpStatus: 429,
    meaning: "This host, or one reader at it, has its maximum number of followers.",
    fix: "Follow fewer processes, or poll them with GET /processes/:id.",
  },
  "route.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "The system has no route of that name, or the API has no such path.",
    fix: "Use one of the names in the message.",
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
    fix: "Check the id and that the task was submitted to this system.",
  },
  "process.conflict": {
    retryable: false,
    httpStatus: 409,
    meaning: "The id belongs to a process with another input or route.",
    fix: "Choose another id. The same id with the same input returns the same process.",
  },
  "process.ended": {
    retryable: false,
    httpStatus: 409,
    meaning: "The process has ended, or is being compensated, and accepts neither a cancellation nor a signal.",
    fix: "Read its outcome with GET /processes/:id.",
  },
  "process.cancelled": {
    retryable: false,
    httpStatus: 409,
    meaning: "The process was cancelled.",
    fix: "Nothing; completed work was compensated.",
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
    meaning: "The process with that id ended and was purged; only its id is left.",
    fix: "Choose another id for a new task.",
  },
  "system.overloaded": {
    retryable: true,
    httpStatus: 429,
    meaning: "This host has its maximum number of open processes. Nothing was recorded.",
    fix: "Send the same task again after the time in Retry-After.",
  },
  "system.stopping": {
    retryable: true,
    httpStatus: 503,
    meaning: "This host is shutting down and accepts no new work.",
    fix: "Send the request again; another host or the restarted one answers.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
