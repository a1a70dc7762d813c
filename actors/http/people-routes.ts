/** @module The part of the table of the HTTP API for requests to people. */
import { DecisionReceipt, InboxPage } from "../../runtime/people/answers.ts";
import { RulesAnswer, RuleView } from "../../runtime/people/rule-view.ts";
import { RequestView } from "../../runtime/people/view.ts";
import { hideRequest, mayDecide } from "./contents.ts";
import { ASKING, CHANGING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { DecisionRequest, InboxQuery, NoParams, NoQuery, RequestParams, RevokeRequest, RuleParams, RulesQuery } from "./schemas.ts";

/** Routes of requests to people, by a name that is their `operationId`. */
export const PEOPLE_ROUTES = {
  listInbox: spec({
    method: "get",
    path: "/inbox",
    summary: "Lists requests to people, escalated ones first, then the newest",
    role: "read",
    params: NoParams,
    query: InboxQuery,
    answers: { 200: json(InboxPage, "One page, without contents.") },
    faults: ASKING,
  }),
  showRequest: spec({
    method: "get",
    path: "/inbox/{id}",
    summary: "Shows a request to a person: what is asked, its hash, why, and the evidence",
    role: "read",
    content: { what: "request", params: ["id"], also: mayDecide, hide: hideRequest },
    params: RequestParams,
    query: NoQuery,
    answers: { 200: json(RequestView, "The request.") },
    faults: ["id.invalid", "person.unknown", "process.purged", ...ASKING],
  }),
  decideRequest: spec({
    method: "post",
    path: "/inbox/{id}/decision",
    summary: "Decides on a request: approves, edits, denies or answers it",
    role: "decide",
    params: RequestParams,
    query: NoQuery,
    body: DecisionRequest,
    answers: { 202: json(DecisionReceipt, "The decision is recorded. `Location` is the process.") },
    faults: [
      "id.invalid",
      "person.unknown",
      "person.decided",
      "person.changed",
      "person.forbidden",
      "schema.input",
      "schema.output",
      "process.purged",
      "process.ended",
      ...CHANGING,
    ],
  }),
  listRules: spec({
    method: "get",
    path: "/rules",
    summary: "Lists the standing rules of the caller's tenant, the newest first",
    role: "read",
    params: NoParams,
    query: RulesQuery,
    answers: { 200: json(RulesAnswer, "All of them.") },
    faults: ASKING,
  }),
  revokeRule: spec({
    method: "post",
    path: "/rules/{id}/revoke",
    summary: "Ends a standing rule: people are asked again",
    role: "decide",
    params: RuleParams,
    query: NoQuery,
    body: RevokeRequest,
    bodyOptional: true,
    answers: { 200: json(RuleView, "The rule.") },
    faults: ["id.invalid", "rule.unknown", "person.forbidden", ...CHANGING],
  }),
} as const;
