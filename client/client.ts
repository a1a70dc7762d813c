/** @module A typed client of a running system. */
import { z } from "zod";
import type { InputOf, OutputOf } from "../agents/contract.ts";
import type { RouteContract, RouteDefinition } from "../agents/route.ts";
import {
  AuditPage,
  BrokenActor,
  BrokenActors,
  GraphAnswer,
  HealthAnswer,
  Letter,
  LetterEntry,
  LetterPage,
  ModelsAnswer,
  OutcomeAnswer,
  ProcessPage,
  PurgeAnswer,
  Receipt,
  SchemasAnswer,
  SignalReceipt,
} from "../runtime/answers.ts";
import { FollowedDelta } from "../runtime/model/deltas.ts";
import { HistoryLine, ProcessOutcome } from "../runtime/process-view.ts";
import { ReleasesView, ReleaseView } from "../runtime/release.ts";
import { SourcesAnswer, SyncAnswer } from "../runtime/source-answers.ts";
import { type Call, type CallOptions, type ConnectOptions } from "./connection.ts";
import { ClientError } from "./errors.ts";
import { MemoryClient } from "./memory.ts";
import type { ServerEvent } from "./events.ts";
import { InboxClient } from "./inbox.ts";
import type { AuditOptions, LetterListOptions, ListOptions, RedriveOptions, SubmitOptions } from "./options.ts";
import { ReportsClient } from "./reports.ts";
import { OperateClient } from "./operate.ts";
import { processPath, ReadingClient } from "./reading.ts";
import { RulesClient } from "./rules.ts";

/** A route by its definition or its contract: both carry its types. */
export type Route = RouteDefinition | RouteContract;

/** How a process ended. `output` has the type of the route's output. */
export type Outcome<Output = unknown> = Readonly<Omit<OutcomeAnswer, "output">> & { readonly output?: Output | undefined };

/** An accepted task: with its outcome if it ended within `waitMs`, else with the receipt. */
export interface Submitted<Output = unknown> {
  readonly id: string;
  readonly receipt?: Receipt;
  readonly outcome?: Outcome<Output>;
}

/** Options of `wait`. */
export interface WaitOptions<R extends Route = Route> extends CallOptions {
  /** The route that gives the output its type. The client does not check the output; the system did. */
  readonly route?: R | undefined;
  /** Maximum wait in milliseconds, after which it throws `client.still-open`. @default no limit */
  readonly waitMs?: number | undefined;
}

/** An event of a followed process. Pass `id` to resume after this event. */
export type FollowEvent =
  | { readonly kind: "line"; readonly id: string; readonly run: number; readonly line: HistoryLine }
  | { readonly kind: "outcome"; readonly id: string; readonly run: number; readonly outcome: ProcessOutcome };

/**
 * A piece of a reply that a model of the process sends now. `restarted`: the call is made again, and what came of it before is void. Any
 * piece may be lost; what was replied is in the work items.
 */
export interface DeltaEvent {
  readonly kind: "delta";
  readonly id: string;
  readonly run: number;
  readonly delta: FollowedDelta;
}

/** Options of `follow`. */
export interface FollowOptions extends CallOptions {
  /** The `id` of the last event that was received. @default from the first line */
  readonly after?: string | undefined;
  /** Yields the pieces of the replies of models too. @default false */
  readonly deltas?: boolean | undefined;
}

const STREAM_ID = /^(\d{1,9})\./;
const MAKES_NO_SENSE = new ClientError({ code: "client.answer", message: "the stream of events ended without an outcome." });

/** A running system. Each method throws {@link ClientError}, or the reason of the signal that aborted it. */
export class Client extends ReadingClient {
  /** Requests to people. */
  readonly inbox: InboxClient;
  /** Standing rules. */
  readonly rules: RulesClient;
  /** Drift and digests. */
  readonly reports: ReportsClient;
  /** Pauses, terminations and bulk decisions. */
  readonly operate: OperateClient;
  /** What agents remember. */
  readonly memory: MemoryClient;

  constructor(options: ConnectOptions) {
    super(options);
    this.inbox = new InboxClient(this.connection);
    this.rules = new RulesClient(this.connection);
    this.reports = new ReportsClient(this.connection);
    this.operate = new OperateClient(this.connection);
    this.memory = new MemoryClient(this.connection);
  }

  /** The address of the system. */
  get url(): string {
    return this.connection.url;
  }

