/** @module How what runs in a host, an execution or a compensation, speaks to its actor. */
import type { AgentInput } from "../../runtime/agent/inputs.ts";
import type { AgentState } from "../../runtime/agent/state.ts";

type Told<I> = I extends { readonly workId: string; readonly token: string } ? Omit<I, "workId" | "token"> : never;

/** What an execution or a compensation reports to its actor under its token. */
export type HeldInput = Told<Exclude<AgentInput, { readonly kind: "message" | "lost" }>>;

/** The link from an execution to its actor. */
export interface RunLink {
  /** Sends it until the actor accepts or refuses it. Throws a refusal as a fault; one of {@link RUN_ENDED} ends this execution. */
  tell(input: HeldInput): Promise<AgentState>;
  /** Returns the actor's state as last known to this host. */
  state(): AgentState | undefined;
}
