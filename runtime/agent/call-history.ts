/**
 * @module How the handler of a work item stands and what it recorded: steps, attempts, takeovers, from the events of its agent actor.
 * Pure.
 */
import type { CallView, WorkViewState } from "../process-view.ts";
import type { AgentEvent } from "./state.ts";

/** What an agent's journal says of one work item. Moments are epoch milliseconds. */
export interface HandlerHistory {
  /** Undefined once the work item is done: then the process knows more. */
  readonly state: Extract<WorkViewState, "queued" | "running" | "waiting"> | undefined;
  readonly takeovers: number;
  /** In the order in which they were first recorded. */
  readonly calls: readonly CallView[];
}

interface Draft {
  state: HandlerHistory["state"];
  attempt: number;
  takeovers: number;
  readonly calls: Map<string, CallView>;
}

/** Follows some work items of one agent actor. */
export class CallHistory {
  readonly #wanted: ReadonlySet<string>;
  readonly #works = new Map<string, Draft>();

  constructor(workIds: Iterable<string>) {
    this.#wanted = new Set(workIds);
  }

  /** What is known of a work item; undefined when no event was about it. */
  of(workId: string): HandlerHistory | undefined {
    const known = this.#works.get(workId);
    return known === undefined ? undefined : { state: known.state, takeovers: known.takeovers, calls: [...known.calls.values()] };
  }

  /** Takes the next event of the actor. */
  take(event: AgentEvent, atMs: number): void {
    if (event.e === "forgotten") return;
    const id = event.e === "work-accepted" ? event.work.id : event.workId;
    if (!this.#wanted.has(id)) return;
    const work = this.#works.get(id) ?? { state: undefined, attempt: 1, takeovers: 0, calls: new Map<string, CallView>() };
    this.#works.set(id, work);
    apply(work, event, atMs);
  }
}

function apply(work: Draft, event: Exclude<AgentEvent, { e: "forgotten" }>, atMs: number): void {
  switch (event.e) {
    case "work-accepted":
      work.state = "queued";
      work.attempt = event.work.attempt;
      break;
    case "attempt-asked":
      work.attempt = event.attempt;
      break;
    case "readied":
      work.state = "queued";
      break;
    case "begun":
      work.state = "running";
      break;
    case "parked":
      work.state = "waiting";
      break;
    case "taken-over":
      work.takeovers += 1;
      break;
    case "call-begun":
      note(work, "call", event, { state: "begun", begunAtMs: atMs });
      break;
    case "call-tried":
      failed(work, "call", event, { state: "begun", code: event.fault.code });
      break;
    case "call-ended":
      if (event.fault === undefined) ended(work, "call", event, atMs);
      else failed(work, "call", event, { state: "failed", code: event.fault.code, endedAtMs: atMs });
      break;
    case "call-undone":
      undone(work, event.key, atMs);
      break;
    case "step-done":
      ended(work, "step", { key: event.step.name, tool: event.step.name }, atMs);
      break;
    case "failed":
      stepFailed(work, event.failure, atMs);
      break;
    case "work-done":
    case "undo-done":
      work.state = undefined;
      break;
    default:
    // The other events tell nothing of a handler's calls.
  }
}

/** What a call or step is known by, and its name. */
interface Named {
  readonly key: string;
  readonly tool: string;
}

function note(work: Draft, kind: CallView["kind"], { key, tool }: Named, change: Partial<CallView>): void {
  const id = `${kind} ${key}`;
  const known = work.calls.get(id) ?? { kind, name: tool, state: "begun", attempt: work.attempt, failures: 0 };
  work.calls.set(id, { ...known, attempt: work.attempt, ...change });
}

function ended(work: Draft, kind: CallView["kind"], named: Named, atMs: number): void {
  note(work, kind, named, { state: "ended", endedAtMs: atMs, code: undefined });
}

function failed(work: Draft, kind: CallView["kind"], named: Named, change: Partial<CallView>): void {
  note(work, kind, named, { ...change, failures: (work.calls.get(`${kind} ${named.key}`)?.failures ?? 0) + 1 });
}

/** Waits are shown by their process. */
function stepFailed(work: Draft, { kind, key, fault }: Extract<AgentEvent, { e: "failed" }>["failure"], atMs: number): void {
  if (kind === "step") failed(work, "step", { key, tool: key }, { state: "failed", code: fault.code, endedAtMs: atMs });
}

function undone(work: Draft, key: string, atMs: number): void {
  const known = work.calls.get(`call ${key}`);
  if (known !== undefined) work.calls.set(`call ${key}`, { ...known, state: "undone", undoneAtMs: atMs });
}
