/**
 * @module The table of the HTTP API: every route with its role, schemas, answers and faults. The Express app and the OpenAPI document are
 * both generated from it.
 */
import { KNOWLEDGE_ROUTES } from "./knowledge-routes.ts";
import { hideLetter, hideProcess, hideStops } from "./contents.ts";
import { ASKING, CHANGING, TELLING } from "./route-faults.ts";
import { OPERATING_ROUTES } from "./operating-routes.ts";
import { UPKEEP_ROUTES } from "./upkeep-routes.ts";
import { PEOPLE_ROUTES } from "./people-routes.ts";
import { OVERVIEW_ROUTES } from "./overview-routes.ts";
import { FORK_ROUTES } from "./fork-routes.ts";
import { REPLAY_ROUTES } from "./replay-routes.ts";
import { RELEASE_ROUTES } from "./release-routes.ts";
import { REPORT_ROUTES } from "./report-routes.ts";
import { json, type RouteSpec, spec } from "./route-spec.ts";
import {
  AuditPage,
  GraphAnswer,
  HealthAnswer,
  Letter,
  LetterEntry,
  LetterPage,
  ModelsAnswer,
  OutcomeAnswer,
  ProcessPage,
  Receipt,
  SchemasAnswer,
  SignalReceipt,
} from "../../runtime/answers.ts";
import { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import {
  AuditQuery,
  CancelRequest,
  DiscardRequest,
  FollowQuery,
  HistoryQuery,
  LetterParams,
  LettersQuery,
  NoParams,
  NoQuery,
  OpenApiAnswer,
  ProcessesQuery,
  ProcessParams,
  RedriveRequest,
  SignalParams,
  SignalRequest,
  SubmitQuery,
  TaskRequest,
} from "./schemas.ts";

const BARE = { params: NoParams, query: NoQuery } as const;

/** Every route, by a name that is its `operationId`. */
export const ROUTES = {
  submitTask: spec({
    method: "post",
    path: "/tasks",
    summary: "Submits a task",
    role: "submit",
    params: NoParams,
    query: SubmitQuery,
    body: TaskRequest,
    answers: {
      200: json(OutcomeAnswer, "The outcome, if the process ended within `waitMs`."),
      202: json(Receipt, "The receipt: the task is accepted. `Location` is its process."),
    },
    faults: [
      "id.invalid",
      "schema.task",
      "route.unknown",
      "process.conflict",
      "process.unknown",
      "process.purged",
      "permission.missing",
      "system.overloaded",
      "slip.invalid",
      ...CHANGING,
    ],
  }),
  listProcesses: spec({
    method: "get",
    path: "/processes",
    summary: "Lists processes, newest first",
    role: "read",
    params: NoParams,
    query: ProcessesQuery,
    answers: { 200: json(ProcessPage, "One page.") },
    faults: ASKING,
  }),
  showProcess: spec({
    method: "get",
    path: "/processes/{id}",
    summary: "Shows the state, history and outcome of a process",
    role: "read",
    content: { what: "process", params: ["id"], hide: hideProcess },
    params: ProcessParams,
    query: NoQuery,
    answers: { 200: json(ProcessView, "The process as recorded in its journal.") },
    faults: ["id.invalid", "process.unknown", "process.purged", ...ASKING],
  }),
  showStops: spec({
    method: "get",
    path: "/processes/{id}/stops",
    summary: "Shows the work history: target, input and result of each work item",
    role: "read",
    content: { what: "process", params: ["id"], hide: hideStops },
    params: ProcessParams,
    query: NoQuery,
    answers: {
      200: json(
        StopsView,
        "The work items of the current run, in the order in which they were asked; the newest where there are too many.",
      ),
    },
    faults: ["id.invalid", "process.unknown", "process.purged", ...ASKING],
  }),
  showHistory: spec({
    method: "get",
    path: "/processes/{id}/history",
    summary: "Shows the whole history of a process, of all its runs, in pages, the oldest lines first",
    role: "read",
    params: ProcessParams,
    query: HistoryQuery,
    answers: { 200: json(HistoryPage, "One page.") },
    faults: ["id.invalid", "process.unknown", "process.purged", ...ASKING],
  }),
  followProcess: spec({
    method: "get",
    path: "/processes/{id}/events",
    summary: "Follows a process as server-sent events",
    role: "read",
    params: ProcessParams,
    query: FollowQuery,
    answers: {
      200: {
        contentType: "text/event-stream",
        description:
          "`event: line` with a HistoryLine as data for each history event, `event: outcome` with a ProcessOutcome " +
          "at the end, comments in between. `event: model-delta` with a FollowedDelta as data is a piece of a reply that a model " +
          "of the process sends now; any of them may be lost. The header `Last-Event-ID` resumes after that event.",
      },
      204: { description: "`Last-Event-ID` is that of the outcome: there are no more events." },
    },
    faults: ["audit.unavailable", "id.invalid", "process.unknown", "process.purged", "stream.too-many", "system.stopping", ...ASKING],
  }),
  cancelProcess: spec({
    method: "post",
    path: "/processes/{id}/cancel",
    summary: "Cancels a process and compensates what was done",
    role: "operate",
    params: ProcessParams,
    query: NoQuery,
    body: CancelRequest,
    bodyOptional: true,
    answers: { 202: json(Receipt, "The cancellation is recorded.") },
    faults: TELLING,
  }),
  signalProcess: spec({
    method: "post",
    path: "/processes/{id}/signals/{name}",
    summary: "Gives a signal to a process, which may wait for it now or later",
    role: "submit",
    params: SignalParams,
    query: NoQuery,
    body: SignalRequest,
    bodyOptional: true,
    answers: { 202: json(SignalReceipt, "The signal is recorded.") },
    faults: [...TELLING, "schema.signal", "signal.conflict", "signal.too-many"],
  }),
  listDeadLetters: spec({
    method: "get",
    path: "/deadletters",
    summary: "Lists dead letters, newest first",
    role: "read",
    params: NoParams,
    query: LettersQuery,
    answers: { 200: json(LetterPage, "One page, without contents.") },
    faults: ASKING,
  }),
  showDeadLetter: spec({
    method: "get",
    path: "/deadletters/{id}",
    summary: "Shows a dead letter with its content",
    role: "read",
    content: { what: "deadletter", params: ["id"], hide: hideLetter },
    params: LetterParams,
    query: NoQuery,
    answers: { 200: json(Letter, "The letter.") },
    faults: ["id.invalid", "deadletter.unknown", ...ASKING],
  }),
  redriveDeadLetter: spec({
    method: "post",
    path: "/deadletters/{id}/redrive",
    summary: "Redrives a dead letter: a new run of its process from the stop that failed",
    role: "decide",
    params: LetterParams,
    query: NoQuery,
    body: RedriveRequest,
    bodyOptional: true,
    answers: { 202: json(Receipt, "The new run is accepted. `Location` is its process.") },
    faults: [
      "id.invalid",
      "deadletter.unknown",
      "deadletter.decided",
      "deadletter.nested",
      "deadletter.left",
      "schema.input",
      "schema.task",
      "route.unknown",
      "agent.unknown",
      "process.unknown",
      "process.purged",
      "process.conflict",
      "system.overloaded",
      ...CHANGING,
    ],
  }),
  discardDeadLetter: spec({
    method: "post",
    path: "/deadletters/{id}/discard",
    summary: "Discards a dead letter",
    role: "decide",
    params: LetterParams,
    query: NoQuery,
    body: DiscardRequest,
    answers: { 200: json(LetterEntry, "The decided dead letter, without content.") },
    faults: ["id.invalid", "deadletter.unknown", "deadletter.decided", "process.purged", ...CHANGING],
  }),
  ...OPERATING_ROUTES,
  ...PEOPLE_ROUTES,
  showGraph: spec({
    method: "get",
    path: "/graph",
    summary: "Shows agents and routes and which of them call which",
    role: "read",
    ...BARE,
    answers: { 200: json(GraphAnswer, "The graph.") },
    faults: [],
  }),
  showSchemas: spec({
    method: "get",
    path: "/schemas",
    summary: "Shows the JSON Schemas of what routes and agents take and give",
    role: "read",
    ...BARE,
    answers: { 200: json(SchemasAnswer, "By route and by agent.") },
    faults: [],
  }),
  listAudit: spec({
    method: "get",
    path: "/audit",
    summary: "Lists operator actions and checks before acts, newest first",
    role: "read",
    params: NoParams,
    query: AuditQuery,
    answers: { 200: json(AuditPage, "One page.") },
    faults: ASKING,
  }),
  listModels: spec({
    method: "get",
    path: "/models",
    summary: "Lists the models of the system with their endpoints, as this host sees them",
    role: "read",
    ...BARE,
    answers: { 200: json(ModelsAnswer, "Settings, breakers, rests and waiting calls; no keys.") },
    faults: ASKING,
  }),
  ...OVERVIEW_ROUTES,
  ...REPLAY_ROUTES,
  ...FORK_ROUTES,
  ...REPORT_ROUTES,
  ...KNOWLEDGE_ROUTES,
  ...RELEASE_ROUTES,
  ...UPKEEP_ROUTES,
  showOpenApi: spec({
    method: "get",
    path: "/openapi.json",
    summary: "Shows this document",
    role: undefined,
    ...BARE,
    answers: { 200: json(OpenApiAnswer, "The OpenAPI document.") },
    faults: [],
  }),
  health: spec({
    method: "get",
    path: "/healthz",
    summary: "Shows whether the host accepts work",
    role: "open",
    ...BARE,
    answers: {
      200: json(HealthAnswer, "It does."),
      503: json(HealthAnswer, "It is stopping, or waits until its sidecar has registered its actors again."),
    },
    faults: [],
  }),
} as const;

/** The name of a route of {@link ROUTES}. */
export type RouteName = keyof typeof ROUTES;

/** All routes with their names. */
export const ALL_ROUTES: readonly (readonly [RouteName, RouteSpec])[] = Object.entries(ROUTES).map(([name, one]) => [
  name as RouteName,
  one as unknown as RouteSpec,
]);

/** First segments of the paths that clients call with a bearer token: all but daprd's, and /healthz, which needs none. */
const USERS_PATHS = ALL_ROUTES.filter(([, { role }]) => role !== "open").map(([, { path }]) => path.split("/")[1]?.replace(".", "\\."));
const USERS_PATH = new RegExp(`^/(${[...new Set(USERS_PATHS)].join("|")})(/|$)`);

/** Whether a path belongs to the HTTP API. */
export function isUsersPath(path: string): boolean {
  return USERS_PATH.test(path);
}

/** The list of routes as text, for the answer to an unknown path. */
export const ROUTES_TEXT = ALL_ROUTES.map(([, { method, path }]) => `${method.toUpperCase()} ${path}`).join(", ");
