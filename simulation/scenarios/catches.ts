/**
 * @module Handlers that catch what a step throws. The step has had its effect by then, so what is undone later must be
 * undone whichever way the handler went.
 */
import type { BaseContext, StepTools } from "../../agents/context.ts";
import { book, unbook } from "./party.ts";

/** `rescue`: goes on to another step. `tidy`: does another step and throws on, and succeeds the next time. `shrug`: thinks nothing of it. */
export const CATCHES = ["rescue", "tidy", "shrug"] as const;
type Catch = (typeof CATCHES)[number];

/** Whether a job is one of these. */
export function isCatch(job: string): job is Catch {
  return CATCHES.some((one) => one === job);
}

/** A step that fails after its effect, and what a handler makes of it. */
export async function tryAndCatch(what: Catch, about: string, ctx: Pick<BaseContext<never, never>, "step" | "attempt">): Promise<void> {
  const act =
    (name: string) =>
    (step: StepTools): Promise<string> =>
      book(name, `${about}/${name}`, step);
  const undo = (name: string) => ({ undo: (_done: string | undefined, step: StepTools) => unbook(name, `${about}/${name}`, step) });
  const attempted = ctx.step(
    "try",
    async (step) => {
      const done = await act("try")(step);
      if (what !== "tidy" || ctx.attempt === 1) throw new Error("told to fail");
      return done;
    },
    undo("try"),
  );
  try {
    await attempted;
  } catch (error) {
    if (what === "shrug") return;
    await ctx.step(what, act(what), undo(what));
    if (what === "tidy") throw error;
  }
}
