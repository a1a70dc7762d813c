/** @module A typed client of a running system. */
import { z } from "zod";
import type { InputOf, OutputOf } from "../agents/contract.ts";
import type { RouteContract, RouteDefinition } from "../agents/route.ts";
import {
  AuditPage,
  GraphAnswer,
  HealthAnswer,
  Letter,
  LetterEntry,
  LetterPage,
  OutcomeAnswer,
  ProcessPage,
  PurgeAnswer,
  Receipt,
  SignalReceipt,
} from "../runtime/answers.ts";
import { HistoryLine, HistoryPage, ProcessOutcome, ProcessView, StopsView } from "../runtime/process-view.ts";
import type { OutcomeStatus } from "../runtime/protocol.ts";
import { type Call, type CallOptions, Connection, type ConnectOptions } from "./connection.ts";
import { ClientError } from "./errors.ts";
import type { ServerEvent } from "./events.ts";

/** A route by its definition or its contract: both carry its types. */
export type Route = RouteDefinition | RouteContract;

/** How a process ended. `output` has the type that the route says. */
export type Outcome<Output = unknown> = Readonly<Omit<OutcomeAnswer, "output">> & { readonly output?: Output | undefined };

/** What may be said of a task. */
export interface SubmitOptions extends CallOptions {
  /** The same id with the same input is the same task. Default: a new one, made before the first try. */
  readonly id?: string | undefined;
  /** Lifetime of the task, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Waits this long for the outcome, in milliseconds. Default 0; at most 60,000. Use `wait` for longer. */
  readonly waitMs?: number | undefined;
}

/** A task that was accepted: with its outcome where it ended within `waitMs`, else with the receipt. */
export interface Submitted<Output = unknown> {
  readonly id: string;
  readonly receipt?: Receipt;
  readonly outcome?: Outcome<Output>;
}

/** How `wait` waits. */
export interface WaitOptions<R extends Route = Route> extends CallOptions {
  /** Gives the output its type. It is not checked: the system checked it. */
  readonly route?: R | undefined;
  /** Throws `client.still-open` after this time, in milliseconds. Default: no limit. */
  readonly waitMs?: number | undefined;
}

/** What a follower receives. `id` resumes after this event. */
export type FollowEvent =
  | { readonly kind: "line"; readonly id: string; readonly run: number; readonly line: HistoryLine }
  | { readonly kind: "outcome"; readonly id: string; readonly run: number; readonly outcome: ProcessOutcome };

/** How to page. */
export interface PageOptions extends CallOptions {
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined;
  /** Entries on the page, 1 to 200. Default 50. */
  readonly limit?: number | undefined;
}

/** Which processes are listed. */
export interface ListOptions extends PageOptions {
  readonly state?: "open" | "ended" | undefined;
  readonly status?: OutcomeStatus | undefined;
  readonly route?: string | undefined;
}

/** Which dead letters are listed. */
export interface LetterListOptions extends PageOptions {
  readonly route?: string | undefined;
  readonly code?: string | undefined;
  /** Those that were redriven or discarded. Default: those that wait for a decision. */
  readonly decided?: boolean | undefined;
}

/** How a dead letter is redriven. */
export interface RedriveOptions extends CallOptions {
  /** Replaces the input of the work item that failed. */
  readonly input?: unknown;
  readonly reason?: string | undefined;
  /** The same id: the same decision. */
  readonly decisionId?: string | undefined;
}

const STREAM_ID = /^(\d{1,9})\./;
const MAKES_NO_SENSE = new ClientError({ code: "client.answer", message: "the stream of events ended without an outcome." });

/** A running system. Every method throws {@link ClientError}, or the reason of the signal that ended it. */
export class Client {
  readonly #connection: Connection;

  constructor(options: ConnectOptions) {
    this.#connection = new Connection(options);
  }

  /** Where the system answers. */
  get url(): string {
    return this.#connection.url;
  }

