/**
 * @module Reports a run's results to its actor. It retries without a time limit, because the effects behind them cannot be repeated.
 */
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { type FaultCode, faultFrom } from "../../runtime/faults.ts";
import { insist } from "../engine/insist.ts";
import type { Logger } from "../engine/log.ts";
import type { Clock } from "../engine/ports.ts";

/** Runs one turn of the actor with an input of its own host and returns the state after it. Throws refusals as faults. */
export type Feed = (actorId: string, input: AgentInput) => Promise<AgentState>;

/** The input that ends a run. */
export type EndInput = Extract<AgentInput, { readonly kind: "finished" | "compensated" }>;

/** A later attempt has the work item: it is not this one's any longer. */
const FINAL: ReadonlySet<string> = new Set<FaultCode>(["work.superseded"]);

/** Sends inputs to the actors of one agent. */
export class Recorder {
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(feed: Feed, clock: Clock, log: Logger) {
    this.#feed = feed;
    this.#clock = clock;
    this.#log = log;
  }

  /** Retries while the store or the sidecar does not answer; throws only faults that a retry cannot change. */
  insist(actorId: string, input: AgentInput): Promise<AgentState> {
    const failed = (error: unknown): void => {
      this.#log.warn({ fault: faultFrom(error, "turn.failed") }, "a result is not recorded yet: the store does not answer; retrying");
    };
    return insist({ clock: this.#clock, failed, final: FINAL }, () => this.#feed(actorId, input));
  }

  /** Records that this host gives a run up, because it shuts down. If that fails, another host takes it over as from a dead one. */
  async release(actorId: string, workId: string, token: string): Promise<void> {
    await this.insist(actorId, { kind: "released", workId, token }).catch((error: unknown) => {
      const fault = faultFrom(error, "turn.failed");
      if (fault.code !== "work.superseded") this.#log.warn({ fault, workId }, "a work item could not be released");
    });
  }

  /** Records the end of a run. An end that cannot be recorded as it is ends the work item with the reason. */
  async end(actorId: string, input: EndInput): Promise<void> {
    try {
      await this.insist(actorId, input);
    } catch (error) {
      const fault = faultFrom(error, "turn.failed");
      if (fault.code === "work.superseded") return;
      const { workId, token } = input;
      this.#log.error({ fault, workId }, "a result could not be recorded; the work item fails with the reason");
      if (input.kind === "compensated") {
        if (!("fault" in input.end)) await this.end(actorId, { kind: "compensated", workId, token, end: { fault } });
      } else if (!("fault" in input.result)) {
        const { undoes } = input;
        await this.end(actorId, { kind: "finished", workId, token, result: { fault }, ...(undoes === undefined ? {} : { undoes }) });
      }
    }
  }
}
