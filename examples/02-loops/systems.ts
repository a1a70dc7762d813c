/** @module Three systems with a cycle: one that must not start, and two whose cycles are stopped at run time. */
import { agent, contract, isFault, route, system, type System } from "troupe";
import { z } from "zod";

const Text = z.object({ text: z.string() });

/** Two agents that hand off to each other without a bound. Throws `cycle.unbounded` with the cycle. */
export function unbounded(): System {
  const Sales = contract("Sales", 1, { input: Text, output: Text });
  const Support = contract("Support", 1, { input: Text, output: Text });
  return system("unbounded", {
    agents: [
      agent(Sales, { handsOffTo: [Support], handle: (input, ctx) => ctx.handOff(Support, input) }),
      agent(Support, { handsOffTo: [Sales], handle: (input, ctx) => ctx.handOff(Sales, input) }),
    ],
    routes: [
      route("call", 1, Text)
        .to("answer", Sales, ({ task }) => task)
        .output(({ answer }) => answer),
    ],
  });
}

/** The same cycle with a bound. It may start; a task that goes round without a change ends in a dead letter. */
export function handOffRing(): System {
  const Sales = contract("Sales", 1, { input: Text, output: Text });
  const Support = contract("Support", 1, { input: Text, output: Text });
  return system("hand-off-ring", {
    agents: [
      agent(Sales, { handsOffTo: [Support], visitsMax: 10, handle: (input, ctx) => ctx.handOff(Support, input) }),
      agent(Support, { handsOffTo: [Sales], handle: (input, ctx) => ctx.handOff(Sales, input) }),
    ],
    routes: [
      route("call", 1, Text)
        .to("answer", Sales, ({ task }) => task)
        .output(({ answer }) => answer),
    ],
  });
}

/** Two agents that ask each other. The second ask would wait forever, so it is rejected, and the handler receives the fault. */
export function askRing(): System {
  const Chicken = contract("Chicken", 1, { input: Text, output: Text });
  const Egg = contract("Egg", 1, { input: Text, output: Text });
  return system("ask-ring", {
    agents: [
      agent(Chicken, { asks: [Egg], visitsMax: 10, handle: (_input, ctx) => ctx.ask(Egg, { text: "were you first?" }) }),
      agent(Egg, {
        asks: [Chicken],
        handle: async (_input, ctx) => {
          try {
            return await ctx.ask(Chicken, { text: "no, were you?" });
          } catch (error) {
            if (!isFault(error)) throw error;
            return { text: `Egg received ${error.code}: ${error.message}` };
          }
        },
      }),
    ],
    routes: [
      route("riddle", 1, Text)
        .to("answer", Chicken, ({ task }) => task)
        .output(({ answer }) => answer),
    ],
  });
}
