/**
 * @module The last run of a cassette for a fork: what is known of each work item, under the id that it has in the forked run, and what of
 * it comes before the call from which on models are asked again. Pure.
 *
 * What comes before is found by the order in one journal. Times are compared only between what ran at the same time; either is right there.
 */
import { Fault, type Json } from "../faults.ts";
import { childProcessId, itemsPath, messageId, outsideId, stopWorkParts } from "../ids.ts";
import type { Label } from "../label.ts";
import type { ProcessEvent } from "../process/events.ts";
import type { Task } from "../process/state.ts";
import type { Wait } from "../process/wait.ts";
import type { Work } from "../process/work.ts";
import type { Result } from "../protocol/bodies.ts";
import type { Value } from "../value.ts";
import type { Cassette, CassetteProcess, CassetteWork } from "./cassette.ts";
import { Contents } from "./contents.ts";

/** Forks from the beginning of the run. */
export const FROM_START = "start";

interface When {
  readonly sequence: number;
  readonly atMs: number;
}

/** A work item of the record. */
export interface KnownWork {
  /** Its id in the forked run. */
  readonly id: string;
  /** Id of its process in the forked run. */
  readonly process: string;
  readonly work: Work;
  readonly asked: When;
  end?: When & { readonly result: Result };
  /** It was cancelled or lost a race. */
  dropped?: When;
  readonly handler: CassetteWork | undefined;
}

/** A wait of a route or a handler for a signal or a person, as it ended. */
export interface KnownWait {
  readonly wait: Wait;
  readonly end: Extract<ProcessEvent, { readonly e: "wait-ended" }> | undefined;
}

/** A signal of the record. */
export interface KnownSignalOf {
  readonly name: string;
  readonly payload: Value;
  readonly label: Label | undefined;
}

/** What the record has of one process. */
export interface KnownProcess {
  /** The work item that runs it as a nested route. */
  readonly parent: KnownWork | undefined;
  readonly waits: readonly KnownWait[];
  readonly signals: readonly KnownSignalOf[];
}

/** The call from which on models are asked again. */
interface Cut {
  readonly work: KnownWork;
  /** Absent: all of the work item. */
  readonly call: { readonly key: string; readonly order: number } | undefined;
  readonly atMs: number;
  /** The work item and what it is a part of: askers, and work items that run nested routes. */
  readonly chain: ReadonlySet<KnownWork>;
}

/** What is recorded of a run, as a fork looks it up. */
export class RecordedRun {
  readonly id: string;
  readonly task: Task;
  readonly contents: Contents;
  readonly #works = new Map<string, KnownWork>();
  readonly #processes = new Map<string, KnownProcess>();
  readonly #cut: Cut | undefined;

  /**
   * `at`: a stop with one work item, the id of a work item, the key of a call, both with a slash between, or {@link FROM_START}.
   * @throws `fork.unknown`
   */
  constructor(cassette: Cassette, at: string) {
    const [root] = cassette.processes;
    const task = root === undefined ? undefined : taskOf(root);
    if (root === undefined || task === undefined) throw new Fault("fork.unknown", "the cassette has no process with a task");
    this.id = root.id;
    this.task = task;
    this.contents = new Contents([cassette]);
    this.#read(new Map(cassette.processes.map((process) => [process.id, process])), root, root.id, undefined);
    this.#cut = at === FROM_START ? undefined : this.#cutAt(at);
  }

