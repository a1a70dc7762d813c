/** @module Fake operations on memories and sources, with a fact as it is shown. */
import type { Operations } from "../../../actors/operations/operations.ts";
import type { FactEntry } from "../../../runtime/memory-answers.ts";

const FACT: FactEntry = {
  ...{ id: "f1", version: 1, kind: "fact", value: "tea", trust: "principal", label: [], atMs: 1, parents: [], readers: [] },
  writer: { agent: "Desk", processId: "p", workId: "p:1:a:0:1", subject: "ann" },
};

type Knowledge = "memories" | "memory" | "forgetFact" | "promoteFact" | "sources" | "syncSource";

/** Operations on memories and sources that note what they were asked. */
export function fakeKnowledge(events: string[]): Pick<Operations, Knowledge> {
  return {
    memories: async () => ({ memories: ["key.Desk.ann"] }),
    memory: async (id, filter) => ({
      id,
      total: 1,
      facts: [{ ...FACT, key: JSON.stringify(filter) }],
      gone: [],
      stale: [],
      readersDropped: 0,
    }),
    forgetFact: async (memory, id, options, { principal }) => {
      events.push(`forget ${memory} ${id} ${JSON.stringify(options)} ${principal.subject}`);
      return { facts: [{ memory, id, version: 1 }], readers: [], readersDropped: 0 };
    },
    promoteFact: async (memory, id, reason, { principal }) => {
      events.push(`promote ${memory} ${id} ${reason} ${principal.subject}`);
      return { ...FACT, id };
    },
    sources: async () => ({ sources: [] }),
    syncSource: async (source) => {
      events.push(`sync ${source}`);
      return {
        source,
        comparison: 1,
        listed: 1,
        added: 0,
        changed: 0,
        vanished: 0,
        unread: [],
        derived: 0,
        readers: [],
        readersDropped: 0,
      };
    },
  };
}
