/**
 * @module What a run did, as a tree: its stops, in each the calls, steps, asks and results of its handler, and the outcome. Times, ids and
 * attempts are left out, so that two runs can be compared. Pure.
 */
import { NOTHING_SPENT, addSpent, type Spent } from "../budget.ts";
import type { Json } from "../faults.ts";
import { pathText, placeOf, stopWorkParts } from "../ids.ts";
import type { ProcessEvent } from "../process/events.ts";
import type { Wait } from "../process/wait.ts";
import type { Work } from "../process/work.ts";
import { doerName } from "../slip.ts";
import type { Cassette, CassetteProcess, CassetteWork } from "./cassette.ts";
import { Contents } from "./contents.ts";
import type { DiffLine } from "./diff.ts";
import { workNodes } from "./work-nodes.ts";

/** One thing that a run did, with what it did inside. */
export interface RunNode {
  readonly what: DiffLine["what"];
  /** Where it stands: the path of the stop, after those of the routes around it. */
  readonly stop: string;
  readonly agent?: string | undefined;
  readonly name: string;
  /** Unique among its siblings. Nodes of two runs with the same key are the same thing. */
  readonly key: string;
  /** What is compared. */
  readonly content: Json;
  readonly parts: readonly RunNode[];
}

/** The last run of a cassette. */
export interface RunTree {
  readonly id: string;
  readonly nodes: readonly RunNode[];
  readonly outcome: string;
  readonly spent: Spent;
}

/** The last run of a cassette as a tree. Stops that it kept of earlier runs count as its own. */
export function runTree(cassette: Cassette, contents = new Contents([cassette])): RunTree {
  const reader = new TreeReader(cassette, contents);
  const [root] = cassette.processes;
  const nodes = root === undefined ? [] : reader.nodesOf(root, "");
  const outcome = root === undefined ? undefined : outcomeOf(root);
  const works = cassette.processes.flatMap(({ works }) => works.map(({ work }) => work.spent ?? NOTHING_SPENT));
  const end: RunNode = {
    ...{ what: "outcome", stop: "", name: outcome?.status ?? "open", key: "outcome", parts: [] },
    content: outcome === undefined ? null : { status: outcome.status, ...contents.result(outcome) },
  };
  return { id: root?.id ?? "", nodes: [...nodes, end], outcome: end.name, spent: works.reduce(addSpent, NOTHING_SPENT) };
}

type OutcomeOf = Extract<ProcessEvent, { readonly e: "ended" }>["outcome"];

function outcomeOf({ records }: CassetteProcess): OutcomeOf | undefined {
  let outcome: OutcomeOf | undefined;
  for (const { events } of records)
    for (const event of events) {
      if (event.e === "ended") ({ outcome } = event);
      else if (event.e === "accepted" || event.e === "reopened") outcome = undefined;
    }
  return outcome;
}

/** What stands at one place of a route: replaced as a whole when a later run comes there. */
interface Place {
  run: number;
  readonly entries: Entry[];
}

type Entry =
  | { readonly kind: "work"; readonly work: Work; end?: Json }
  | { readonly kind: "wait"; readonly wait: Wait; end?: Json }
  | { readonly kind: "skipped"; readonly stop: string; readonly key: string };

class TreeReader {
  readonly #processes: ReadonlyMap<string, CassetteProcess>;
  readonly #contents: Contents;

  constructor(cassette: Cassette, contents: Contents) {
    this.#processes = new Map(cassette.processes.map((process) => [process.id, process]));
    this.#contents = contents;
  }

