/** @module The part of the table of the HTTP API for the upkeep of a system: broken journals, and what ended long ago. */
import { ASKING, CHANGING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { BrokenActor, BrokenActors, PurgeAnswer } from "../../runtime/answers.ts";
import { NoParams, NoQuery, PurgeRequest, SetAsideRequest } from "./schemas.ts";

const BARE = { params: NoParams, query: NoQuery } as const;

/** Routes of the upkeep, by a name that is their `operationId`. */
export const UPKEEP_ROUTES = {
  listBroken: spec({
    method: "get",
    path: "/broken",
    summary: "Lists actors whose journals are broken",
    role: "read",
    ...BARE,
    answers: { 200: json(BrokenActors, "Those that this host has met, and all broken buckets of the indexes.") },
    faults: ASKING,
  }),
  setAside: spec({
    method: "post",
    path: "/broken/set-aside",
    summary: "Sets the journal of a broken actor aside, which begins anew",
    role: "operate",
    ...BARE,
    body: SetAsideRequest,
    answers: { 200: json(BrokenActor, "It goes on.") },
    faults: ["agent.unknown", "journal.intact", "journal.loss", ...CHANGING],
  }),
  purge: spec({
    method: "post",
    path: "/purge",
    summary: "Purges ended processes",
    role: "operate",
    ...BARE,
    body: PurgeRequest,
    bodyOptional: true,
    answers: { 200: json(PurgeAnswer, "How many processes were purged, and how many ended and must stay for now.") },
    faults: CHANGING,
  }),
} as const;
