/** @module Reads the cassette of a process from the store of a world in memory: all its records, also those that its state has dropped. */
import type { AgentEvent } from "../../runtime/agent/events.ts";
import { evolveAgent } from "../../runtime/agent/evolve.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import { type AgentState, type AgentWork, newAgent } from "../../runtime/agent/state.ts";
import { CASSETTE_VERSION, type Cassette, type CassetteProcess, type CassetteWork } from "../../runtime/cassette/cassette.ts";
import { entryOf } from "../../runtime/entries.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { processMachine, type ProcessInput } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { Work } from "../../runtime/process/work.ts";
import { actorType } from "../../runtime/protocol.ts";
import type { Value } from "../../runtime/value.ts";
import { Journal } from "../engine/journal.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** What a run is read from. */
export interface ReadRunParts {
  readonly ports: Pick<Ports, "store" | "clock">;
  readonly system: string;
  readonly values: Values;
}

/** The cassette of a process and its nested ones, as far as they have come. */
export async function readRun(parts: ReadRunParts, id: string): Promise<Cassette> {
  const { ports, system } = parts;
  const journal = new Journal<ProcessState, ProcessInput, ProcessEvent>(
    ...([ports.store, ports.clock, processMachine, system, actorType(system, "ProcessManager")] as const),
  );
  const processes: CassetteProcess[] = [];
  const ids = [id];
  for (const one of ids) {
    const records: CassetteProcess["records"] = [];
    const asked: Work[] = [];
    for await (const { event, atMs } of journal.events(one)) {
      records.push({ sequence: records.length + 1, atMs, events: [event] });
      if (event.e === "asked" && event.work.kind !== "undo") asked.push(event.work);
    }
    if (records.length === 0) continue;
    const nested = asked.filter(({ target }) => target.kind === "route").map(({ actor }) => actor);
    ids.push(...nested.filter((child) => !ids.includes(child)));
    const works: CassetteWork[] = [];
    for (const { agent, actor, wanted } of actorsOf(asked)) works.push(...(await worksOf(parts, agent, actor, wanted)));
    processes.push({ id: one, records, works, gone: [] });
  }
  const values = await valuesIn(parts.values, processes as unknown as Json);
  return { format: "troupe-cassette", v: CASSETTE_VERSION, system, exportedAtMs: ports.clock.nowMs(), processes, values };
}

interface WantedOfActor {
  readonly agent: string;
  readonly actor: string;
  readonly wanted: ReadonlySet<string>;
}

function actorsOf(asked: readonly Work[]): WantedOfActor[] {
  const actors = Map.groupBy(
    asked.filter(({ target }) => target.kind === "agent"),
    ({ target, actor }) => (target.kind === "agent" ? `${target.agent}/${actor}` : ""),
  );
  return [...actors.values()].flatMap((works) => {
    const [first] = works;
    if (first?.target.kind !== "agent") return [];
    return [{ agent: first.target.agent, actor: first.actor, wanted: new Set(works.map(({ id }) => id)) }];
  });
}

type Contents = Pick<AgentWork, "input" | "label" | "stateLabel" | "calls" | "modelCalls" | "steps" | "waits" | "failures" | "result">;

interface Followed {
  contents: Contents;
  state: Value | undefined;
  stateVersion: number;
  nextState: Value | undefined;
}

async function worksOf(
  { ports, system }: ReadRunParts,
  agent: string,
  actor: string,
  wanted: ReadonlySet<string>,
): Promise<CassetteWork[]> {
  const journal = new Journal<AgentState, AgentInput, AgentEvent>(
    ...([ports.store, ports.clock, agentMachine, system, actorType(system, agent)] as const),
  );
  const followed = new Map<string, Followed>();
  const last = new Map<string, AgentWork>();
  let state = newAgent(actor);
  for await (const { event } of journal.events(actor)) {
    const before = state;
    state = evolveAgent(state, event);
    const id = "workId" in event ? event.workId : event.e === "work-accepted" ? event.work.id : undefined;
    const work = id === undefined || !wanted.has(id) ? undefined : entryOf(state.works, id);
    if (id === undefined || work === undefined) continue;
    last.set(id, work);
    const known = followed.get(id) ?? { contents: work, state: undefined, stateVersion: 0, nextState: undefined };
    followed.set(id, known);
    if (event.e === "begun") [known.state, known.stateVersion] = [before.state, before.stateVersion];
    // What ends a work item may drop its contents.
    if (event.e === "work-done") {
      known.contents = { ...(entryOf(before.works, id) ?? work), result: event.result };
      known.nextState = event.state;
    } else if (event.e !== "undo-done" && work.status !== "done")
      known.contents = { ...work, result: work.result ?? known.contents.result };
    if (event.e === "call-undone") known.contents = { ...known.contents, calls: work.calls };
  }
  return [...last].flatMap(([id, work]) => {
    const known = followed.get(id);
    if (known === undefined) return [];
    const { input, label, stateLabel, calls, modelCalls, steps, waits, failures, result } = known.contents;
    const full: AgentWork = { ...work, input, label, stateLabel, calls, modelCalls, steps, waits, failures, result: result ?? work.result };
    const { state: seen, stateVersion, nextState } = known;
    return [
      {
        agent,
        actor,
        stateVersion,
        work: full,
        ...(seen === undefined ? {} : { state: seen }),
        ...(nextState === undefined ? {} : { nextState }),
      },
    ];
  });
}

/** All stored contents that a content refers to, also those inside of others. */
async function valuesIn(values: Values, content: Json): Promise<Record<string, Json>> {
  const found: Record<string, Json> = {};
  const walk = async (part: Json | undefined): Promise<void> => {
    if (typeof part !== "object" || part === null) return;
    for (const item of Object.values(part) as (Json | undefined)[]) await walk(item);
    const { ref, bytes, scope } = part as { readonly ref?: Json; readonly bytes?: Json; readonly scope?: Json };
    if (typeof ref !== "string" || typeof bytes !== "number" || Object.hasOwn(found, ref)) return;
    try {
      const read = await values.read({ ref, bytes, ...(typeof scope === "string" ? { scope } : {}) });
      found[ref] = read;
      await walk(read);
    } catch (error) {
      if (!isFault(error) || error.code !== "value.missing") throw error;
    }
  };
  await walk(content);
  return found;
}
