/** @module Signals and decisions of people in a forked run: those of the record. No person is asked. */
import type { KnownSignalOf, KnownWait, RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { isFault, type Json } from "../../runtime/faults.ts";
import { requestId } from "../../runtime/ids.ts";
import { Verdict } from "../../runtime/people/request.ts";
import { openRequests, rolesNow } from "../../runtime/process/people.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import type { PersonWait, Wait } from "../../runtime/process/wait.ts";
import { ANONYMOUS, type Principal } from "../../runtime/protocol/principal.ts";
import type { DecisionContent } from "../../runtime/people/answers.ts";
import type { Operations } from "../operations/operations.ts";
import type { ForkCalls } from "./fork-calls.ts";
import type { ForkEnd } from "./fork-end.ts";

/** The parts of the people of a fork. */
export interface ForkPeopleParts {
  readonly recorded: RecordedRun;
  readonly calls: ForkCalls;
  readonly end: ForkEnd;
  readonly operations: () => Pick<Operations, "request" | "decide" | "signal">;
  /** No time is skipped meanwhile. */
  readonly during: <T>(action: Promise<T>) => Promise<T>;
}

/** Answers what the processes of a forked run wait for from outside. */
export class ForkPeople {
  readonly #parts: ForkPeopleParts;
  readonly #seen = new Set<string>();
  readonly #taken = new Set<KnownWait | KnownSignalOf>();

  constructor(parts: ForkPeopleParts) {
    this.#parts = parts;
  }

  /** Looks for waits in the state of a process. */
  note(state: ProcessState): void {
    for (const request of openRequests(state)) if (this.#isNew(state, request)) this.#act(this.#decide(state, request));
    for (const wait of Object.values(state.waits ?? {}))
      if (wait.for.kind === "signal" && this.#isNew(state, wait)) this.#act(this.#signal(state, wait, wait.for.name));
  }

  #isNew({ id }: ProcessState, wait: Wait): boolean {
    const name = `${id} ${wait.id} ${wait.begunAtMs}`;
    return !this.#seen.has(name) && this.#seen.add(name) !== undefined;
  }

  #act(action: Promise<void>): void {
    const { during, end } = this.#parts;
    void during(action).catch((error: unknown) => {
      if (isFault(error)) void end.with(error);
    });
  }

  /** The next recorded signal of that name to that process. Without one the wait times out, as it did. */
  async #signal({ id, task }: ProcessState, wait: Wait, name: string): Promise<void> {
    const { recorded, operations, end } = this.#parts;
    const found = recorded.process(id)?.signals.find((one) => one.name === name && !this.#taken.has(one));
    if (found === undefined) {
      if (wait.dueAtMs === undefined) void end.unknown({ agent: "", what: "signal", name });
      return;
    }
    this.#taken.add(found);
    const principal = found.label === undefined && task !== undefined ? task.principal : { ...ANONYMOUS, subject: "(recorded)" };
    await operations().signal(id, name, recorded.contents.read(found.payload), { principal });
  }

  async #decide(state: ProcessState, wait: PersonWait): Promise<void> {
    const { operations, end } = this.#parts;
    const id = requestId(state.id, wait.for.count);
    const request = await operations().request(id);
    const known = this.#known(state.id, wait);
    // The deadline passed, or it was no longer needed: so it is here.
    if (known !== undefined && (known.end === undefined || known.end.request?.state === "expired")) return;
    const decision = known === undefined ? this.#unasked(request.tool, request.input ?? null, wait) : this.#decisionOf(known);
    if (decision === undefined) {
      void end.unknown({
        agent: wait.for.agent ?? "",
        what: "person",
        name: wait.for.tool ?? wait.for.person ?? "a person",
        input: request.input,
      });
      return;
    }
    const by = known?.end?.request?.by;
    const principal: Principal = { ...ANONYMOUS, ...(by === undefined ? {} : { subject: by, roles: rolesNow(wait) }) };
    await operations().decide(id, { ...decision, hash: request.hash }, { principal });
  }

  /** The recorded request at the same place, or one about the same. */
  #known(process: string, wait: PersonWait): KnownWait | undefined {
    const waits = (this.#parts.recorded.process(process)?.waits ?? []).filter(
      (one) => one.wait.for.kind === "person" && !this.#taken.has(one) && this.#isSame(one.wait, wait),
    );
    const found = waits.find((one) => one.wait.stop === wait.stop && one.wait.item === wait.item) ?? waits[0];
    if (found !== undefined) this.#taken.add(found);
    return found;
  }

  #isSame({ for: known }: Wait, { for: asked }: PersonWait): boolean {
    if (known.kind !== "person") return false;
    return known.about === asked.about && known.tool === asked.tool && known.person === asked.person && known.hash === asked.hash;
  }

  /** A standing rule let a recorded call through. */
  #unasked(tool: string | undefined, input: Json, { for: { about } }: PersonWait): DecisionContent | undefined {
    if (about !== "consent" || tool === undefined || !this.#parts.calls.has(tool, input)) return undefined;
    return { do: "approve", reason: "the recorded call was made" };
  }

  #decisionOf({ end }: KnownWait): DecisionContent | undefined {
    const { contents } = this.#parts.recorded;
    if (end?.request === undefined) return undefined;
    const { state, reason } = end.request;
    const output = "output" in end.result ? contents.read(end.result.output) : null;
    switch (state) {
      case "approved":
        return { do: "approve", reason };
      case "denied":
        return { do: "deny", reason };
      case "answered":
        return { do: "answer", output, reason };
      case "edited": {
        const input = Verdict.safeParse(output).data?.input;
        return input === undefined ? undefined : { do: "edit", input, reason };
      }
      default:
        return undefined;
    }
  }
}