  /** Submits a task. It is accepted when this resolves. The input is checked by the system: `schema.task`. */
  submit<R extends Route>(route: R, input: InputOf<R>, options?: SubmitOptions): Promise<Submitted<OutputOf<R>>>;
  submit(route: string, input: unknown, options?: SubmitOptions): Promise<Submitted>;
  async submit(route: Route | string, input: unknown, options: SubmitOptions = {}): Promise<Submitted> {
    const { id = crypto.randomUUID(), timeoutMs, waitMs, ...rest } = options;
    const name = typeof route === "string" ? route : route.name;
    const body = { id, route: name, input, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const query = { waitMs };
    const call: Call = { ...rest, path: "/tasks", query, body, ...(waitMs === undefined ? {} : { waitMs }) };
    const answer = await this.#connection.call(z.union([OutcomeAnswer, Receipt]), "the task", call);
    return { id: answer.id, ...("status" in answer ? { outcome: answer } : { receipt: answer }) };
  }

  /** Waits until a process has ended. Goes on across a restart of the system, within the patience. */
  async wait<R extends Route = Route>(id: string, options: WaitOptions<R> = {}): Promise<Outcome<OutputOf<R>>> {
    const { route: _typed, waitMs, ...rest } = options;
    const over = waitMs === undefined ? undefined : AbortSignal.timeout(waitMs);
    const signals = [rest.signal, over].filter((one) => one !== undefined);
    const limited = { ...rest, signal: AbortSignal.any(signals) };
    try {
      for await (const event of this.follow(id, limited)) if (event.kind === "outcome") return await this.#outcomeOf(id, event, rest);
    } catch (error) {
      if (over?.aborted !== true || rest.signal?.aborted === true) throw error;
      throw new ClientError({ code: "client.still-open", message: `process ${id} is still open after ${waitMs} ms.`, cause: error });
    }
    throw MAKES_NO_SENSE;
  }

  async #outcomeOf<Output>(
    id: string,
    { outcome: { atMs, status, output, fault } }: Extract<FollowEvent, { kind: "outcome" }>,
    options: CallOptions,
  ): Promise<Outcome<Output>> {
    const { traceId, acceptedAtMs } = await this.show(id, options);
    return {
      id,
      status,
      traceId,
      acceptedAtMs,
      endedAtMs: atMs,
      ...(fault === undefined ? {} : { fault }),
      // The type that the caller's route says; the system checked it when the route ended.
      ...(output === undefined ? {} : { output: output as Output }),
    };
  }

  /**
   * What happens in a process, from its first line or after an event on, until its outcome. Resumes a stream that breaks, within the
   * patience; nothing comes twice.
   */
  async *follow(id: string, options: CallOptions & { readonly after?: string | undefined } = {}): AsyncGenerator<FollowEvent> {
    const { after, ...rest } = options;
    for await (const event of this.#connection.events({ ...rest, path: `${processPath(id)}/events` }, after)) {
      const read = this.#eventOf(event);
      if (read !== undefined) yield read;
      if (read?.kind === "outcome") return;
    }
  }

