/** @module A first system: one agent writes a greeting, a second one checks it. */
import { agent, contract, Fault, route, system } from "troupe";
import { z } from "zod";

const Guest = z.strictObject({ name: z.string() });
const Greeting = z.strictObject({ text: z.string() });

const Writer = contract("Writer", 1, { input: Guest, output: Greeting });
const Checker = contract("Checker", 1, { input: Greeting, output: Greeting });

const writer = agent(Writer, { handle: ({ name }) => ({ text: `Good day, ${name}!` }) });
const checker = agent(Checker, {
  handle: ({ text }) => {
    if (text.length > 40) throw new Fault("agent.refused", `"${text}" is too long for a card`);
    return { text };
  },
});

const greet = route("greet", 1, Guest)
  .to("draft", Writer, ({ task }) => task)
  .to("checked", Checker, ({ draft }) => draft)
  .output(({ checked }) => checked);

export default system("hello", { agents: [writer, checker], routes: [greet] });