  /** Submits a task; resolves when it is accepted. The system checks the input (`schema.task`). */
  submit<R extends Route>(route: R, input: InputOf<R>, options?: SubmitOptions): Promise<Submitted<OutputOf<R>>>;
  submit(route: string, input: unknown, options?: SubmitOptions): Promise<Submitted>;
  async submit(route: Route | string, input: unknown, options: SubmitOptions = {}): Promise<Submitted> {
    const { id = crypto.randomUUID(), timeoutMs, permissions, untrusted, waitMs, ...rest } = options;
    const name = typeof route === "string" ? route : route.name;
    const body = { id, route: name, input, timeoutMs, permissions, untrusted };
    const query = { waitMs };
    const call: Call = { ...rest, path: "/tasks", query, body, ...(waitMs === undefined ? {} : { waitMs }) };
    const answer = await this.connection.call(z.union([OutcomeAnswer, Receipt]), "the task", call);
    return { id: answer.id, ...("status" in answer ? { outcome: answer } : { receipt: answer }) };
  }

  /** Waits until a process has ended. Continues across a restart of the system, within `patienceMs`. */
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
      // The caller's route gives the type; the system checked the output when the route ended.
      ...(output === undefined ? {} : { output: output as Output }),
    };
  }

  /**
   * Follows a process: yields its events from the first line, or after a given event, to its outcome. Reconnects a broken stream,
   * within `patienceMs`; no event is repeated.
   */
  follow(id: string, options: FollowOptions & { readonly deltas: true }): AsyncGenerator<FollowEvent | DeltaEvent>;
  follow(id: string, options?: FollowOptions & { readonly deltas?: false | undefined }): AsyncGenerator<FollowEvent>;
  async *follow(id: string, options: FollowOptions = {}): AsyncGenerator<FollowEvent | DeltaEvent> {
    const { after, deltas = false, ...rest } = options;
    const call: Call = { ...rest, path: `${processPath(id)}/events`, query: { deltas } };
    for await (const event of this.connection.events(call, after)) {
      const read = this.#eventOf(event);
      if (read !== undefined) yield read;
      if (read?.kind === "outcome") return;
    }
  }

  #eventOf({ id = "", event, data }: ServerEvent): FollowEvent | DeltaEvent | undefined {
    const run = Number(STREAM_ID.exec(id)?.[1] ?? 1);
    if (event === "line") return { kind: "line", id, run, line: this.connection.parse(HistoryLine, data, "a line of history") };
    if (event === "outcome") return { kind: "outcome", id, run, outcome: this.connection.parse(ProcessOutcome, data, "the outcome") };
    if (event === "model-delta") return { kind: "delta", id, run, delta: this.connection.parse(FollowedDelta, data, "a piece of a reply") };
    return undefined;
  }

  /** Returns a page of the processes, newest first. */
  list({ signal, patienceMs, onLost, ...query }: ListOptions = {}): Promise<z.infer<typeof ProcessPage>> {
    const rest = { signal, patienceMs, onLost };
    return this.connection.call(ProcessPage, "the processes", { ...rest, path: "/processes", query });
  }

  /** Requests a cancellation; resolves when the request is recorded. */
  cancel(id: string, reason?: string, options: CallOptions = {}): Promise<Receipt> {
    const body = reason === undefined ? {} : { reason };
    return this.connection.call(Receipt, "the receipt", { ...options, path: `${processPath(id)}/cancel`, body });
  }

  /** Sends a signal to a process; resolves when it is recorded. A repeated request with the same `signalId` is the same signal. */
  signal(
    id: string,
    name: string,
    payload: unknown,
    options: CallOptions & { readonly signalId?: string | undefined } = {},
  ): Promise<SignalReceipt> {
    const { signalId = crypto.randomUUID(), ...rest } = options;
    const path = `${processPath(id)}/signals/${encodeURIComponent(name)}`;
    return this.connection.call(SignalReceipt, "the receipt", { ...rest, path, body: { signalId, payload } });
  }

  /** The dead letter queue. */
  readonly deadLetters = {
    /** Returns a page of the dead letters, newest first. */
    list: ({ route, code, decided, cursor, limit, ...rest }: LetterListOptions = {}): Promise<z.infer<typeof LetterPage>> =>
      this.connection.call(LetterPage, "the dead letters", {
        ...rest,
        path: "/deadletters",
        query: { route, code, decided, cursor, limit },
      }),
    /** Returns a dead letter with its content. */
    show: (id: string, options: CallOptions = {}): Promise<Letter> =>
      this.connection.call(Letter, "the dead letter", { ...options, path: letterPath(id) }),
    /** Runs its process again from the failed stop. Resolves with the receipt of the new run. */
    redrive: (id: string, { input, reason, decisionId, undoneByHand, ...rest }: RedriveOptions = {}): Promise<Receipt> =>
      this.connection.call(Receipt, "the receipt", {
        ...rest,
        path: `${letterPath(id)}/redrive`,
        body: { input, reason, decisionId, undoneByHand },
      }),
    /** Discards a dead letter: it is never redriven. */
    discard: (id: string, reason: string, options: CallOptions = {}): Promise<LetterEntry> =>
      this.connection.call(LetterEntry, "the dead letter", { ...options, path: `${letterPath(id)}/discard`, body: { reason } }),
  };

  /** Returns a page of the operator actions and checks, newest first. */
  audit({ process, what, cursor, limit, ...rest }: AuditOptions = {}): Promise<z.infer<typeof AuditPage>> {
    return this.connection.call(AuditPage, "the audit", { ...rest, path: "/audit", query: { process, what, cursor, limit } });
  }

  /** Returns agents and routes, and which may lead to which. */
  graph(options: CallOptions = {}): Promise<GraphAnswer> {
    return this.connection.call(GraphAnswer, "the graph", { ...options, path: "/graph" });
  }

  /** Returns the JSON Schemas of what routes and agents take and give. */
  schemas(options: CallOptions = {}): Promise<SchemasAnswer> {
    return this.connection.call(SchemasAnswer, "the schemas", { ...options, path: "/schemas" });
  }

  /** Returns the models of the system with their endpoints, as the host sees them that answers. */
  models(options: CallOptions = {}): Promise<ModelsAnswer> {
    return this.connection.call(ModelsAnswer, "the models", { ...options, path: "/models" });
  }

  /** Returns the sources of the system, and how current their memories are. */
  sources(options: CallOptions = {}): Promise<SourcesAnswer> {
    return this.connection.call(SourcesAnswer, "the sources", { ...options, path: "/sources" });
  }

  /** Compares a source with its memory now. Throws `source.unknown`, `source.unavailable`. */
  syncSource(name: string, options: CallOptions = {}): Promise<SyncAnswer> {
    const path = `/sources/${encodeURIComponent(name)}/sync`;
    return this.connection.call(SyncAnswer, "the comparison", { ...options, path, body: {} });
  }

  /** Returns the releases of prompts and models, as the host uses them. */
  releases(options: CallOptions = {}): Promise<ReleasesView> {
    return this.connection.call(ReleasesView, "the releases", { ...options, path: "/releases" });
  }

  /** Stops the canary of an agent, on all hosts. One that is stopped already stays as it is. Throws `release.unknown`. */
  stopRelease(agent: string, { reason, ...rest }: CallOptions & { readonly reason: string }): Promise<ReleaseView> {
    return this.connection.call(ReleaseView, "the release", {
      ...rest,
      path: `/releases/${encodeURIComponent(agent)}/stop`,
      body: { reason },
    });
  }

  /** Returns the actors whose journals are broken. */
  broken(options: CallOptions = {}): Promise<BrokenActors> {
    return this.connection.call(BrokenActors, "the broken actors", { ...options, path: "/broken" });
  }

  /** Sets a broken actor aside, which begins anew. `acceptLoss` is required for agents and process managers. */
  setAside(
    actor: string,
    { reason, acceptLoss, ...rest }: CallOptions & { readonly reason: string; readonly acceptLoss?: boolean | undefined },
  ): Promise<BrokenActor> {
    return this.connection.call(BrokenActor, "the actor", { ...rest, path: "/broken/set-aside", body: { actor, reason, acceptLoss } });
  }

  /** Purges processes that ended more than `olderThanMs` ago. @default the system's retention */
  purge(
    options: CallOptions & { readonly olderThanMs?: number | undefined; readonly dryRun?: boolean | undefined } = {},
  ): Promise<PurgeAnswer> {
    const { olderThanMs, dryRun, ...rest } = options;
    return this.connection.call(PurgeAnswer, "the purge", { ...rest, path: "/purge", body: { olderThanMs, dryRun } });
  }

  /** Returns whether the host accepts work. One attempt. Throws `client.unreachable`. */
  health(options: CallOptions = {}): Promise<HealthAnswer> {
    return this.connection.look(HealthAnswer, "the health", { ...options, path: "/healthz" });
  }
}

function letterPath(id: string): string {
  return `/deadletters/${encodeURIComponent(id)}`;
}

/** Returns a client of the system at an address. Sends nothing before the first call. Throws a TypeError for an invalid URL. */
export function connect(options: ConnectOptions): Client {
  new URL(options.url);
  return new Client(options);
}
