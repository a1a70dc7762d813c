/** @module The bars of a run's timeline, from the events of its process and from what the agents' journals say of its work items. Pure. */
import type { HandlerHistory } from "../agent/call-history.ts";
import type { CallView } from "../process-view.ts";
import { requestId } from "../ids.ts";
import { doerName } from "../slip.ts";
import type { Bar, TimelineView } from "../timeline.ts";
import type { ProcessEvent } from "./events.ts";
import type { Work } from "./work.ts";

/** A work item whose handler has calls to show. */
export interface TimelineWork {
  readonly work: string;
  readonly agent: string;
  readonly actor: string;
  readonly isAgent: boolean;
  readonly kind: Work["kind"];
}

/** Follows the events of a process. Bars of the newest run replace those of earlier ones. */
export class TimelineReader {
  readonly #id: string;
  readonly #max: number;
  readonly #bars = new Map<string, Bar>();
  readonly #works = new Map<string, TimelineWork>();
  /** When the last attempt of each work item was requested. */
  readonly #askedAtMs = new Map<string, number>();
  readonly #undoes = new Map<string, string>();
  /** 0: the beginning of the run was not among the events. */
  #run = 0;
  #firstMs: number | undefined;
  #beginMs = 0;
  #endMs: number | undefined;
  #left = 0;

  /** Keeps at most `max` bars of the process itself, the newest. */
  constructor(id: string, max: number) {
    this.#id = id;
    this.#max = max;
  }

  /** The work items of the run. */
  get works(): readonly TimelineWork[] {
    return [...this.#works.values()];
  }

  /** Takes the next event, recorded at a time. */
  take(event: ProcessEvent, atMs: number): void {
    this.#firstMs ??= atMs;
    switch (event.e) {
      case "accepted":
        this.#begin(event.run, atMs);
        break;
      case "reopened":
        this.#begin(event.run, event.act.atMs);
        break;
      case "asked":
        this.#ask(event.work);
        break;
      case "attempt-failed":
        this.#fail(event.workId, event.fault.code, event.attempt);
        this.#add(this.#retryOf(event));
        break;
      case "asked-again":
        this.#patch(`${event.workId}/retry/${event.attempt - 1}`, { endMs: event.atMs, state: "ended" });
        this.#patch(event.workId, { attempt: event.attempt, state: "open", code: undefined });
        this.#askedAtMs.set(event.workId, event.atMs);
        break;
      case "answered":
      case "handed-off":
        this.#end(event.workId, { endMs: event.atMs, state: "ended", code: undefined });
        break;
      case "failed":
        this.#end(event.workId, { endMs: event.atMs, state: "failed", code: event.fault.code });
        break;
      case "undone":
        this.#patch(event.workId, { endMs: event.atMs, state: "ended" });
        this.#undone(this.#undoes.get(event.workId) ?? "");
        break;
      case "undo-failed":
        this.#patch(event.workId, { endMs: event.atMs, state: "failed", code: event.fault.code });
        break;
      case "wait-begun":
        this.#wait(event.wait);
        break;
      case "wait-ended": {
        const fault = "fault" in event.result ? { state: "failed" as const, code: event.result.fault.code } : { state: "ended" as const };
        this.#patch(event.waitId, { endMs: event.atMs, ...fault });
        break;
      }
      case "stop-done":
        // Waits of the process itself, such as for its budget, have no stop.
        this.#drop(event.atMs, ({ kind, in: parent, stop }) => isWait(kind) && parent === undefined && stop !== "");
        break;
      case "undo-due":
        this.#drop(event.atMs, ({ id, in: parent }) => event.workIds.includes(id) || event.workIds.includes(parent ?? ""));
        break;
      case "ending":
        this.#drop(event.atMs, ({ kind }) => kind !== "undo" && kind !== "paused");
        break;
      case "paused":
        this.#pause(event.act.atMs);
        break;
      case "resumed":
        this.#resume(event.atMs);
        break;
      case "terminated":
        this.#resume(event.act.atMs);
        this.#drop(event.act.atMs, () => true);
        break;
      case "ended":
        this.#endMs = event.outcome.atMs;
        this.#resume(this.#endMs);
        break;
      default:
      // The other events take no time of their own.
    }
  }

  #begin(run: number, atMs: number): void {
    this.#bars.clear();
    this.#works.clear();
    this.#undoes.clear();
    this.#askedAtMs.clear();
    this.#run = run;
    this.#beginMs = atMs;
    this.#endMs = undefined;
    this.#left = 0;
  }