  /** The work items, in the order in which they were asked. */
  get works(): readonly KnownWork[] {
    return [...this.#works.values()];
  }

  work(id: string): KnownWork | undefined {
    return this.#works.get(id);
  }

  process(id: string): KnownProcess | undefined {
    return this.#processes.get(id);
  }

  /** The work item that is forked. Absent: the whole run. */
  get forked(): KnownWork | undefined {
    return this.#cut?.work;
  }

  /** Whether a work item had ended before, so that its recorded result counts. */
  isGiven(work: KnownWork): boolean {
    const cut = this.#cut;
    if (cut === undefined || work.end === undefined || cut.chain.has(work)) return false;
    if (this.#around(work).some((one) => this.isGiven(one))) return true;
    const asked = this.#askIn(cut, work);
    if (asked !== undefined) return cut.call !== undefined && isBefore(asked.order, cut.call.order);
    return this.#isPast(work.process, work.end, cut);
  }

  /** Whether a work item is the forked one, or began after the fork. */
  isNew(work: KnownWork): boolean {
    const cut = this.#cut;
    return cut === undefined || work === cut.work || !(cut.chain.has(work) || this.#isPast(work.process, work.asked, cut));
  }

  /** Whether a work item had been dropped before, so that it never ends. */
  isHeld(work: KnownWork): boolean {
    const cut = this.#cut;
    return cut !== undefined && work.end === undefined && work.dropped !== undefined && this.#isPast(work.process, work.dropped, cut);
  }

  /** Whether a model call of a work item was made before. */
  isAsked(
    work: KnownWork,
    call: { readonly key: string; readonly order?: number | undefined; readonly atMs: number | undefined },
  ): boolean {
    const cut = this.#cut;
    if (cut === undefined) return false;
    if (work === cut.work) return cut.call !== undefined && call.key !== cut.call.key && isBefore(call.order, cut.call.order);
    const next = [...cut.chain].find(({ work: { asker } }) => asker?.workId === work.work.id);
    if (next !== undefined) {
      const wait = work.handler?.work.waits.find(({ index }) => index === next.work.asker?.index);
      return isBefore(call.order, wait?.order);
    }
    return call.atMs !== undefined && call.atMs < cut.atMs;
  }

  /** What a work item is a part of. */
  #around({ process, work }: KnownWork): readonly KnownWork[] {
    const asker = work.asker === undefined ? undefined : this.#works.get(this.#forkId(process, work.asker.workId));
    const parent = this.#processes.get(process)?.parent;
    return [asker, parent].filter((one) => one !== undefined);
  }

  /** Of what the forked work item asked for, or what that did: the wait for it. */
  #askIn(cut: Cut, work: KnownWork): { readonly order?: number | undefined } | undefined {
    for (let one: KnownWork | undefined = work; one !== undefined; one = this.#around(one)[0]) {
      const { asker } = one.work;
      if (asker !== undefined && asker.workId === cut.work.work.id && one.process === cut.work.process)
        return cut.work.handler?.work.waits.find(({ index }) => index === asker.index) ?? {};
    }
    return undefined;
  }

  #isPast(process: string, when: When, { chain, atMs }: Cut): boolean {
    const inside = [...chain].filter((one) => one.process === process).map(({ asked }) => asked.sequence);
    return (inside.length > 0 && when.sequence < Math.max(...inside)) || when.atMs < atMs;
  }

  #cutAt(at: string): Cut {
    const found = this.works.flatMap((work): { readonly work: KnownWork; readonly call?: string }[] => {
      if (work.id === at || work.work.id === at || isAtStop(work, at)) return [{ work }];
      const keys = keysOf(work);
      const key = keys.find((one) => one === at || `${work.work.id}/${one}` === at || `${work.id}/${one}` === at);
      return key === undefined ? [] : [{ work, call: key }];
    });
    const [first, second] = found;
    if (first === undefined)
      throw new Fault(
        "fork.unknown",
        `the record of ${this.id} has no stop, work item or call ${at}; its work items are ${named(this.works)}`,
      );
    if (second !== undefined)
      throw new Fault(
        "fork.unknown",
        `${found.length} work items have ${at}: ${named(found.map(({ work }) => work))}; name one, and a call of it after a slash`,
      );
    const { work, call } = first;
    const chain = new Set<KnownWork>([work]);
    for (const one of chain) for (const outer of this.#around(one)) chain.add(outer);
    if (call === undefined) return { work, call: undefined, atMs: work.asked.atMs, chain };
    const handled = work.handler?.work;
    const atMs = handled?.modelCalls?.find(({ key }) => key === call)?.first.atMs ?? handled?.begunAtMs ?? work.asked.atMs;
    return { work, call: { key: call, order: orderOf(work, call) }, atMs, chain };
  }

