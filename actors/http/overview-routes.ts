/** @module The part of the table of the HTTP API for what operators see of a whole system, and of the time that a process took. */
import { AgentsView, CostView, OverviewView, SystemView } from "../../runtime/overview.ts";
import { TimelineView } from "../../runtime/timeline.ts";
import { ASKING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { NoParams, NoQuery, ProcessParams, SinceQuery } from "./schemas.ts";

/** Routes of overviews, by a name that is their `operationId`. */
export const OVERVIEW_ROUTES = {
  showOverview: spec({
    method: "get",
    path: "/overview",
    summary: "Shows the system in numbers: open, waiting, dead, ended, spent",
    role: "read",
    params: NoParams,
    query: SinceQuery,
    answers: { 200: json(OverviewView, "The numbers.") },
    faults: ASKING,
  }),
  showCosts: spec({
    method: "get",
    path: "/costs",
    summary: "Shows what processes have spent: by route, by version, and the dearest",
    role: "read",
    params: NoParams,
    query: SinceQuery,
    answers: { 200: json(CostView, "The sums.") },
    faults: ASKING,
  }),
  listAgents: spec({
    method: "get",
    path: "/agents",
    summary: "Lists the agents with their tools, models and prompts, and what they do at this host",
    role: "read",
    params: NoParams,
    query: NoQuery,
    answers: { 200: json(AgentsView, "The agents.") },
    faults: [],
  }),
  showSystem: spec({
    method: "get",
    path: "/system",
    summary: "Shows the hosts of the system, and what an operator should look at",
    role: "read",
    params: NoParams,
    query: NoQuery,
    answers: { 200: json(SystemView, "The system.") },
    faults: ASKING,
  }),
  followChanges: spec({
    method: "get",
    path: "/events",
    summary: "Follows changes of lists as server-sent events: what has changed, without contents",
    role: "read",
    params: NoParams,
    query: NoQuery,
    answers: { 200: { contentType: "text/event-stream", description: "`event: changed` with what has changed, comments in between." } },
    faults: ["stream.too-many", "system.stopping"],
  }),
  showTimeline: spec({
    method: "get",
    path: "/processes/{id}/timeline",
    summary: "Shows what took time in the newest run of a process: queues, handlers, models, tools, people, retries",
    role: "read",
    params: ProcessParams,
    query: NoQuery,
    answers: { 200: json(TimelineView, "The bars, in the order in which they began.") },
    faults: ["id.invalid", "process.unknown", "process.purged", ...ASKING],
  }),
} as const;