  /** `around`: the path of the stop that runs this process as a nested route. */
  nodesOf(process: CassetteProcess, around: string): RunNode[] {
    const read = new EventReader(this.#contents);
    for (const { events } of process.records) for (const event of events) read.take(event);
    const works = new Map(process.works.map((work) => [work.work.id, work]));
    return read.entries.map((entry) => this.#node(entry, { works, asked: read.asked, around }));
  }

  #node(entry: Entry, place: Surroundings): RunNode {
    if (entry.kind === "skipped")
      return {
        ...{ what: "stop", stop: place.around + entry.stop, name: "(skipped)", key: `${entry.stop}/${entry.key}` },
        ...{ content: null, parts: [] },
      };
    if (entry.kind === "wait") return this.#waitNode(entry, place);
    return this.workNode(entry.work, entry.end, place);
  }

  /** A work item of a stop, a validator or an ask. */
  workNode(work: Work, end: Json | undefined, place: Surroundings): RunNode {
    const stop = place.around + pathText(work.stop, work.item);
    const name = doerName(work.target);
    const nested = work.target.kind === "route" ? this.#processes.get(work.actor) : undefined;
    const known = place.works.get(work.id);
    const parts = nested === undefined ? [] : this.nodesOf(nested, `${stop} > `);
    if (known !== undefined) parts.push(...this.#handled(known, stop, place));
    if (end !== undefined) parts.push({ what: "result", stop, agent: name, name, key: "result", content: end, parts: [] });
    const what = work.kind === "undo" ? "undo" : "stop";
    return { what, stop, agent: name, name, key: keyOf(work), content: { input: this.#contents.read(work.input) }, parts };
  }

  #handled(known: CassetteWork, stop: string, place: Surroundings): RunNode[] {
    return workNodes(known, stop, this.#contents, (id) => {
      const asked = place.asked.get(id);
      return asked === undefined ? undefined : this.workNode(asked.work, asked.end, place);
    });
  }

  #waitNode({ wait, end = null }: Extract<Entry, { readonly kind: "wait" }>, { around }: Surroundings): RunNode {
    const stop = around + pathText(wait.stop, wait.item);
    const asked = wait.for;
    const key = placeOf(wait.stop, wait.item);
    if (asked.kind === "person") {
      const content = { asked: this.#contents.asked(asked.content), end };
      return { what: "person", stop, name: asked.tool ?? asked.person ?? "a person", key: `${key}/person`, content, parts: [] };
    }
    const name = asked.kind === "signal" ? asked.name : asked.kind;
    return { what: asked.kind === "signal" ? "signal" : "stop", stop, name, key: `${key}/${asked.kind}`, content: { end }, parts: [] };
  }
}

interface AskedWork {
  readonly work: Work;
  end?: Json;
}

interface Surroundings {
  readonly works: ReadonlyMap<string, CassetteWork>;
  /** Work items that handlers asked for. */
  readonly asked: ReadonlyMap<string, AskedWork>;
  readonly around: string;
}

/** The key of a work item: its id without the process and the run. */
function keyOf({ id, kind }: Work): string {
  const { process, run } = stopWorkParts(id);
  return `${kind} ${id.slice(`${process}:${run}:`.length)}`;
}

/** Reads the events of a process into what stands at each place, in the order in which it began. */
class EventReader {
  readonly asked = new Map<string, AskedWork>();
  readonly #contents: Contents;
  readonly #places = new Map<string, Place>();
  readonly #ended = new Map<string, { end?: Json }>();
  #run = 1;

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  get entries(): Entry[] {
    return [...this.#places.values()].flatMap(({ entries }) => entries);
  }

  take(event: ProcessEvent): void {
    switch (event.e) {
      case "accepted":
      case "reopened":
        this.#run = event.run;
        break;
      case "asked":
        this.#ask(event.work);
        break;
      case "wait-begun":
        if (event.wait.asker === undefined) this.#put(event.wait.stop, event.wait.item, { kind: "wait", wait: event.wait });
        break;
      case "skipped":
        this.#put(event.stop, 0, { kind: "skipped", stop: event.stop, key: event.key });
        break;
      case "answered":
        this.#end(event.workId, { output: this.#contents.read(event.output) });
        break;
      case "handed-off":
        this.#end(event.workId, { handOff: event.to });
        break;
      case "failed":
      case "undo-failed":
        this.#end(event.workId, this.#contents.result(event));
        break;
      case "undone":
        this.#end(event.workId, { undone: event.report.undone, left: event.report.left, stands: event.report.stands });
        break;
      case "wait-ended":
        this.#end(event.waitId, this.#contents.result(event.result));
        break;
      default:
    }
  }

  #ask(work: Work): void {
    if (work.kind !== "ask") return this.#put(work.stop, work.item, { kind: "work", work });
    const entry: AskedWork = { work };
    this.asked.set(work.id, entry);
    this.#ended.set(work.id, entry);
  }

  #put(stop: string, item: number, entry: Entry): void {
    const name = placeOf(stop, item);
    const known = this.#places.get(name);
    const place = known?.run === this.#run ? known : { run: this.#run, entries: [] };
    // A later run stands where it comes, not where the earlier one was.
    if (place !== known) this.#places.delete(name);
    this.#places.set(name, place);
    place.entries.push(entry);
    if (entry.kind !== "skipped") this.#ended.set(entry.kind === "work" ? entry.work.id : entry.wait.id, entry);
  }

  #end(id: string, end: Json): void {
    const entry = this.#ended.get(id);
    if (entry !== undefined) entry.end = end;
  }
}
