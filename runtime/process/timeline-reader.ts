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

/** What is known of the newest run without its events. */
export interface KnownRun {
  readonly run: number;
  readonly beginMs: number;
}

/** Follows the events of a process. Bars of the newest run replace those of earlier ones. */
export class TimelineReader {
  readonly #id: string;
  readonly #max: number;
  readonly #bars = new Map<string, Bar>();
  readonly #works = new Map<string, TimelineWork>();
  #run: number;
  #beginMs: number;
  #endMs: number | undefined;
  #left = 0;
  /** The time of the first event, while the beginning of its run was not among the events. */
  #fromMs: number | undefined;
  #isWhole = false;

  /**
   * Keeps at most `max` bars of the process itself, the newest. The records of a long or old run may not reach back to its beginning:
   * what is known of it stands in.
   */
  constructor(id: string, max: number, known: KnownRun) {
    this.#id = id;
    this.#max = max;
    this.#run = known.run;
    this.#beginMs = known.beginMs;
  }

  /** The work items of the run. */
  get works(): readonly TimelineWork[] {
    return [...this.#works.values()];
  }

  /** Takes the next event, recorded at a time. */
  take(event: ProcessEvent, atMs: number): void {
    if (!this.#isWhole) this.#fromMs ??= atMs;
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
        break;
      case "answered":
      case "handed-off":
        this.#patch(event.workId, { endMs: event.atMs, state: "ended", code: undefined });
        this.#dropIn(event.workId, event.atMs);
        break;
      case "failed":
        this.#patch(event.workId, { endMs: event.atMs, state: "failed", code: event.fault.code });
        this.#dropIn(event.workId, event.atMs);
        break;
      case "undo-due":
        for (const id of event.workIds) this.#drop(id, event.atMs);
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
      case "paused":
        this.#add({ id: `paused/${atMs}`, kind: "paused", name: event.act.by, stop: "", beginMs: event.act.atMs, state: "open" });
        break;
      case "resumed":
        for (const { id, kind, state } of this.#bars.values())
          if (kind === "paused" && state === "open") this.#patch(id, { endMs: event.atMs, state: "ended" });
        break;
      case "ending":
        for (const { id, kind } of this.#bars.values()) if (kind !== "undo" && kind !== "paused") this.#drop(id, event.atMs);
        break;
      case "ended":
        this.#endMs = event.outcome.atMs;
        // A process that was terminated waits for nothing.
        for (const { id } of this.#bars.values()) this.#drop(id, event.outcome.atMs);
        break;
      default:
      // The other events take no time of their own.
    }
  }

  readonly #undoes = new Map<string, string>();

  #begin(run: number, atMs: number): void {
    this.#bars.clear();
    this.#works.clear();
    this.#undoes.clear();
    this.#run = run;
    this.#beginMs = atMs;
    this.#endMs = undefined;
    this.#left = 0;
    this.#isWhole = true;
    this.#fromMs = undefined;
  }

  #ask(work: Work): void {
    const { id, stop, target, actor, kind, askedAtMs, attempt, asker, undoes } = work;
    const name = doerName(target);
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
    // A larger grant is asked of the parent.
    const kind = what.kind === "budget" ? "ask" : what.kind;
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

  /** What failed stays failed when it is compensated: people look for it. */
  #undone(id: string): void {
    if (this.#bars.get(id)?.state !== "failed") this.#patch(id, { state: "undone" });
  }

  /** Ends a bar that is open, and those in it that are. */
  #drop(id: string, atMs: number): void {
    const bar = this.#bars.get(id);
    if (bar?.state !== "open") return;
    this.#patch(id, { endMs: atMs, state: bar.kind === "paused" ? "ended" : "dropped" });
    this.#dropIn(id, atMs);
  }

  /** Ends what is open in a bar. Compensation goes on. */
  #dropIn(id: string, atMs: number): void {
    for (const bar of this.#bars.values()) if (bar.in === id && bar.kind !== "undo") this.#drop(bar.id, atMs);
  }

  /** The timeline, with what the agents' journals say. */
  view(handlers: ReadonlyMap<string, HandlerHistory>): TimelineView {
    const own = [...this.#bars.values()];
    const bars = own.flatMap((bar) => {
      const handler = bar.work === bar.id ? handlers.get(bar.id) : undefined;
      return handler === undefined ? [bar] : [bar, ...handlerBars(bar, handler)];
    });
    return {
      ...{ id: this.#id, run: this.#run, beginMs: this.#beginMs },
      ...(this.#endMs === undefined ? {} : { endMs: this.#endMs }),
      ...(this.#fromMs === undefined ? {} : { fromMs: this.#fromMs }),
      bars: bars.sort((a, b) => a.beginMs - b.beginMs),
      ...(this.#left === 0 ? {} : { left: this.#left }),
    };
  }
}

/** The time until the handler began, each time that it executed, and what it recorded. */
function handlerBars(work: Bar, { isWhole, begunAtMs, executions, calls }: HandlerHistory): readonly Bar[] {
  const { id, stop, agent, endMs } = work;
  const part = { in: id, stop, work: id, ...(agent === undefined ? {} : { agent }) };
  const ends = endMs === undefined ? {} : { endMs };
  const queue: Bar = {
    ...{ id: `${id}/queue`, kind: "queue", name: "queue", ...part, beginMs: work.beginMs },
    // A handler that never began waited until its work item ended.
    ...(begunAtMs === undefined
      ? { state: work.state === "open" ? "open" : "dropped", ...ends }
      : { state: "ended", endMs: Math.max(work.beginMs, begunAtMs) }),
  };
  const handled = executions.map(({ attempt, beginMs, endMs: until }, index): Bar => ({
    ...{ id: `${id}/handler/${index}`, kind: "handler", name: agent ?? "handler", ...part, attempt, beginMs },
    ...(until === undefined
      ? { state: work.state === "open" ? "open" : "dropped", ...ends }
      : { state: "ended", endMs: Math.max(beginMs, until) }),
  }));
  return [...(isWhole ? [queue] : []), ...handled, ...calls.map((call, index) => callBar(work, call, index))];
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
