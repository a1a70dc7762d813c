/**
 * @module Replays the decisions of one process: the routing slip of the current system over the recorded events. What came from outside
 * (answers, faults, decisions) is taken from the record, and what the slip makes of it is compared.
 */
import { canonicalJson } from "../../runtime/canonical.ts";
import type { Cassette, CassetteProcess, CassetteRecord } from "../../runtime/cassette/cassette.ts";
import type { Divergence } from "../../runtime/cassette/replay-report.ts";
import { entryOf } from "../../runtime/entries.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { type DecisionContext, MissingValues } from "../../runtime/machine.ts";
import { advance } from "../../runtime/process/advance.ts";
import { openBuilder } from "../../runtime/process/decision-builder.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { evolveProcess } from "../../runtime/process/evolve.ts";
import { newProcess, type ProcessState } from "../../runtime/process/state.ts";
import { doerName } from "../../runtime/slip.ts";
import { type Value, valueHash } from "../../runtime/value.ts";

/** One thing that a slip decides, in a form that can be compared. */
interface Decided {
  readonly what: string;
  readonly stop: string;
  readonly agent?: string | undefined;
  readonly content?: Value | undefined;
  readonly more?: Json | undefined;
}

/** Events after which a process goes on along its slip. */
const GOES_ON: ReadonlySet<ProcessEvent["e"]> = new Set(["accepted", "answered", "failed", "wait-ended", "judged"]);

/** A replayed process. */
export interface ReplayedProcess {
  readonly divergence?: Divergence;
  /** Some of its decisions were not compared: contents that they need were removed. */
  readonly incomplete?: true;
}

/** Replays a process. `slip` is that of its route in the current system; undefined: the system has no such route. */
export function replayProcess(cassette: Cassette, process: CassetteProcess, slip: Value | undefined): ReplayedProcess {
  const accepted = process.records[0]?.events.find((event) => event.e === "accepted");
  if (accepted === undefined || accepted.e !== "accepted") return {};
  const about = { process: process.id, kind: "route" as const };
  if (slip === undefined) return { divergence: { ...about, stop: "", message: `the system has no route ${accepted.task.route}` } };
  // A plan of a model is its own slip, which no code changes.
  const isPlanned = accepted.task.parent !== undefined && accepted.task.route !== "" && isUnknownRoute(slip, accepted.task.route);
  const own = isPlanned ? accepted.task.slip : slip;
  let isIncomplete = false;
  let state = newProcess(process.id);
  for (const record of process.records) {
    const events = record.events.map((event) => (event.e === "accepted" ? { ...event, task: { ...event.task, slip: own } } : event));
    const found = recordDiff(cassette, state, { ...record, events });
    if (found === "incomplete") isIncomplete = true;
    else if (found !== undefined) return { divergence: { ...about, ...found } };
    state = events.reduce(evolveProcess, state);
  }
  return isIncomplete ? { incomplete: true } : {};
}

function isUnknownRoute(slip: Value, route: string): boolean {
  if (!("json" in slip)) return false;
  const { routes } = slip.json as { readonly routes?: Readonly<Record<string, Json>> };
  return routes === undefined || !Object.hasOwn(routes, route);
}

type Found = Pick<Divergence, "stop" | "agent" | "message" | "recorded" | "now">;

/** Compares what one record decides after its cause. */
function recordDiff(cassette: Cassette, before: ProcessState, record: CassetteRecord): Found | "incomplete" | undefined {
  const { events } = record;
  const first = events.findIndex((event) => decidedOf(event) !== undefined);
  const causes = first < 0 ? events : events.slice(0, first);
  if (!causes.some(({ e }) => GOES_ON.has(e)) || causes.some(({ e }) => e === "ending")) return undefined;
  const recorded = events.flatMap((event) => decidedOf(event) ?? []);
  const now = decidedNow(cassette, causes.reduce(evolveProcess, before), record);
  if (now === undefined) return "incomplete";
  const count = Math.max(recorded.length, now.length);
  for (let index = 0; index < count; index += 1) {
    const [a, b] = [recorded[index], now[index]];
    if (a === undefined || b === undefined || !isSame(a, b)) return foundOf(cassette, a, b);
  }
  return undefined;
}

