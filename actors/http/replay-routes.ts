/** @module The part of the table of the HTTP API for records and replays. */
import { z } from "zod";
import { ReplayReport } from "../../runtime/cassette/replay-report.ts";
import { ConversationView } from "../../runtime/conversation-view.ts";
import { ASKING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { CassetteQuery, NoQuery, ProcessParams, WorkParams } from "./schemas.ts";

/** A cassette. What its records hold is a matter of the version. */
export const CassetteAnswer = z
  .looseObject({ format: z.literal("troupe-cassette"), v: z.int(), system: z.string(), exportedAtMs: z.int() })
  .describe("The records of a process and its nested ones. A later version may write them otherwise.");

const READING = ["id.invalid", "process.unknown", "process.purged", "cassette.too-large", ...ASKING] as const;

/** Routes of records and replays, by a name that is their `operationId`. */
export const REPLAY_ROUTES = {
  showCassette: spec({
    method: "get",
    path: "/processes/{id}/cassette",
    summary: "Exports the records of a process; contents are replaced by their sizes unless they are asked for",
    role: "read",
    params: ProcessParams,
    query: CassetteQuery,
    answers: { 200: json(CassetteAnswer, "The cassette.") },
    faults: [...READING, "auth.role", "audit.unavailable"],
  }),
  replayProcess: spec({
    method: "post",
    path: "/processes/{id}/replay",
    summary: "Replays a process with the code of this host, and tells what would differ",
    role: "content",
    content: { what: "process", params: ["id"] },
    params: ProcessParams,
    query: NoQuery,
    answers: { 200: json(ReplayReport, "What differs. Nothing was called, sent or written.") },
    faults: [...READING],
  }),
  showConversation: spec({
    method: "get",
    path: "/processes/{id}/works/{work}/conversation",
    summary: "Shows what a model agent sent and received in one work item, and what each request consisted of",
    role: "content",
    content: { what: "process", params: ["id"] },
    params: WorkParams,
    query: NoQuery,
    answers: { 200: json(ConversationView, "The conversation, made again from the records by the code of this host.") },
    faults: [...READING, "work.unknown"],
  }),
} as const;
