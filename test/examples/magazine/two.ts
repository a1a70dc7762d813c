/** @module The app that hosts the painter, who asks the writer of the other app. */
import { agent, system } from "troupe";
import { Painter, Writer } from "./contracts.ts";

const painter = agent(Painter, {
  asks: [Writer],
  handle: async ({ text }, ctx) => ({ text: `${(await ctx.ask(Writer, { text: "a caption" })).text}; ${text}, painted` }),
});

export default system("magazine", { agents: [painter], routes: [], remote: [Writer] });
