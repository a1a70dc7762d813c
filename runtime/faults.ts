/**
 * @module The one table of faults: code, retryable, HTTP status, meaning, what to do.
 *
 * Retry decisions read the table and nothing else: never a message text, never a chain of `instanceof`.
 * A fault is an operating error and a value; a programmer's error is thrown and ends the turn.
 */
import { z } from "zod";
import { canonicalJson } from "./canonical.ts";
import { LIMITS } from "./limits.ts";

interface FaultRow {
  /** `true`: the same request may succeed later, so a policy may try again. */
  readonly retryable: boolean;
  /** Status of an HTTP answer that carries this fault. */
  readonly httpStatus: number;
  readonly meaning: string;
  readonly fix: string;
}

/** Every fault there is. Codes stand in records and messages, so one that was ever raised stays in the table. */
export const FAULTS = {
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
    meaning: "The process has ended and cannot be cancelled.",
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
  "actor.busy": {
    retryable: true,
    httpStatus: 503,
    meaning: "Too many turns wait for this actor.",
    fix: "Ask again later, or spread the work over more keys.",
  },
  "agent.busy": {
    retryable: true,
    httpStatus: 503,
    meaning: "The queue of this agent actor is full. Nothing was recorded.",
    fix: "Nothing: it is asked again. Spread the work over more keys if it happens often.",
  },
  "agent.window-full": {
    retryable: true,
    httpStatus: 503,
    meaning: "The deduplication window of this agent actor is full. Nothing was recorded.",
    fix: "Nothing: it is asked again. Give tasks shorter deadlines, or spread the work over more keys.",
  },
  "agent.failed": {
    retryable: true,
    httpStatus: 502,
    meaning: "A handler threw an error that is not a coded fault.",
    fix: "Read the error in the details; throw a Fault with a code that is not retryable where trying again is of no use.",
  },
  "agent.refused": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler refused its input for a reason of the domain.",
    fix: "Read the message; trying again is of no use.",
  },
  "agent.version": {
    retryable: false,
    httpStatus: 409,
    meaning: "The work was begun by another version of the agent that is not declared compatible.",
    fix: "Declare the version in compatibleWith, or submit the task again under another id.",
  },
  "stop.timeout": {
    retryable: true,
    httpStatus: 504,
    meaning: "A stop gave no answer within its time.",
    fix: "Give the stop more time, or find out why its agent is slow.",
  },
  "work.superseded": {
    retryable: true,
    httpStatus: 409,
    meaning: "A later attempt or another host took this work over.",
    fix: "Nothing: the later attempt counts.",
  },
  "work.cancelled": {
    retryable: false,
    httpStatus: 409,
    meaning: "The work was cancelled because its process no longer needs it.",
    fix: "Nothing.",
  },
  "work.undone": {
    retryable: false,
    httpStatus: 409,
    meaning: "The work was compensated before this message arrived, so it is refused.",
    fix: "Nothing.",
  },
  "work.crashed": {
    retryable: false,
    httpStatus: 502,
    meaning: "The hosts that ran this work died several times over.",
    fix: "Look for a handler that ends the process or runs out of memory.",
  },
  "step.mismatch": {
    retryable: false,
    httpStatus: 409,
    meaning: "A handler that ran again asked for another step or ask than the one recorded.",
    fix: "Keep what a handler does between steps free of time and random: use ctx.now() and ctx.uuid().",
  },
  "step.too-many": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler recorded more steps, or more failed calls, than allowed.",
    fix: "Split the work over several stops.",
  },
  "ask.undeclared": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler asked an agent that it does not declare in `asks`.",
    fix: "Add the contract to the agent's `asks`.",
  },
  "ask.too-many": {
    retryable: false,
    httpStatus: 422,
    meaning: "One piece of work made more asks than allowed.",
    fix: "Split the work over several stops.",
  },
  "wait.timeout": {
    retryable: false,
    httpStatus: 504,
    meaning: "A signal was waited for and did not come in time.",
    fix: "Send the signal earlier, raise the timeoutMs of the wait, or catch the fault in the handler; a stop may be optional.",
  },
  "signal.too-many": {
    retryable: false,
    httpStatus: 409,
    meaning: "A process keeps as many signals as it may for waits that have not begun.",
    fix: "Send a signal when its process waits for it: `troupe show` says so.",
  },
  "handoff.undeclared": {
    retryable: false,
    httpStatus: 422,
    meaning: "A handler handed off to an agent that it does not declare in `handsOffTo`.",
    fix: "Add the contract to the agent's `handsOffTo`.",
  },
  "compensation.failed": {
    retryable: false,
    httpStatus: 502,
    meaning: "A compensation failed as often as it may be tried.",
    fix: "Undo the effect by hand; the message names its work.",
  },
  "join.failed": {
    retryable: false,
    httpStatus: 502,
    meaning: "No branch of an `any` stop succeeded.",
    fix: "Read the branches' faults in the history.",
  },
  "slip.invalid": {
    retryable: false,
    httpStatus: 400,
    meaning: "A route or slip is not well formed.",
    fix: "Fix the definition at the place in the message.",
  },
  "slip.mapping": {
    retryable: false,
    httpStatus: 422,
    meaning: "A mapping read a property of something that is not there.",
    fix: "Check optional or skipped stops before their outputs are read.",
  },
  "slip.condition": {
    retryable: false,
    httpStatus: 422,
    meaning: "A condition could not be evaluated to true or false.",
    fix: "Fix the CEL expression; see the message.",
  },
  "slip.too-many-items": {
    retryable: false,
    httpStatus: 422,
    meaning: "A forEach list is longer than allowed, or is not a list.",
    fix: "Split the list over several tasks.",
  },
  "definition.invalid": {
    retryable: false,
    httpStatus: 500,
    meaning: "A contract, agent, route or system is wrongly defined.",
    fix: "Fix the definition at the place in the message.",
  },
  "cycle.unbounded": {
    retryable: false,
    httpStatus: 500,
    meaning: "The agent graph has a ring without a bound, so the system refuses to start.",
    fix: "Give an agent or route of the printed ring a `visitsMax`, or break the ring.",
  },
  "cycle.no-progress": {
    retryable: false,
    httpStatus: 508,
    meaning: "The same agent came up again with the same input along one chain.",
    fix: "Break the printed ring, or change the input on the way.",
  },
  "cycle.visits": {
    retryable: false,
    httpStatus: 508,
    meaning: "An agent was visited more often along one chain than its visitsMax.",
    fix: "Break the printed ring, or raise visitsMax.",
  },
  "cycle.ask-ring": {
    retryable: false,
    httpStatus: 508,
    meaning: "An ask would wait for an agent that already waits for the asker.",
    fix: "Break the printed ring of asks.",
  },
  "cycle.hops": {
    retryable: false,
    httpStatus: 508,
    meaning: "The process made as many deliveries as it may.",
    fix: "Look for a loop in its history.",
  },
  "cycle.depth": { retryable: false, httpStatus: 508, meaning: "Routes are nested too deep.", fix: "Flatten the routes." },
  "deadletter.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no such dead letter.",
    fix: "List the dead letters; an id is that of a process and its run, or begins with invalid-.",
  },
  "deadletter.decided": {
    retryable: false,
    httpStatus: 409,
    meaning: "The dead letter was decided already, by another decision.",
    fix: "Look at the letter: it says who decided what and why. A new run that fails has a letter of its own.",
  },
  "deadletter.nested": {
    retryable: false,
    httpStatus: 409,
    meaning: "The dead letter is that of a nested route, whose failure belongs to its parent.",
    fix: "Redrive the parent's letter, which the message names.",
  },
  "journal.contended": {
    retryable: true,
    httpStatus: 503,
    meaning: "A turn could not be committed against other writers or a silent store.",
    fix: "Nothing: it is asked again.",
  },
  "journal.broken-chain": {
    retryable: false,
    httpStatus: 500,
    meaning:
      "A record's predecessor is not the one it was written after: the store lost or changed records. The actor takes no more turns.",
    fix: "Restore the store. Use one that keeps what it acknowledged.",
  },
  "journal.unreadable": {
    retryable: false,
    httpStatus: 500,
    meaning: "A record does not fit its schema. The actor takes no more turns.",
    fix: "Look at the key in the message; restore it from a backup.",
  },
  "journal.newer": {
    retryable: true,
    httpStatus: 503,
    meaning: "A record or message was written by a newer version of this software.",
    fix: "Finish the deployment: newer hosts will answer.",
  },
  "record.too-large": {
    retryable: false,
    httpStatus: 413,
    meaning: "A turn would write a record larger than its limit.",
    fix: "Use smaller values or fewer items at once.",
  },
  "turn.failed": {
    retryable: false,
    httpStatus: 500,
    meaning: "A turn threw an unexpected error.",
    fix: "This is a defect: report it with the trace id.",
  },
  "index.full": {
    retryable: true,
    httpStatus: 503,
    meaning: "The index of processes has no room.",
    fix: "Shorten the retention, or decide on dead letters: a bucket leaves when nothing stands in it any more.",
  },
  "store.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The state store does not answer.",
    fix: "Start the store; nothing accepted is lost and work goes on by itself.",
  },
  "sidecar.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "The Dapr sidecar does not answer.",
    fix: "Start the sidecar; `troupe doctor` says what is there.",
  },
  "port.taken": {
    retryable: false,
    httpStatus: 500,
    meaning: "The port is in use by another program.",
    fix: "Stop the other program or choose another port.",
  },
  "dapr.version": {
    retryable: false,
    httpStatus: 500,
    meaning: "The sidecar is not Dapr 1.18, which this was tested with.",
    fix: "Start the sidecar in version 1.18; `troupe doctor --install` gets one.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;

/** A code of the table, such as `stop.timeout`. */
export type FaultCode = keyof typeof FAULTS;

/** Whether a text is a code of the table. */
export function isFaultCode(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text);
}

