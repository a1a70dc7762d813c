/** @module People of a test: a function that decides on requests, as people do through the inbox. */
import type { Operations } from "../actors/operations/operations.ts";
import { Fault, isFault } from "../runtime/faults.ts";
import { requestId } from "../runtime/ids.ts";
import type { RequestView } from "../runtime/people/view.ts";
import { openRequests } from "../runtime/process/people.ts";
import type { ProcessState } from "../runtime/process/state.ts";
import { ANONYMOUS, type Principal } from "../runtime/protocol/principal.ts";

/** What a person of a test decides. `by` names the person, with its roles. Without a name it may decide on any request. */
export type LocalDecision = { readonly by?: string; readonly roles?: readonly string[]; readonly reason?: string } & (
  | { readonly do: "approve"; readonly always?: { readonly rule: number; readonly usesMax?: number; readonly forMs?: number } }
  | { readonly do: "edit"; readonly input: unknown }
  | { readonly do: "deny"; readonly reason: string }
  | { readonly do: "answer"; readonly output: unknown }
);

/**
 * Decides on a request. It is called when the request is made, and again at each reminder and escalation. `undefined` leaves it open. No
 * time is skipped while it decides.
 */
export type People = (request: RequestView) => LocalDecision | undefined | Promise<LocalDecision | undefined>;

/** The parts of the people of a test. */
export interface LocalPeopleParts {
  /** Absent: a request ends the run with a fault. */
  readonly decide: People | undefined;
  readonly operations: Pick<Operations, "request" | "decide">;
  /** No time is skipped meanwhile. */
  readonly during: <T>(action: Promise<T>) => Promise<T>;
}

/** Puts the open requests of processes to the people of a test. */
export class LocalPeople {
  readonly #parts: LocalPeopleParts;
  readonly #asked = new Set<string>();
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: LocalPeopleParts) {
    this.#parts = parts;
  }

  /** Why no run can go on: a request that no one decides on, or a decision that was refused. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Looks for requests in the state of a process. */
  note(state: ProcessState): void {
    for (const { for: asked } of openRequests(state)) {
      const id = requestId(state.id, asked.count);
      const told = `${id} ${asked.reminded} ${asked.escalated}`;
      if (this.#asked.has(told)) continue;
      this.#asked.add(told);
      void this.#parts.during(this.#ask(id)).catch((error: unknown) => {
        this.#failure ??= { error };
      });
    }
  }

  async #ask(id: string): Promise<void> {
    const { decide, operations } = this.#parts;
    const request = await operations.request(id);
    if (decide === undefined)
      throw new Fault(
        "person.expired",
        `request ${id} waits for a person, and this run has none: ${request.reason}; give it the option people, a function that decides`,
      );
    const given = await decide(request);
    if (given === undefined) return;
    const { by, roles = [], ...decision } = given;
    const principal: Principal = by === undefined ? { ...ANONYMOUS } : { ...ANONYMOUS, subject: by, roles: [...roles] };
    await operations.decide(id, { ...decision, hash: request.hash }, { principal }).catch((error: unknown) => {
      // Its deadline may have passed while it was decided on.
      if (!isFault(error) || error.code !== "person.decided") throw error;
    });
  }
}