  #eventOf({ id = "", event, data }: ServerEvent): FollowEvent | undefined {
    const run = Number(STREAM_ID.exec(id)?.[1] ?? 1);
    if (event === "line") return { kind: "line", id, run, line: this.#connection.parse(HistoryLine, data, "a line of history") };
    if (event === "outcome") return { kind: "outcome", id, run, outcome: this.#connection.parse(ProcessOutcome, data, "the outcome") };
    return undefined;
  }

  /** A process: what is open, its newest history, its outcome. */
  show(id: string, options: CallOptions = {}): Promise<ProcessView> {
    return this.#connection.call(ProcessView, "the process", { ...options, path: processPath(id) });
  }

  /** The work items of the current run, with contents, calls and steps. */
  stops(id: string, options: CallOptions = {}): Promise<StopsView> {
    return this.#connection.call(StopsView, "the work items", { ...options, path: `${processPath(id)}/stops` });
  }

  /** The whole history of a process, of all its runs, the oldest line first. Reads page after page. */
  async *history(id: string, options: CallOptions = {}): AsyncGenerator<HistoryPage["lines"][number]> {
    for (let from: number | undefined = 0; from !== undefined;) {
      const call: Call = { ...options, path: `${processPath(id)}/history`, query: { from, limit: HISTORY_PAGE_LINES } };
      const page: HistoryPage = await this.#connection.call(HistoryPage, "the history", call);
      yield* page.lines;
      from = page.next;
    }
  }

  /** A page of the processes, the newest first. */
  list({ state, status, route, cursor, limit, ...rest }: ListOptions = {}): Promise<z.infer<typeof ProcessPage>> {
    const query = { state, status, route, cursor, limit };
    return this.#connection.call(ProcessPage, "the processes", { ...rest, path: "/processes", query });
  }

  /** Asks for a cancellation; resolves when it is recorded. */
  cancel(id: string, reason?: string, options: CallOptions = {}): Promise<Receipt> {
    const body = reason === undefined ? {} : { reason };
    return this.#connection.call(Receipt, "the receipt", { ...options, path: `${processPath(id)}/cancel`, body });
  }

  /** Sends a signal to a process; resolves when it is recorded. The same `signalId` is the same signal. */
  signal(
    id: string,
    name: string,
    payload: unknown,
    options: CallOptions & { readonly signalId?: string | undefined } = {},
  ): Promise<SignalReceipt> {
    const { signalId = crypto.randomUUID(), ...rest } = options;
    const path = `${processPath(id)}/signals/${encodeURIComponent(name)}`;
    return this.#connection.call(SignalReceipt, "the receipt", { ...rest, path, body: { signalId, payload } });
  }

  /** The dead letter queue. */
  readonly deadLetters = {
    /** A page of the dead letters, the newest first. */
    list: ({ route, code, decided, cursor, limit, ...rest }: LetterListOptions = {}): Promise<z.infer<typeof LetterPage>> =>
      this.#connection.call(LetterPage, "the dead letters", {
        ...rest,
        path: "/deadletters",
        query: { route, code, decided, cursor, limit },
      }),
    /** A dead letter with its content. */
    show: (id: string, options: CallOptions = {}): Promise<Letter> =>
      this.#connection.call(Letter, "the dead letter", { ...options, path: letterPath(id) }),
    /** Runs its process again from the stop that failed. Resolves with the receipt of the new run. */
    redrive: (id: string, { input, reason, decisionId, ...rest }: RedriveOptions = {}): Promise<Receipt> =>
      this.#connection.call(Receipt, "the receipt", {
        ...rest,
        path: `${letterPath(id)}/redrive`,
        body: { input, reason, decisionId },
      }),
    /** Decides that it is not done again. */
    discard: (id: string, reason: string, options: CallOptions = {}): Promise<LetterEntry> =>
      this.#connection.call(LetterEntry, "the dead letter", { ...options, path: `${letterPath(id)}/discard`, body: { reason } }),
  };

  /** A page of the operator actions, the newest first. */
  audit({ cursor, limit, ...rest }: PageOptions = {}): Promise<z.infer<typeof AuditPage>> {
    return this.#connection.call(AuditPage, "the audit", { ...rest, path: "/audit", query: { cursor, limit } });
  }

  /** Agents and routes, and who may lead to whom. */
  graph(options: CallOptions = {}): Promise<GraphAnswer> {
    return this.#connection.call(GraphAnswer, "the graph", { ...options, path: "/graph" });
  }

  /** Purges what ended longer ago than `olderThanMs`, by default the system's retention. */
  purge(
    options: CallOptions & { readonly olderThanMs?: number | undefined; readonly dryRun?: boolean | undefined } = {},
  ): Promise<PurgeAnswer> {
    const { olderThanMs, dryRun, ...rest } = options;
    return this.#connection.call(PurgeAnswer, "the purge", { ...rest, path: "/purge", body: { olderThanMs, dryRun } });
  }

  /** Whether the host takes work. One try. Throws `client.unreachable`. */
  health(options: CallOptions = {}): Promise<HealthAnswer> {
    return this.#connection.look(HealthAnswer, "the health", { ...options, path: "/healthz" });
  }
}

const HISTORY_PAGE_LINES = 200;

function processPath(id: string): string {
  return `/processes/${encodeURIComponent(id)}`;
}

function letterPath(id: string): string {
  return `/deadletters/${encodeURIComponent(id)}`;
}

/** A client of the system at an address. Nothing is asked before the first call. Throws a TypeError for what is no URL. */
export function connect(options: ConnectOptions): Client {
  new URL(options.url);
  return new Client(options);
}