/** What the current slip decides. Undefined: contents that it needs are gone. */
function decidedNow(cassette: Cassette, state: ProcessState, { atMs, sequence }: CassetteRecord): readonly Decided[] | undefined {
  const context: DecisionContext = {
    ...{ system: cassette.system, actorId: state.id, nowMs: atMs, incarnation: "replay", sequence, jitter01: 0, token: "replay" },
    values: { get: (ref) => cassette.values[ref], has: (ref) => Object.hasOwn(cassette.values, ref) },
  };
  const builder = openBuilder(state, context);
  try {
    advance(builder);
  } catch (error) {
    if (error instanceof MissingValues) return undefined;
    if (!isFault(error)) throw error;
    return [{ what: "fault", stop: "", more: error.code }];
  }
  return builder.done().events.flatMap((event) => decidedOf(event) ?? []);
}

/** What a slip has decided by an event; undefined for other events. Ids, times and grants are left out. */
function decidedOf(event: ProcessEvent): Decided | undefined {
  switch (event.e) {
    case "stop-begun":
      return { what: "begins", stop: event.stop, more: event.total };
    case "asked": {
      const { work } = event;
      if (work.kind !== "do" || work.visit > 1 || work.asker !== undefined) return undefined;
      return { what: "asks", stop: work.stop, agent: doerName(work.target), content: work.input, more: work.item };
    }
    case "wait-begun": {
      const { wait } = event;
      if (wait.asker !== undefined || wait.aside !== undefined || wait.again !== undefined) return undefined;
      return { what: "waits", stop: wait.stop, more: wait.for.kind };
    }
    case "skipped":
      return { what: "skips", stop: event.stop, more: event.key };
    case "stop-done":
      return { what: "ends", stop: event.stop, more: Object.keys(event.outputs).sort() };
    case "ending":
      return { what: "fails", stop: event.ending.stop, more: event.ending.fault.code };
    case "ended":
      return { what: "outcome", stop: "output", content: event.outcome.output, more: event.outcome.status };
    default:
      return undefined;
  }
}

function isSame(a: Decided, b: Decided): boolean {
  if (a.what !== b.what || a.stop !== b.stop || a.agent !== b.agent) return false;
  if (canonicalJson(a.more ?? null) !== canonicalJson(b.more ?? null)) return false;
  return a.content === undefined || b.content === undefined ? a.content === b.content : valueHash(a.content) === valueHash(b.content);
}

function foundOf(cassette: Cassette, a: Decided | undefined, b: Decided | undefined): Found {
  const text = (one: Decided | undefined): string =>
    one === undefined ? "nothing" : [one.what, one.stop, ...(one.agent === undefined ? [] : [`(${one.agent})`])].join(" ");
  const isOnlyContent = a !== undefined && b !== undefined && text(a) === text(b);
  const what = isOnlyContent ? `${text(a)}, with something else` : `recorded is: ${text(a)}; now: ${text(b)}`;
  const { agent } = a ?? b ?? {};
  return {
    stop: a?.stop ?? b?.stop ?? "",
    ...(agent === undefined ? {} : { agent }),
    message: `the route decides otherwise: ${what}`,
    ...(a === undefined ? {} : { recorded: contentOf(cassette, a) }),
    ...(b === undefined ? {} : { now: contentOf(cassette, b) }),
  };
}

function contentOf(cassette: Cassette, { content, more }: Decided): Json {
  if (content === undefined) return more ?? null;
  return "json" in content ? content.json : (entryOf(cassette.values, content.ref) ?? null);
}
