/**
 * @module The state of a work item's handler and what it recorded (calls, model calls, steps, attempts, takeovers), from the events of its
 * agent actor. Pure.
 */
import type { WireFault } from "../faults.ts";
import type { CallView, WorkViewState } from "../process-view.ts";
import { MICROS_PER_USD } from "../budget.ts";
import { modelOf, toolOf } from "../ids.ts";
import type { AgentEvent } from "./events.ts";
import type { Failure } from "./state.ts";

/** What an agent's journal says about one work item. Times are epoch milliseconds. */
export interface HandlerHistory {
  /** Undefined once the work item is done; the process then holds the result. */
  readonly state: Extract<WorkViewState, "queued" | "running" | "waiting"> | undefined;
  readonly takeovers: number;
  /** Its first record is known. Otherwise that is trimmed, or was not read, and `begunAtMs` may be of a later execution. */
  readonly isWhole: boolean;
  /** When its handler first began. */
  readonly begunAtMs: number | undefined;
  /** Each time that its handler executed: it begins again after a wait, at another host, and for each attempt. */
  readonly executions: readonly Execution[];
  /** In the order of their first records. */
  readonly calls: readonly CallView[];
}

/** A handler executed. Times are epoch milliseconds. */
export interface Execution {
  readonly attempt: number;
  readonly beginMs: number;
  /** Undefined: it executes, or its end was not recorded. */
  readonly endMs?: number;
}

interface Draft {
  state: HandlerHistory["state"];
  attempt: number;
  takeovers: number;
  isWhole: boolean;
  begunAtMs: number | undefined;
  readonly executions: Execution[];
  /** What begins from then on is its compensation. */
  isUndone: boolean;
  readonly calls: Map<string, CallView>;
}

/** Follows selected work items of one agent actor. */
export class CallHistory {
  readonly #wanted: ReadonlySet<string>;
  readonly #works = new Map<string, Draft>();

  constructor(workIds: Iterable<string>) {
    this.#wanted = new Set(workIds);
  }

  /** Returns what is known about a work item; undefined if no event was about it. */
  of(workId: string): HandlerHistory | undefined {
    const known = this.#works.get(workId);
    if (known === undefined) return undefined;
    const { state, takeovers, isWhole, begunAtMs, executions, calls } = known;
    return { state, takeovers, isWhole, begunAtMs, executions: [...executions], calls: [...calls.values()] };
  }

  /** Applies the next event of the actor. */
  take(event: AgentEvent, atMs: number): void {
    if (event.e === "forgotten" || event.e === "settled") return;
    const id = "work" in event ? event.work.id : event.workId;
    if (!this.#wanted.has(id)) return;
    const work = this.#works.get(id) ?? {
      state: undefined,
      attempt: 1,
      takeovers: 0,
      isWhole: false,
      begunAtMs: undefined,
      executions: [],
      isUndone: false,
      calls: new Map<string, CallView>(),
    };
    this.#works.set(id, work);
    follow(work, event, atMs);
    record(work, event, atMs);
  }
}

type WorkEvent = Exclude<AgentEvent, { e: "forgotten" | "settled" }>;

/** Whether its handler is queued, executes or waits. */
function follow(work: Draft, event: WorkEvent, atMs: number): void {
  switch (event.e) {
    case "work-accepted":
      work.isWhole = true;
      work.state = "queued";
      work.attempt = event.work.attempt;
      break;
    case "attempt-asked":
      work.attempt = event.attempt;
      stopped(work, atMs);
      break;
    case "readied":
      work.state = "queued";
      break;
    case "released":
      work.state = "queued";
      stopped(work, atMs);
      break;
    case "begun":
      work.state = "running";
      if (!work.isUndone) work.begunAtMs ??= event.atMs;
      started(work, event.atMs);
      break;
    case "parked":
      work.state = "waiting";
      stopped(work, atMs);
      break;
    case "taken-over":
      work.takeovers += 1;
      started(work, atMs);
      break;
    case "undo-asked":
    case "dropped":
      work.isUndone = true;
      stopped(work, atMs);
      break;
    case "work-done":
    case "undo-done":
      work.state = undefined;
      stopped(work, atMs);
      break;
    default:
    // The other events do not change that.
  }
}

