/** @module What a refused definition says. */
import { Fault } from "../../agents/index.ts";

/** Code and message of the fault that a definition throws. */
export function refusal(run: () => unknown): readonly [string, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was refused");
}
