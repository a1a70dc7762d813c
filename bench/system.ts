/**
 * @module The system of the benchmark: three agents in a row, each returns its input plus one.
 *
 * `BENCH_WORK` selects what an agent does besides. `step`: it has state that counts its work items, and records one
 * step, as the agents of Restate's side do. `tool`: the same with a call of a tool that has an undo in the place of the step, which is
 * recorded before it is made and after. `lean`: nothing. `model`: each is a model agent that makes one model call (route `thinking`).
 * With `BENCH_KEY` set, the first agent has one actor for all processes.
 *
 * A fourth agent, without state, does the items of the route `fan` (bench/fan-out.ts).
 */
import { z } from "zod";
import { agent, type AgentDefinition, contract, model, openai, route, system, tool } from "../agents/index.ts";

/** The work of the agents on both sides. */
export const WORKS = ["step", "tool", "lean", "model"] as const;
export type Work = (typeof WORKS)[number];

const Whole = z.int();
const Count = z.object({ works: z.int() });

const isKeyed = process.env["BENCH_KEY"] !== undefined;
const N1 = contract("N1", 1, { input: Whole, output: Whole, ...(isKeyed ? { key: () => "hot" } : {}) });
const N2 = contract("N2", 1, { input: Whole, output: Whole });
const N3 = contract("N3", 1, { input: Whole, output: Whole });

const three = route("three", 1, Whole)
  .to("first", N1, ({ task }) => task)
  .to("second", N2, ({ first }) => first)
  .to("third", N3, ({ second }) => second)
  .output(({ third }) => third);

const Fan = contract("Fan", 1, { input: Whole, output: Whole });
const FAN_CONCURRENCY = 64;
const fan = route("fan", 1, z.array(Whole))
  .forEach(
    "items",
    ({ task }) => task,
    (stop) => stop(Fan, ({ item }) => item),
    { concurrency: FAN_CONCURRENCY },
  )
  .output(({ items }) => items);

const one = route("one", 1, Whole)
  .to("first", N1, ({ task }) => task)
  .output(({ first }) => first);

const other = route("other", 1, Whole)
  .to("second", N2, ({ task }) => task)
  .output(({ second }) => second);

const addOne = tool("add-one", { input: Whole, output: Whole, effect: "write", run: (input) => input + 1, undo: () => undefined });

function worker(target: typeof N1 | typeof N2 | typeof N3): AgentDefinition {
  const work = process.env["BENCH_WORK"] ?? "step";
  if (work === "lean") return agent(target, { handle: (input) => input + 1 });
  return agent(target, {
    state: { schema: Count, initial: { works: 0 } },
    tools: [addOne],
    handle: async (input, ctx) => {
      const output = work === "tool" ? await ctx.call(addOne, input) : await ctx.step("work", () => input + 1);
      ctx.setState({ works: ctx.state.works + 1 });
      return output;
    },
  });
}

const M1 = contract("M1", 1, { input: Whole, output: z.string() });
const M2 = contract("M2", 1, { input: z.string(), output: z.string() });
const M3 = contract("M3", 1, { input: z.string(), output: z.string() });

const thinking = route("thinking", 1, Whole)
  .to("first", M1, ({ task }) => task)
  .to("second", M2, ({ first }) => first)
  .to("third", M3, ({ second }) => second)
  .output(({ third }) => third);

const adder = model({ instructions: "Answer with the number plus one, and nothing else." });

const plain = [...[N1, N2, N3].map(worker), agent(Fan, { handle: (input) => input + 1 })];
const routes = isKeyed ? [one, other, three, fan] : [three, fan];

export default process.env["BENCH_WORK"] === "model"
  ? system("bench", {
      agents: [...plain, agent(M1, adder), agent(M2, adder), agent(M3, adder)],
      routes: [...routes, thinking],
      // Neither of the other sides streams.
      models: { default: openai({ model: "none", name: "bench", stream: false }) },
    })
  : system("bench", { agents: plain, routes });
