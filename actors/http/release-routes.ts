/** @module The part of the table of the HTTP API for releases of prompts and models. */
import { ReleasesView, ReleaseView } from "../../runtime/release.ts";
import { ASKING, CHANGING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { NoParams, NoQuery, ReleaseParams, StopReleaseRequest } from "./schemas.ts";

/** The routes of releases. */
export const RELEASE_ROUTES = {
  listReleases: spec({
    method: "get",
    path: "/releases",
    summary: "Lists the releases of prompts and models, as this host uses them, with counts of both versions",
    role: "read",
    params: NoParams,
    query: NoQuery,
    answers: { 200: json(ReleasesView, "One for each model agent of the app.") },
    faults: ASKING,
  }),
  stopRelease: spec({
    method: "post",
    path: "/releases/{agent}/stop",
    summary: "Stops the canary of an agent: new work items get the stable version, on all hosts",
    role: "operate",
    params: ReleaseParams,
    query: NoQuery,
    body: StopReleaseRequest,
    answers: { 200: json(ReleaseView, "The release. A canary that was stopped before stays as it is.") },
    faults: ["release.unknown", ...CHANGING],
  }),
} as const;