/** A fault as it stands in messages and records. Persisted: changing this needs a version bump. */
export const WireFault: z.ZodType<WireFault> = z.strictObject({
  code: z.custom<FaultCode>((value) => typeof value === "string" && isFaultCode(value), "unknown fault code"),
  message: z.string(),
  /** Facts for the reader, JSON only. */
  details: z
    .record(
      z.string(),
      z.custom<Json>((value) => value !== undefined),
    )
    .optional(),
});
export type WireFault = {
  readonly code: FaultCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, Json>> | undefined;
};

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const FAULT_MARK = Symbol.for("troupe.fault");

/** A classified failure. Thrown at boundaries and in handlers; a {@link WireFault} inside the system. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly details: Readonly<Record<string, Json>> | undefined;
  readonly [FAULT_MARK] = true;

  constructor(code: FaultCode, message: string, details?: Readonly<Record<string, Json>>, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = code;
    this.details = details;
  }

  toWire(): WireFault {
    return wireFault(this.code, this.message, this.details);
  }

  static fromWire(fault: WireFault): Fault {
    return new Fault(fault.code, fault.message, fault.details);
  }
}

/** A fault as a value, within its bounds. */
export function wireFault(code: FaultCode, message: string, details?: Readonly<Record<string, Json>>): WireFault {
  return boundedFault(details === undefined ? { code, message } : { code, message, details });
}

