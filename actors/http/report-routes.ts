/** @module The part of the table of the HTTP API for reports over ended processes: drift and digest. */
import { DigestView, DriftView } from "../../runtime/overview.ts";
import { ASKING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { DigestQuery, DriftQuery, NoParams } from "./schemas.ts";

/** The routes of reports, by a name that is their `operationId`. */
export const REPORT_ROUTES = {
  showDrift: spec({
    method: "get",
    path: "/drift",
    summary: "Shows how agents work together by route and version, against a baseline",
    role: "read",
    params: NoParams,
    query: DriftQuery,
    answers: { 200: json(DriftView, "Means per ended process, now and before, and which of them have drifted.") },
    faults: ASKING,
  }),
  showDigest: spec({
    method: "get",
    path: "/digest",
    summary: "Shows what happened since a time, and what there is to do",
    role: "read",
    params: NoParams,
    query: DigestQuery,
    answers: { 200: json(DigestView, "The digest, without contents.") },
    faults: ASKING,
  }),
} as const;
