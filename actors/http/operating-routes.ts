/** @module The part of the table of the HTTP API for what operators do with open processes, and with many dead letters at once. */
import { LettersDecided, Receipt } from "../../runtime/answers.ts";
import { CHANGING, TELLING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { LettersRequest, NoParams, NoQuery, PauseRequest, ProcessParams, TerminateRequest } from "./schemas.ts";

/** Routes of operators' acts, by a name that is their `operationId`. */
export const OPERATING_ROUTES = {
  pauseProcess: spec({
    method: "post",
    path: "/processes/{id}/pause",
    summary: "Pauses a process: nothing new begins, and its due times stand still",
    role: "operate",
    params: ProcessParams,
    query: NoQuery,
    body: PauseRequest,
    bodyOptional: true,
    answers: { 202: json(Receipt, "The pause is recorded.") },
    faults: [...TELLING, "pause.spent"],
  }),
  resumeProcess: spec({
    method: "post",
    path: "/processes/{id}/resume",
    summary: "Resumes a paused process",
    role: "operate",
    params: ProcessParams,
    query: NoQuery,
    body: PauseRequest,
    bodyOptional: true,
    answers: { 202: json(Receipt, "The end of the pause is recorded.") },
    faults: TELLING,
  }),
  terminateProcess: spec({
    method: "post",
    path: "/processes/{id}/terminate",
    summary: "Ends a process and its nested routes at once, without compensation",
    role: "operate",
    params: ProcessParams,
    query: NoQuery,
    body: TerminateRequest,
    answers: { 202: json(Receipt, "The process has ended.") },
    faults: TELLING,
  }),
  decideDeadLetters: spec({
    method: "post",
    path: "/deadletters/decide",
    summary: "Redrives or discards many dead letters, each for itself",
    role: "decide",
    params: NoParams,
    query: NoQuery,
    body: LettersRequest,
    answers: { 200: json(LettersDecided, "What became of each.") },
    faults: CHANGING,
  }),
} as const;
