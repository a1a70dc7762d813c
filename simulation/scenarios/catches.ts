/**
 * @module Handlers that catch what a call throws. The call has had its effect by then, so it is undone whichever way the
 * handler went.
 */
import { z } from "zod";
import type { BaseContext } from "../../agents/context.ts";
import { tool } from "../../agents/tool.ts";
import { outsideNow } from "../world/outside.ts";
import { book, effectTool, unbook } from "./party.ts";

/**
 * What a handler does with an error that it caught. `rescue`: makes another call and goes on. `tidy`: makes another call and throws the
 * error again, and succeeds in its next execution. `shrug`: ignores it.
 */
export const CATCHES = ["rescue", "tidy", "shrug"] as const;
type Catch = (typeof CATCHES)[number];

/** Whether a job is one of these. */
export function isCatch(job: string): job is Catch {
  return CATCHES.some((one) => one === job);
}

/** Fails after its effect: always, or only when it was this call that had it. */
const attempted = tool("try", {
  effect: "write",
  input: z.object({ about: z.string(), always: z.boolean() }),
  output: z.string(),
  run: async ({ about, always }, call) => {
    const stood = outsideNow().stands(call.idempotencyKey);
    const done = await book("try", about, call);
    if (always || !stood) throw new Error("told to fail");
    return done;
  },
  undo: ({ about }, _done, call) => unbook("try", about, call),
});
const instead = { rescue: effectTool("rescue"), tidy: effectTool("tidy") } as const;

/** The tools that these handlers call. */
export const CATCH_TOOLS = [attempted, instead.rescue, instead.tidy] as const;

/** Makes a call that fails after its effect, and handles the failure in one of the ways. */
export async function tryAndCatch(
  what: Catch,
  about: string,
  ctx: Pick<BaseContext<never, never, (typeof CATCH_TOOLS)[number]>, "call">,
): Promise<void> {
  try {
    await ctx.call(attempted, { about: `${about}/try`, always: what !== "tidy" });
  } catch (error) {
    if (what === "shrug") return;
    await ctx.call(instead[what], { about: `${about}/${what}` });
    if (what === "tidy") throw error;
  }
}
