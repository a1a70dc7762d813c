/** @module The part of the table of the HTTP API for memories and sources. */
import { FactEntry, Forgotten, MemoriesAnswer, MemoryView } from "../../runtime/memory-answers.ts";
import { SourcesAnswer, SyncAnswer } from "../../runtime/source-answers.ts";
import { hideFact, hideMemory } from "./contents.ts";
import { ASKING, CHANGING } from "./route-faults.ts";
import { json, spec } from "./route-spec.ts";
import { FactsQuery, ForgetRequest, MemoryParams, EmptyBody, NoParams, NoQuery, PromoteRequest, SourceParams } from "./schemas.ts";

const BARE = { params: NoParams, query: NoQuery } as const;

/** The routes of memories and sources. */
export const KNOWLEDGE_ROUTES = {
  listMemories: spec({
    method: "get",
    path: "/memory",
    summary: "Lists the memories of agents and sources",
    role: "read",
    ...BARE,
    answers: { 200: json(MemoriesAnswer, "Their ids.") },
    faults: ASKING,
  }),
  showMemory: spec({
    method: "get",
    path: "/memory/{memory}",
    summary: "Shows facts of a memory with their provenance, newest first, and what is gone",
    role: "read",
    content: { what: "memory", params: ["memory"], hide: hideMemory },
    params: MemoryParams,
    query: FactsQuery,
    answers: { 200: json(MemoryView, "The memory.") },
    faults: ["memory.unknown", ...ASKING],
  }),
  forgetFact: spec({
    method: "post",
    path: "/memory/{memory}/forget",
    summary: "Forgets a fact in all its versions, and what was derived from it in any memory",
    role: "operate",
    params: MemoryParams,
    query: NoQuery,
    body: ForgetRequest,
    answers: { 200: json(Forgotten, "What is gone, and who had read it.") },
    faults: ["memory.unknown", ...CHANGING],
  }),
  promoteFact: spec({
    method: "post",
    path: "/memory/{memory}/promote",
    summary: "Vouches for an untrusted fact, so that other processes may read it",
    role: "decide",
    content: { what: "memory", params: ["memory"], hide: hideFact },
    params: MemoryParams,
    query: NoQuery,
    body: PromoteRequest,
    answers: { 200: json(FactEntry, "The fact.") },
    faults: ["memory.unknown", "person.forbidden", ...CHANGING],
  }),
  listSources: spec({
    method: "get",
    path: "/sources",
    summary: "Lists the sources of the system, and how current their memories are",
    role: "read",
    ...BARE,
    answers: { 200: json(SourcesAnswer, "The sources.") },
    faults: ASKING,
  }),
  syncSource: spec({
    method: "post",
    path: "/sources/{name}/sync",
    summary: "Compares a source with its memory now",
    role: "operate",
    params: SourceParams,
    query: NoQuery,
    body: EmptyBody,
    bodyOptional: true,
    answers: { 200: json(SyncAnswer, "What changed. It is gone from all memories, with what was derived from it.") },
    faults: ["source.unknown", "source.unavailable", "memory.full", "work.superseded", ...CHANGING],
  }),
} as const;