/**
 * A fault that fits in every record: error texts come from anywhere and may be of any size, and a text with half a
 * surrogate pair can stand in no value.
 */
export function boundedFault(fault: WireFault): WireFault {
  const { code, message, details } = fault;
  const short =
    message.length <= LIMITS.faultMessageLengthMax
      ? message
      : `${message.slice(0, LIMITS.faultMessageLengthMax)}... (${message.length} characters)`;
  return details === undefined || !mayStay(details)
    ? { code, message: short.toWellFormed() }
    : { code, message: short.toWellFormed(), details };
}

function mayStay(details: Readonly<Record<string, Json>>): boolean {
  try {
    return canonicalJson(details).length <= LIMITS.faultDetailsLengthMax;
  } catch {
    // Details that are no JSON say nothing that a record could hold.
    return false;
  }
}

/** True for a {@link Fault} of any copy of this module (two copies may be loaded in one process). */
export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && FAULT_MARK in value;
}

/** What a caught value says, as a fault: coded faults keep their code, everything else becomes `fallback`. Never throws. */
export function faultFrom(value: unknown, fallback: FaultCode): WireFault {
  if (isFault(value)) return wireFault(value.code, value.message, value.details);
  if (value instanceof Error) return wireFault(fallback, `${value.name}: ${value.message}`);
  return wireFault(fallback, typeof value === "string" ? value : `a value was thrown that is no error: ${typeof value}`);
}

/** Whether a policy may try again after this fault. */
export function isRetryable(fault: WireFault): boolean {
  return FAULTS[fault.code].retryable;
}

/** Ends the turn when a rule that the code itself guarantees does not hold: a defect, not an operating error. */
export function invariant(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(`invariant: ${text}`);
}

/** The branch of a closed union that cannot be reached. */
export function assertNever(value: never): never {
  throw new Error(`invariant: unexpected ${JSON.stringify(value)}`);
}
