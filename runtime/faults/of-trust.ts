/** @module The part of the fault table for people, permissions, untrusted text, memory and sources. */
import type { FaultRow } from "./row.ts";

/** Faults of requests to people, of checks before an act, of memory and sources. */
export const TRUST_FAULTS = {
  "person.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no open or decided request with this id.",
    fix: "Take the id from `troupe inbox`.",
  },
  "person.forbidden": {
    retryable: false,
    httpStatus: 403,
    meaning: "This caller may not decide on the request: it has none of the roles, asked for it itself, or is an agent. It stays open.",
    fix: "Let a person decide whose roles the request names, with a token of their own: --token, or TROUPE_TOKEN.",
  },
  "person.changed": {
    retryable: false,
    httpStatus: 409,
    meaning: "The decision names another hash than the request has: it was made on something else.",
    fix: "Read the request again and decide on what it shows.",
  },
  "person.decided": {
    retryable: false,
    httpStatus: 409,
    meaning: "Another decision on this request came first, or its time is over.",
    fix: "Nothing. `troupe inbox <id>` shows who decided what.",
  },
  "person.denied": {
    retryable: false,
    httpStatus: 403,
    meaning: "A person said no, or no person decided in time and silence means no.",
    fix: "Read the reason. Change the task, or ask again with other arguments.",
  },
  "person.expired": {
    retryable: false,
    httpStatus: 504,
    meaning: "No person decided in time.",
    fix: "Give the person a longer deadline, an escalation or an answer for silence; then redrive.",
  },
  "person.too-many": {
    retryable: false,
    httpStatus: 429,
    meaning: "The process waits for too many people at once.",
    fix: "Ask for decisions on lists, or run fewer items at once.",
  },
  "permission.missing": {
    retryable: false,
    httpStatus: 403,
    meaning: "A task was to be given a permission that its submitter does not have.",
    fix: "Leave it out, or submit with a token whose entry in the token file (TROUPE_TOKENS_FILE) has it in `permissions`.",
  },
  "audit.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning:
      "The check of a call, or a look at contents, could not be written to the audit, so the call was not made, or nothing was shown.",
    fix: "A call is tried again by itself. To see contents, ask again. If it stays, look at the state store and at `troupe doctor`.",
  },
  "stop.refused": {
    retryable: false,
    httpStatus: 422,
    meaning: "The validator of a stop accepted none of the outputs.",
    fix: "Read the reasons in the details; correct the input and redrive.",
  },
  "rule.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no standing rule with this id, or it has ended.",
    fix: "Take the id from `troupe rules list --all`.",
  },
  "memory.invalid": {
    retryable: false,
    httpStatus: 422,
    meaning: "A fact has a key, a content or a time that memory does not take.",
    fix: "Read the message; store less, or store it elsewhere and remember where.",
  },
  "memory.full": {
    retryable: false,
    httpStatus: 507,
    meaning: "The memory holds as many facts as it may.",
    fix: "Give facts a time limit, reuse keys, or forget some.",
  },
  "memory.scope": {
    retryable: false,
    httpStatus: 403,
    meaning: "A fact belongs to another scope, so it may not be read here.",
    fix: "Read it in its own scope, or let a person copy it.",
  },
  "memory.untrusted": {
    retryable: false,
    httpStatus: 403,
    meaning: "An untrusted fact of another conversation may not be reused before a person or a rule vouches for it.",
    fix: "Let a person promote it: `troupe memory promote <memory> <id>`.",
  },
  "memory.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no such memory or fact, or it is gone.",
    fix: "Take the memory from `troupe memory list`, and the fact from `troupe memory show <memory>`.",
  },
  "memory.stale": {
    retryable: true,
    httpStatus: 409,
    meaning: "A fact that this work item had read has a newer version or is gone, and its agent takes such decisions again.",
    fix: "Nothing: the attempt is made again with the newest facts.",
  },
  "source.unknown": {
    retryable: false,
    httpStatus: 404,
    meaning: "No agent of the system has a source of this name.",
    fix: "Take the name from `troupe sources list`.",
  },
  "source.unavailable": {
    retryable: true,
    httpStatus: 503,
    meaning: "A source did not list or read its documents.",
    fix: "Nothing: it is compared again later. What it has already given stays valid for its time.",
  },
} as const satisfies Readonly<Record<string, FaultRow>>;
