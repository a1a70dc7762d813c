/**
 * @module The actor of a replayed handler: it knows what is recorded, and takes nothing new. What a handler does that is not recorded is
 * the first divergence, and ends the execution.
 */
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import { newAgent } from "../../runtime/agent/state.ts";
import { Fault } from "../../runtime/faults.ts";
import type { HeldInput, RunLink } from "../host/run-link.ts";

/** What a handler did first that is not recorded. */
export interface Unrecorded {
  readonly what: "tool" | "model" | "step" | "wait" | "failure";
  /** Key of the call or wait, or name of the step. */
  readonly key: string;
}

/** The link of one replayed execution. */
export class RecordedLink implements RunLink {
  readonly #work: AgentWork;
  readonly #state: AgentState;
  #unrecorded: Unrecorded | undefined;

  constructor(work: AgentWork, actor: string) {
    this.#work = work;
    this.#state = { ...newAgent(actor), works: { [work.id]: work } };
  }

  get unrecorded(): Unrecorded | undefined {
    return this.#unrecorded;
  }

  state(): AgentState {
    return this.#state;
  }

  async tell(input: HeldInput): Promise<AgentState> {
    const fresh = this.#newIn(input);
    if (fresh !== undefined) throw this.refuse(fresh);
    return this.#state;
  }

  /** Notes what is not recorded. Returns the fault that ends the execution. */
  refuse(what: Unrecorded): Fault {
    this.#unrecorded ??= what;
    return new Fault("work.superseded", `a replay does nothing new: ${what.what} ${what.key}`);
  }

  #newIn(input: HeldInput): Unrecorded | undefined {
    const { calls, modelCalls = [], waits, failures = [] } = this.#work;
    switch (input.kind) {
      case "call-begun":
      case "call-tried":
      case "call-ended":
        return calls.some(({ key }) => key === input.call.key) ? undefined : { what: "tool", key: input.call.key };
      case "model-begun":
      case "model-tried":
      case "model-ended":
        return modelCalls.some(({ key }) => key === input.call.key) ? undefined : { what: "model", key: input.call.key };
      case "step-done":
        return { what: "step", key: input.name };
      case "waits":
        return waits.some(({ key }) => key === input.key) ? undefined : { what: "wait", key: input.key };
      case "failed": {
        const { kind, key } = input.failure;
        return failures.some((one) => one.kind === kind && one.key === key) ? undefined : { what: kind === "call" ? "tool" : kind, key };
      }
      default:
        return undefined;
    }
  }
}
