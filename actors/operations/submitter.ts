/** @module Submits tasks, and waits for their outcomes. */
import type { System } from "../../agents/system.ts";
import { Fault } from "../../runtime/faults.ts";
import { DEFAULT_TENANT, insideId, requireTaskId } from "../../runtime/ids.ts";
import type { Message } from "../../runtime/protocol.ts";
import { requireValue } from "../../runtime/value.ts";
import type { Ports } from "../engine/ports.ts";
import type { Host } from "../host/host.ts";
import { ATTRIBUTE } from "../telemetry/names.ts";
import { taskTrace } from "../telemetry/spans.ts";
import type { Caller, OutcomeView, Submission, SubmitResult } from "./operations.ts";
import { endedOutcome, outcomeShown } from "./outcome.ts";
import type { Requests } from "./requests.ts";
import { labelOf, narrowed, timeoutMsOf } from "./submission.ts";
import { Waiters } from "./waiters.ts";

/** How long a waiter trusts that a process stays on the host where it was opened, in milliseconds. */
const MOVED_MS = 2_000;

/** The parts of a submitter. `newId` creates the id of a task that comes without one. */
export interface SubmitterParts {
  readonly system: System;
  readonly ports: Ports;
  readonly host: Host;
  readonly newId: () => string;
  readonly requests: Requests;
}

/** Takes the tasks of one host. */
export class Submitter {
  readonly #parts: SubmitterParts;
  readonly #waiters: Waiters;

  constructor(parts: SubmitterParts) {
    this.#parts = parts;
    const { host, ports } = parts;
    this.#waiters = new Waiters(ports.clock, (id, waitedMs) => this.#lookFor(id, waitedMs));
    host.listen((before, after) => {
      if (after.phase === "ended" && before.phase !== "ended")
        void this.#waiters.wake(after.id, () => endedOutcome(after, host.values)).catch(() => {});
    });
  }

  async submit(submission: Submission, caller: Caller, waitMs: number): Promise<SubmitResult> {
    const message = await this.#taskMessage(submission, caller, waitMs > 0);
    const ended = waitMs > 0 ? this.#waiters.wait(message.to.id, waitMs) : undefined;
    try {
      const receipt = this.#parts.requests.receipt(submission.route, message, await this.#parts.requests.insist(message));
      const outcome = await ended?.outcome;
      return outcome === undefined ? { receipt } : { receipt, outcome };
    } finally {
      ended?.end();
    }
  }

  /** `waits`: the caller waits for the outcome, so that a list may show the process a moment later. */
  async #taskMessage(submission: Submission, caller: Caller, waits: boolean): Promise<Message> {
    const { system, ports, host, newId } = this.#parts;
    const route = system.routes.get(submission.route);
    if (route === undefined)
      throw new Fault(
        "route.unknown",
        `there is no route ${JSON.stringify(submission.route)}; the routes are ${[...system.routes.keys()].join(", ")}`,
      );
    const principal = narrowed(caller.principal, submission);
    const content = route.checkTask(submission.input);
    const timeoutMs = timeoutMsOf(submission);
    const slip = await host.values.store(route.slipValue);
    // Complete, however large: its process stores it with record 1, so a refused task leaves nothing behind.
    const input = { json: content };
    requireValue(content);
    const { tenant } = caller.principal;
    const makeId = (): string => insideId(newId(), tenant);
    // A reserved id belongs to no tenant but the one of most systems.
    const isReservable = waits && tenant === DEFAULT_TENANT;
    const id = submission.id === undefined ? host.processes.newId(makeId, isReservable) : insideId(requireTaskId(submission.id), tenant);
    const nowMs = ports.clock.nowMs();
    const trace = taskTrace(caller.trace, { [ATTRIBUTE.process]: id, [ATTRIBUTE.route]: submission.route }, ports.random);
    return this.#parts.requests.message(
      id,
      { kind: "task", route: submission.route, slip, input, timeoutMs, nesting: [], ...labelOf(submission) },
      { ...caller, principal, trace },
      nowMs + timeoutMs,
      id,
    );
  }

  /**
   * The outcome of a process that a caller waits for. A process that is open on this host, or about to be, wakes its waiters itself. It
   * is read only in case it has moved to another host.
   */
  async #lookFor(id: string, waitedMs: number): Promise<OutcomeView | undefined> {
    const { processes } = this.#parts.host;
    return (processes.isOpen(id) || processes.isNew(id)) && waitedMs < MOVED_MS ? undefined : this.#outcome(id);
  }

  async #outcome(id: string): Promise<OutcomeView | undefined> {
    const view = await this.#parts.requests.inspect(id);
    if (view.phase !== "ended" || view.outcome === undefined) return undefined;
    return outcomeShown(view, view.outcome);
  }
}