/** What its handler called. */
function record(work: Draft, event: WorkEvent, atMs: number): void {
  switch (event.e) {
    case "call-begun":
      update(work, "call", event.key, event.tool, { state: "begun", begunAtMs: atMs });
      break;
    case "call-tried":
      failed(work, "call", event.key, event.tool, event.fault, undefined);
      break;
    case "call-ended":
      if (event.fault !== undefined) failed(work, "call", event.key, event.tool, event.fault, atMs);
      else ended(work, "call", event.key, event.tool, atMs);
      break;
    case "call-undone":
      undone(work, event.key, atMs);
      break;
    case "model-begun": {
      const tries = (work.calls.get(`model ${event.key}`)?.tries ?? 0) + 1;
      update(work, "model", event.key, event.model, {
        ...{ state: "begun", begunAtMs: atMs, tries },
        ...(event.facts.promptVersion === undefined ? {} : { prompt: event.facts.promptVersion }),
        ...(event.facts.rung === undefined ? {} : { rung: event.facts.rung }),
      });
      break;
    }
    case "model-tried":
      failed(work, "model", event.key, event.model, event.fault, undefined);
      paid(work, event);
      break;
    case "model-ended":
      if (event.fault !== undefined) failed(work, "model", event.key, event.model, event.fault, atMs);
      else ended(work, "model", event.key, event.model, atMs);
      if (event.answered !== undefined) update(work, "model", event.key, event.model, { answered: event.answered });
      paid(work, event);
      break;
    case "step-done":
      ended(work, "step", event.step.name, event.step.name, atMs);
      break;
    case "failed":
      alone(work, event.failure, atMs);
      break;
    default:
    // The other events say nothing about a handler's calls.
  }
}

function started(work: Draft, atMs: number): void {
  stopped(work, atMs);
  if (!work.isUndone) work.executions.push({ attempt: work.attempt, beginMs: atMs });
}

function stopped({ executions }: Draft, atMs: number): void {
  const last = executions.at(-1);
  if (last?.endMs === undefined && last !== undefined) executions[executions.length - 1] = { ...last, endMs: atMs };
}

/** A failure without an earlier record. */
function alone(work: Draft, { kind, key, fault }: Failure, atMs: number): void {
  if (kind === "step") failed(work, kind, key, key, fault, atMs);
  else if (kind === "model") failed(work, kind, key, modelOf(key), fault, atMs);
  // It was refused before it began.
  else if (kind === "call") failed(work, kind, key, toolOf(key), fault, atMs);
}

/** Adds what a try of a model call has cost. */
function paid(work: Draft, { key, model, endpoint, spent }: Extract<AgentEvent, { e: "model-tried" | "model-ended" }>): void {
  const { inputTokens = 0, outputTokens = 0, usd = 0 } = work.calls.get(`model ${key}`) ?? {};
  update(work, "model", key, model, {
    ...(endpoint === undefined ? {} : { endpoint }),
    inputTokens: inputTokens + (spent?.inputTokens ?? 0),
    outputTokens: outputTokens + (spent?.outputTokens ?? 0),
    usd: (Math.round(usd * MICROS_PER_USD) + (spent?.costMicros ?? 0)) / MICROS_PER_USD,
  });
}

type Kind = CallView["kind"];

function update(work: Draft, kind: Kind, key: string, name: string, change: Partial<CallView>): void {
  const place = `${kind} ${key}`;
  const known = work.calls.get(place) ?? { kind, key, name, state: "begun", attempt: work.attempt, failures: 0 };
  work.calls.set(place, { ...known, attempt: work.attempt, ...change });
}

function ended(work: Draft, kind: Kind, key: string, name: string, atMs: number): void {
  update(work, kind, key, name, { state: "ended", endedAtMs: atMs, code: undefined });
}

/** `atMs` is undefined for a call that its own retry policy makes again. */
function failed(work: Draft, kind: Kind, key: string, name: string, fault: WireFault, atMs: number | undefined): void {
  const failures = (work.calls.get(`${kind} ${key}`)?.failures ?? 0) + 1;
  update(work, kind, key, name, { state: atMs === undefined ? "begun" : "failed", failures, code: fault.code, endedAtMs: atMs });
}

function undone(work: Draft, key: string, atMs: number): void {
  const known = work.calls.get(`call ${key}`);
  if (known !== undefined) work.calls.set(`call ${key}`, { ...known, state: "undone", undoneAtMs: atMs });
}
