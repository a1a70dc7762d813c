/** @module The part of the client that reads: processes with their records and times, and the system in numbers. */
import { Cassette } from "../runtime/cassette/cassette.ts";
import { AgentsView, CostView, OverviewView, SystemView } from "../runtime/overview.ts";
import { TimelineView } from "../runtime/timeline.ts";
import { ForkReport, type ForkWanted, RunDiff } from "../runtime/cassette/diff.ts";
import { LIMITS } from "../runtime/limits.ts";
import { ReplayReport } from "../runtime/cassette/replay-report.ts";
import { ConversationView } from "../runtime/conversation-view.ts";
import { LoginCode } from "../runtime/answers.ts";
import { HistoryPage, ProcessView, StopsView } from "../runtime/process-view.ts";
import { type Call, type CallOptions, Connection, type ConnectOptions } from "./connection.ts";

const HISTORY_PAGE_LINES = 200;

/** The path of a process. */
export function processPath(id: string): string {
  return `/processes/${encodeURIComponent(id)}`;
}

/** What is read of a running system. */
export class ReadingClient {
  /** The connection to the system. */
  protected readonly connection: Connection;

  constructor(options: ConnectOptions) {
    this.connection = new Connection(options);
  }

  /** Returns a code for one login to the dashboard, with the rights of this client's token. Empty: the system needs no login. */
  loginCode(options: CallOptions = {}): Promise<LoginCode> {
    return this.connection.call(LoginCode, "the code", { ...options, path: "/ui/codes", body: {} });
  }

  /** Returns a process: open work items, newest history, outcome. */
  show(id: string, options: CallOptions = {}): Promise<ProcessView> {
    return this.connection.call(ProcessView, "the process", { ...options, path: processPath(id) });
  }

  /** Returns the work items of the current run, with contents, calls and steps. */
  stops(id: string, options: CallOptions = {}): Promise<StopsView> {
    return this.connection.call(StopsView, "the work items", { ...options, path: `${processPath(id)}/stops` });
  }

  /** Yields the whole history of a process over all its runs, oldest line first. Reads page by page. */
  async *history(id: string, options: CallOptions = {}): AsyncGenerator<HistoryPage["lines"][number]> {
    for (let from: number | undefined = 0; from !== undefined;) {
      const call: Call = { ...options, path: `${processPath(id)}/history`, query: { from, limit: HISTORY_PAGE_LINES } };
      const page: HistoryPage = await this.connection.call(HistoryPage, "the history", call);
      yield* page.lines;
      from = page.next;
    }
  }

  /** Returns what took time in the newest run of a process. */
  timeline(id: string, options: CallOptions = {}): Promise<TimelineView> {
    return this.connection.call(TimelineView, "the timeline", { ...options, path: `${processPath(id)}/timeline` });
  }

  /** Returns the system in numbers. @default since 24 hours ago */
  overview({ sinceMs, ...options }: CallOptions & { readonly sinceMs?: number | undefined } = {}): Promise<OverviewView> {
    return this.connection.call(OverviewView, "the overview", { ...options, path: "/overview", query: { sinceMs } });
  }

  /** Returns what processes have spent that ended since a time. @default 24 hours ago */
  costs({ sinceMs, ...options }: CallOptions & { readonly sinceMs?: number | undefined } = {}): Promise<CostView> {
    return this.connection.call(CostView, "the costs", { ...options, path: "/costs", query: { sinceMs } });
  }

  /** Returns the agents with their tools, models and prompts, as the host sees them that answers. */
  agents(options: CallOptions = {}): Promise<AgentsView> {
    return this.connection.call(AgentsView, "the agents", { ...options, path: "/agents" });
  }

  /** Returns the hosts of the system, and what an operator should look at. */
  system(options: CallOptions = {}): Promise<SystemView> {
    return this.connection.call(SystemView, "the system", { ...options, path: "/system" });
  }

  /**
   * Returns the records of a process: what `troupe export` writes to a file. `contents`: with all contents, as a replay needs them, which
   * the role `content` permits. @default their sizes only
   */
  cassette(id: string, { contents, ...options }: CallOptions & { readonly contents?: boolean | undefined } = {}): Promise<Cassette> {
    return this.connection.call(Cassette, "the cassette", { ...options, path: `${processPath(id)}/cassette`, query: { contents } });
  }

  /** Replays a process with the code of the host, and tells what would differ. */
  replay(id: string, options: CallOptions = {}): Promise<ReplayReport> {
    return this.connection.call(ReplayReport, "the replay", { ...options, path: `${processPath(id)}/replay`, body: {} });
  }

  /**
   * Forks a process with the code and the models of the host: from a call on models are asked again, tools have recorded results, and
   * nothing is written. Throws `fork.unknown`, `fork.busy`, `model.unknown`, `prompt.unknown`.
   */
  fork(id: string, { at, model, prompt, input, budget, ...options }: CallOptions & ForkWanted): Promise<ForkReport> {
    const body = { at, model, prompt, input, budget };
    const waitMs = budget?.timeMs ?? LIMITS.forkMsDefault;
    return this.connection.call(ForkReport, "the fork", { ...options, path: `${processPath(id)}/fork`, body, waitMs });
  }

  /** Compares the last runs of two processes: path, calls, arguments, results, cost and outcome. */
  diff(id: string, other: string, options: CallOptions = {}): Promise<RunDiff> {
    return this.connection.call(RunDiff, "the difference", { ...options, path: `${processPath(id)}/diff/${encodeURIComponent(other)}` });
  }

  /** Returns what a model agent sent and received in one work item. Throws `work.unknown`. */
  conversation(id: string, work: string, options: CallOptions = {}): Promise<ConversationView> {
    const path = `${processPath(id)}/works/${encodeURIComponent(work)}/conversation`;
    return this.connection.call(ConversationView, "the conversation", { ...options, path });
  }
}
