/**
 * @module What the journals know of a process beyond its own state: its whole history, and its work items with what went in and came
 * out, and what their handlers recorded. Read from the journal, whichever host runs the process.
 */
import { type HandlerHistory, CallHistory } from "../../runtime/agent/call-history.ts";
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { canonicalJson, textBytes } from "../../runtime/canonical.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { isItemsPath } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { actorType } from "../../runtime/protocol.ts";
import type { HistoryPage, ProcessView, StopsView, WorkView } from "../../runtime/process-view.ts";
import { HistoryReader } from "../../runtime/process/history.ts";
import { processMachine, type ProcessInput } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { WorkHistoryReader, type WorkHistoryItem } from "../../runtime/process/work-history.ts";
import { TimelineReader } from "../../runtime/process/timeline-reader.ts";
import type { TimelineView } from "../../runtime/timeline.ts";
import type { Value } from "../../runtime/value.ts";
import { Journal } from "../engine/journal.ts";
import type { Ports } from "../engine/ports.ts";
import type { Values } from "../engine/values.ts";

/** What is read from. */
export interface WorkHistoryParts {
  readonly ports: Pick<Ports, "store" | "clock">;
  readonly system: string;
  readonly values: Values;
}

type ProcessJournal = Journal<ProcessState, ProcessInput, ProcessEvent>;
type AgentJournal = Journal<AgentState, AgentInput, AgentEvent>;

/** Agent actors that are read at once. */
const AT_ONCE = 8;

/** The longer views of one system's processes. All methods throw `store.unavailable` and what is wrong with the process's journal. */
export class WorkHistory {
  readonly #parts: WorkHistoryParts;
  readonly #processes: ProcessJournal;

  constructor(parts: WorkHistoryParts) {
    const { ports, system } = parts;
    this.#parts = parts;
    this.#processes = new Journal(ports.store, ports.clock, processMachine, system, actorType(system, "ProcessManager"));
  }

  /** At most `limit` lines of the whole history, from line `from` on. */
  async history(id: string, from: number, limit: number): Promise<HistoryPage> {
    const reader = new HistoryReader(id);
    const lines: HistoryPage["lines"] = [];
    for await (const { event } of this.#processes.events(id)) {
      for (const line of reader.take(event)) if (line.line >= from) lines.push(line);
      if (lines.length > limit) break;
    }
    return lines.length > limit ? { lines: lines.slice(0, limit), next: from + limit } : { lines };
  }

  /** The work items of the current run of a process whose journal is at `sequence`. */
  async stops(id: string, sequence: number): Promise<StopsView> {
    const told = new WorkHistoryReader(LIMITS.stopsShownMax);
    const first = Math.max(1, sequence - LIMITS.stopsRecordsMax + 1);
    for await (const { event } of this.#processes.events(id, first)) told.take(event);
    const handlers = await this.#handlers(told.works);
    const room = { bytes: LIMITS.stopsContentBytesMax };
    const { state } = await this.#processes.load(id);
    const task = await contentOf(state.task?.input, this.#parts.values, room);
    const shown: WorkView[] = [];
    for (const work of told.works.toReversed()) shown.push(await viewOf(work, handlers.get(work.work), this.#parts.values, room));
    return { ...(task === undefined ? {} : { task }), stops: shown.reverse(), ...(told.left === 0 ? {} : { left: told.left }) };
  }

  /** The bars of the newest run of a process. */
  async timeline({ id, sequence, run, acceptedAtMs, actions = [] }: ProcessView): Promise<TimelineView> {
    const beginMs = actions.findLast(({ opened }) => opened === run)?.atMs ?? acceptedAtMs;
    const reader = new TimelineReader(id, LIMITS.timelineBarsMax, { run, beginMs });
    const first = Math.max(1, sequence - LIMITS.stopsRecordsMax + 1);
    for await (const { event, atMs } of this.#processes.events(id, first)) reader.take(event, atMs);
    return reader.view(await this.#handlers(reader.works));
  }

  /** What the agents' journals say of these work items, the newest first while there is room for records. */
  async #handlers(
    works: readonly Pick<WorkHistoryItem, "kind" | "agent" | "actor" | "work" | "isAgent">[],
  ): Promise<ReadonlyMap<string, HandlerHistory>> {
    const actors = new Map<string, { readonly agent: string; readonly actor: string; readonly works: string[] }>();
    for (const { kind, agent, actor, work, isAgent } of works.toReversed()) {
      if (kind === "undo" || !isAgent) continue;
      const known = actors.get(`${agent}/${actor}`) ?? { agent, actor, works: [] };
      known.works.push(work);
      actors.set(`${agent}/${actor}`, known);
    }
    const found = new Map<string, HandlerHistory>();
    const room = { records: LIMITS.stopsRecordsMax };
    const waiting = [...actors.values()];
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined && room.records > 0; one = waiting.shift())
        for (const [id, handler] of await this.#handlersOf(one, room)) found.set(id, handler);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    return found;
  }

  async #handlersOf(
    { agent, actor, works }: { readonly agent: string; readonly actor: string; readonly works: readonly string[] },
    room: { records: number },
  ): Promise<readonly (readonly [string, HandlerHistory])[]> {
    const { ports, system } = this.#parts;
    const journal: AgentJournal = new Journal(ports.store, ports.clock, agentMachine, system, actorType(system, agent));
    const history = new CallHistory(works);
    try {
      const { sequence } = await journal.load(actor);
      const first = Math.max(1, sequence - room.records + 1);
      room.records -= sequence - first + 1;
      for await (const { event, atMs } of journal.events(actor, first)) history.take(event, atMs);
    } catch (error) {
      // A broken agent actor must not hide its process.
      if (!isFault(error) || !error.code.startsWith("journal.")) throw error;
    }
    return works.flatMap((id) => {
      const handler = history.of(id);
      return handler === undefined ? [] : [[id, handler] as const];
    });
  }
}

async function viewOf(
  told: WorkHistoryItem,
  handler: HandlerHistory | undefined,
  values: Values,
  room: { bytes: number },
): Promise<WorkView> {
  const { input, output, item, actor: _where, isAgent: _what, ...plain } = told;
  const [given, made] = [await contentOf(input, values, room), await contentOf(output, values, room)];
  return {
    ...plain,
    ...(told.state === "asked" && handler?.state !== undefined ? { state: handler.state } : {}),
    ...(isItemsPath(told.stop) ? { item } : {}),
    ...(given === undefined ? {} : { input: given }),
    ...(made === undefined ? {} : { output: made }),
    ...(handler === undefined || handler.calls.length === 0 ? {} : { calls: [...handler.calls] }),
    ...(handler === undefined || handler.takeovers === 0 ? {} : { takeovers: handler.takeovers }),
  };
}

/** The content of a value while there is room for it. Content that was dropped is omitted too. */
async function contentOf(value: Value | undefined, values: Values, room: { bytes: number }): Promise<Json | undefined> {
  if (value === undefined) return undefined;
  const bytes = "json" in value ? textBytes(canonicalJson(value.json)) : value.bytes;
  if (bytes > room.bytes) return undefined;
  room.bytes -= bytes;
  try {
    return await values.read(value);
  } catch (error) {
    if (isFault(error) && error.code === "value.missing") return undefined;
    throw error;
  }
}
