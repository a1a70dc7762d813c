/**
 * @module The system of the benchmark: three agents in a row, each returns its input plus one.
 *
 * `BENCH_WORK` selects what an agent does besides. `step`: it has state that counts its work items, and records one
 * step, as the agents of Restate's side do. `lean`: nothing.
 */
import { z } from "zod";
import { agent, type AgentDefinition, contract, route, system } from "../agents/index.ts";

/** The work of the agents on both sides. */
export const WORKS = ["step", "lean"] as const;
export type Work = (typeof WORKS)[number];

const Whole = z.int();
const Count = z.object({ works: z.int() });

const N1 = contract("N1", 1, { input: Whole, output: Whole });
const N2 = contract("N2", 1, { input: Whole, output: Whole });
const N3 = contract("N3", 1, { input: Whole, output: Whole });

const three = route("three", 1, Whole)
  .to("first", N1, ({ task }) => task)
  .to("second", N2, ({ first }) => first)
  .to("third", N3, ({ second }) => second)
  .output(({ third }) => third);

function worker(target: typeof N1 | typeof N2 | typeof N3): AgentDefinition {
  if (process.env["BENCH_WORK"] === "lean") return agent(target, { handle: (input) => input + 1 });
  return agent(target, {
    state: { schema: Count, initial: { works: 0 } },
    handle: async (input, ctx) => {
      const output = await ctx.step("work", () => input + 1);
      ctx.setState({ works: ctx.state.works + 1 });
      return output;
    },
  });
}

export default system("bench", { agents: [N1, N2, N3].map(worker), routes: [three] });