  #forkId(process: string, recorded: string): string {
    const parts = stopWorkParts(recorded);
    return `${process}:1:${recorded.slice(`${parts.process}:${parts.run}:`.length)}`;
  }

  #read(all: ReadonlyMap<string, CassetteProcess>, { records, works }: CassetteProcess, id: string, parent: KnownWork | undefined): void {
    const handlers = new Map(works.map((work) => [work.work.id, work]));
    const waits: { wait: Wait; end: KnownWait["end"] }[] = [];
    const signals: KnownSignalOf[] = [];
    this.#processes.set(id, { parent, waits, signals });
    let sequence = 0;
    for (const { events, atMs } of records)
      for (const event of events) {
        sequence += 1;
        const when = { sequence, atMs };
        if (event.e === "asked" && event.work.kind !== "undo") {
          const { work } = event;
          const forkId = this.#forkId(id, work.id);
          // A later run of the process comes after an earlier one, and counts.
          this.#works.delete(forkId);
          this.#works.set(forkId, { id: forkId, process: id, work, asked: when, handler: handlers.get(work.id) });
        } else if (event.e === "wait-begun") waits.push({ wait: event.wait, end: undefined });
        else this.#note(id, event, when, waits, signals);
      }
    for (const work of this.works) {
      const nested = work.process === id && work.work.target.kind === "route" ? all.get(work.work.actor) : undefined;
      if (nested !== undefined) this.#read(all, nested, childProcessId(messageId(work.id, 1)), work);
    }
  }

  #note(id: string, event: ProcessEvent, when: When, waits: { wait: Wait; end: KnownWait["end"] }[], signals: KnownSignalOf[]): void {
    const end = (workId: string, result: Result): void => {
      const known = this.#works.get(this.#forkId(id, workId));
      if (known?.work.id === workId) known.end = { ...when, result };
    };
    const drop = (known: KnownWork | undefined): void => {
      if (known !== undefined) known.dropped ??= when;
    };
    switch (event.e) {
      case "answered":
        return end(event.workId, { output: event.output });
      case "failed":
        return end(event.workId, { fault: event.fault });
      case "handed-off": {
        const result = this.#works.get(this.#forkId(id, event.workId))?.handler?.work.result;
        return result === undefined ? undefined : end(event.workId, result);
      }
      case "undo-due":
        for (const workId of event.workIds) drop(this.#works.get(this.#forkId(id, workId)));
        return undefined;
      case "stop-done":
        for (const known of this.#works.values()) if (known.process === id && isOfStop(known.work.stop, event.stop)) drop(known);
        return undefined;
      case "wait-ended": {
        const known = waits.findLast(({ wait }) => wait.id === event.waitId);
        if (known === undefined) return undefined;
        known.end = event;
        const { wait } = known;
        if (wait.for.kind === "signal" && "output" in event.result)
          signals.push({ name: wait.for.name, payload: event.result.output, label: event.label });
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** The input of the task. */
  get input(): Json {
    return this.contents.read(this.task.input);
  }

  /** The id of the process as its tenant knows it. */
  get outsideId(): string {
    return outsideId(this.id);
  }
}

/** Works that a fault names. */
const NAMED_MAX = 16;

function isOfStop(path: string, stop: string): boolean {
  return path === stop || path === itemsPath(stop) || path.startsWith(`${stop}.`);
}

/** Whether a work item is of a stop itself, not asked for by a handler there. */
function isAtStop({ work: { stop, asker } }: KnownWork, name: string): boolean {
  return asker === undefined && isOfStop(stop, name);
}

function named(works: readonly KnownWork[]): string {
  const ids = works.slice(0, NAMED_MAX).map(({ work }) => work.id);
  return `${ids.join(", ")}${works.length > NAMED_MAX ? ", ..." : ""}`;
}

function isBefore(order: number | undefined, other: number | undefined): boolean {
  return order !== undefined && order < (other ?? Number.POSITIVE_INFINITY);
}

function keysOf({ handler }: KnownWork): readonly string[] {
  if (handler === undefined) return [];
  const { calls, modelCalls = [], steps, waits, failures = [] } = handler.work;
  const keyed = [...calls, ...modelCalls, ...waits, ...failures].map(({ key }) => key);
  return [...new Set([...keyed, ...steps.map(({ name }) => name)])];
}

function orderOf({ handler }: KnownWork, key: string): number {
  const { calls = [], modelCalls = [], steps = [], waits = [], failures = [] } = handler?.work ?? {};
  const found = [...calls, ...modelCalls, ...waits, ...failures].find((one) => one.key === key) ?? steps.find(({ name }) => name === key);
  return found?.order ?? Number.POSITIVE_INFINITY;
}

/** The task of the last run: with the input that it had. */
function taskOf({ records }: CassetteProcess): Task | undefined {
  let task: Task | undefined;
  for (const event of records.flatMap(({ events }) => events)) {
    if (event.e === "accepted") ({ task } = event);
    if (event.e === "reopened" && event.input !== undefined && task !== undefined)
      task = { ...task, input: event.input, label: event.label };
  }
  return task;
}
