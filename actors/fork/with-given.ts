/** @module Puts the recorded work items into a forked run that were given from the record, so that the run can be compared and replayed. */
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import type { RecordedRun } from "../../runtime/cassette/recorded-run.ts";

/** The forked run, in which given work items have what was recorded of them. */
export function withGiven(original: Cassette, forked: Cassette, recorded: RecordedRun): Cassette {
  const processes = forked.processes.map((process) => ({
    ...process,
    works: process.works.map((own) => {
      const known = recorded.work(own.work.id);
      if (known?.handler === undefined || !recorded.isGiven(known)) return own;
      const { work } = known.handler;
      return { ...known.handler, actor: own.actor, work: { ...work, id: own.work.id, processId: own.work.processId } };
    }),
  }));
  return { ...forked, system: original.system, processes, values: { ...original.values, ...forked.values } };
}
