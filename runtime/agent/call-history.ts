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
    case "recorded":
      recorded(work, event.entry, atMs);
      break;
    case "failed":
      failed(work, event.failure, atMs);
      break;
    case "work-done":
    case "undo-done":
      work.state = undefined;
      break;
    default:
    // The other events tell nothing of a handler's calls.
  }
}

interface Recorded {
  readonly name: string;
  readonly occurrence: number;
}

function keyOf({ name, occurrence }: Recorded): string {
  return `${occurrence}/${name}`;
}

function recorded(work: Draft, entry: Extract<AgentEvent, { e: "recorded" }>["entry"], atMs: number): void {
  const known = work.calls.get(keyOf(entry));
  if (entry.kind === "undo") {
    if (known !== undefined) work.calls.set(keyOf(entry), { ...known, state: "undone", undoneAtMs: atMs });
    return;
  }
  const { code: _survived, ...before } = known ?? { failures: 0 };
  work.calls.set(keyOf(entry), { ...before, kind: "step", name: entry.name, state: "ended", attempt: work.attempt, endedAtMs: atMs });
}

function failed(work: Draft, failure: Extract<AgentEvent, { e: "failed" }>["failure"], atMs: number): void {
  if (failure.kind !== "step") return;
  const failures = (work.calls.get(keyOf(failure))?.failures ?? 0) + 1;
  work.calls.set(keyOf(failure), {
    kind: "step",
    name: failure.name,
    state: "failed",
    attempt: failure.attempt,
    failures,
    endedAtMs: atMs,
    code: failure.fault.code,
  });
}