  #ask(work: Work): void {
    const { id, stop, target, actor, kind, askedAtMs, attempt, asker, undoes } = work;
    const name = doerName(target);
    this.#askedAtMs.set(id, askedAtMs);
    this.#works.set(id, { work: id, agent: name, actor, isAgent: target.kind === "agent", kind });
    if (undoes !== undefined) this.#undoes.set(id, undoes);
    this.#add({
      ...{ id, name, stop, agent: name, work: id, attempt, beginMs: askedAtMs, state: "open" },
      kind: kind === "undo" ? "undo" : asker === undefined ? "work" : "ask",
      ...(target.kind === "route" ? { process: actor } : {}),
      ...(asker === undefined ? (undoes === undefined ? {} : { in: undoes }) : { in: asker.workId }),
    });
  }

  #wait({ id, stop, for: what, asker, begunAtMs }: Extract<ProcessEvent, { e: "wait-begun" }>["wait"]): void {
    const kind = what.kind === "timer" || what.kind === "signal" ? what.kind : "person";
    const name = what.kind === "signal" ? what.name : what.kind === "person" ? (what.person ?? "people") : what.kind;
    this.#add({
      ...{ id, kind, name, stop, beginMs: begunAtMs, state: "open" },
      ...(asker === undefined ? {} : { in: asker.workId, work: asker.workId }),
      ...(what.kind === "person" ? { request: requestId(this.#id, what.count) } : {}),
    });
  }

  #retryOf({ workId, attempt, fault, atMs }: Extract<ProcessEvent, { e: "attempt-failed" }>): Bar {
    const work = this.#bars.get(workId);
    return {
      ...{ id: `${workId}/retry/${attempt}`, in: workId, kind: "retry", name: fault.code, stop: work?.stop ?? "", work: workId },
      ...{ attempt, beginMs: atMs, state: "open", code: fault.code },
    };
  }

  #pause(atMs: number): void {
    this.#add({ id: `paused/${atMs}`, kind: "paused", name: "paused", stop: "", beginMs: atMs, state: "open" });
  }

  #resume(atMs: number): void {
    for (const { id, kind, state } of this.#bars.values())
      if (kind === "paused" && state === "open") this.#patch(id, { endMs: atMs, state: "ended" });
  }

  /** A work item has ended: its handler waits no longer. */
  #end(id: string, change: Partial<Bar> & { readonly endMs: number }): void {
    this.#patch(id, change);
    this.#drop(change.endMs, ({ kind, in: parent }) => isWait(kind) && parent === id);
  }

  /** What is open of these is no longer needed. */
  #drop(atMs: number, which: (bar: Bar) => boolean): void {
    for (const bar of this.#bars.values()) if (bar.state === "open" && which(bar)) this.#patch(bar.id, { endMs: atMs, state: "dropped" });
  }

  /** What failed stays failed when it is compensated: it is what people look for. */
  #undone(id: string): void {
    if (this.#bars.get(id)?.state !== "failed") this.#patch(id, { state: "undone" });
  }

  #fail(id: string, code: string, attempt: number): void {
    this.#patch(id, { code, attempt });
  }

  #add(bar: Bar): void {
    this.#bars.set(bar.id, bar);
    const oldest = this.#bars.keys().next().value;
    if (this.#bars.size <= this.#max || oldest === undefined) return;
    this.#bars.delete(oldest);
    this.#left += 1;
  }

  #patch(id: string, change: Partial<Bar>): void {
    const known = this.#bars.get(id);
    if (known !== undefined) this.#bars.set(id, { ...known, ...change });
  }

  /** The timeline, with what the agents' journals say. `known`: of the run, if its beginning was not among the events. */
  view(handlers: ReadonlyMap<string, HandlerHistory>, known: { readonly run: number; readonly acceptedAtMs: number }): TimelineView {
    const own = [...this.#bars.values()];
    const bars = own.flatMap((bar) => {
      const handler = bar.work === bar.id ? handlers.get(bar.id) : undefined;
      return handler === undefined ? [bar] : [bar, ...handlerBars(bar, handler, this.#askedAtMs.get(bar.id) ?? bar.beginMs)];
    });
    const begun =
      this.#run > 0
        ? { run: this.#run, beginMs: this.#beginMs }
        : { run: known.run, beginMs: this.#firstMs ?? known.acceptedAtMs, begunBefore: true as const };
    return {
      ...{ id: this.#id, ...begun },
      ...(this.#endMs === undefined ? {} : { endMs: this.#endMs }),
      bars: bars.sort((a, b) => a.beginMs - b.beginMs),
      ...(this.#left === 0 ? {} : { left: this.#left }),
    };
  }
}

function isWait(kind: Bar["kind"]): boolean {
  return kind === "timer" || kind === "signal" || kind === "person";
}

/** The time until the handler of the last attempt began, and what it recorded. */
function handlerBars(work: Bar, { begunAtMs, calls }: HandlerHistory, askedAtMs: number): readonly Bar[] {
  const { id, stop, agent } = work;
  const queue: Bar = {
    ...{ id: `${id}/queue`, in: id, kind: "queue", name: "queue", stop, work: id, beginMs: askedAtMs },
    ...(agent === undefined ? {} : { agent }),
    ...(begunAtMs === undefined ? { state: "open" } : { state: "ended", endMs: Math.max(askedAtMs, begunAtMs) }),
  };
  return [queue, ...calls.map((call, index) => callBar(work, call, index))];
}

const KINDS = { call: "tool", model: "model", step: "step" } as const;

function callBar({ id, stop, agent, beginMs: askedAtMs }: Bar, call: CallView, index: number): Bar {
  const { kind, key, name, state, attempt, begunAtMs, endedAtMs, code, answered, tries, inputTokens, outputTokens, usd, prompt } = call;
  const tokens = (inputTokens ?? 0) + (outputTokens ?? 0);
  return {
    ...{ id: `${id}/call/${index}`, in: id, kind: KINDS[kind], name, stop, work: id, attempt },
    ...(agent === undefined ? {} : { agent }),
    ...(key === undefined ? {} : { call: key }),
    beginMs: begunAtMs ?? endedAtMs ?? askedAtMs,
    ...(endedAtMs === undefined ? {} : { endMs: endedAtMs }),
    state: state === "begun" ? "open" : state === "undone" ? "undone" : state === "failed" || state === "undo failed" ? "failed" : "ended",
    ...(code === undefined ? {} : { code }),
    ...(answered === undefined ? {} : { model: answered }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(tries === undefined ? {} : { tries }),
    ...(tokens === 0 ? {} : { tokens }),
    ...(usd === undefined || usd === 0 ? {} : { usd }),
  };
}
