/** @module What `agent` takes from `model`: how the settings of a model become the handler of an agent. */
import type { Grant } from "../../runtime/budget.ts";
import type { Json } from "../../runtime/faults.ts";
import type { Contract } from "../contract.ts";
import type { RuntimeContext } from "../context.ts";
import type { CheckedContext } from "../handler-context.ts";

/** The property of options that hold a model in the place of a handler. */
export const MODEL: unique symbol = Symbol.for("troupe.model");

/** A model bound to the contract of its agent. */
export interface BoundModel {
  /** Names of the models of the system that the agent may use. */
  readonly models: readonly string[];
  /** Names of the versions of its instructions. */
  readonly prompts: readonly string[];
  /** The version that the code uses. Absent: there are none. */
  readonly prompt: string | undefined;
  readonly budget: Grant | undefined;
  /** Runs the loop. `face` checks what the model calls. */
  readonly handle: (input: Json, runtime: RuntimeContext, face: CheckedContext) => Promise<unknown>;
}

/** Binds a model to a contract. Throws `definition.invalid`. `where` names the agent. */
export type BindModel = (target: Contract, where: string) => BoundModel;
