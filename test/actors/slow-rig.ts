/** @module A system whose handler knows on which host it runs. */
import { z } from "zod";
import { agent, contract, route, system } from "../../agents/index.ts";

export const In = z.object({ n: z.int() });
export const Out = z.object({ by: z.string() });
export const Slow = contract("Slow", 1, { input: In, output: Out });

export type Handle = (name: string, n: number) => Promise<string>;

/** The same system for each host, whose handler knows where it runs. */
export function systemOf(name: string, handle: Handle): ReturnType<typeof system> {
  const slow = agent(Slow, { handle: async ({ n }) => ({ by: await handle(name, n) }) });
  const main = route("main", 1, In)
    .to("slow", Slow, ({ task }) => task)
    .output(({ slow: result }) => result);
  return system("sys", { agents: [slow], routes: [main] });
}
