/** @module The system of the benchmark: three agents in a row, each returns its input plus one and does nothing else. */
import { z } from "zod";
import { agent, contract, route, system } from "../agents/index.ts";

const Whole = z.int();

const N1 = contract("N1", 1, { input: Whole, output: Whole });
const N2 = contract("N2", 1, { input: Whole, output: Whole });
const N3 = contract("N3", 1, { input: Whole, output: Whole });

const three = route("three", 1, Whole)
  .to("first", N1, ({ task }) => task)
  .to("second", N2, ({ first }) => first)
  .to("third", N3, ({ second }) => second)
  .output(({ third }) => third);

export default system("bench", {
  agents: [N1, N2, N3].map((target) => agent(target, { handle: (input) => input + 1 })),
  routes: [three],
});
