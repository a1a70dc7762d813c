/**
 * @module The scenario on Restate: a process that calls three agents one after the other, each a virtual object.
 *
 * Plain JavaScript: this folder is a package of its own, and the root's type check must not need it to be installed.
 * `Three` and the agents do what /work's earlier measurements did (docs/bench.md): each agent reads and writes its
 * state and journals one step. `Lean` leaves the state and the step out.
 */
import { createServer } from "node:http2";
import { createEndpointHandler, object } from "@restatedev/restate-sdk";

function agent(name) {
  return object({
    name,
    handlers: {
      work: async (ctx, input) => {
        const count = (await ctx.get("count")) ?? 0;
        const output = await ctx.run("work", () => input + 1);
        ctx.set("count", count + 1);
        return output;
      },
      lean: async (_ctx, input) => input + 1,
    },
  });
}

const agents = [agent("N1"), agent("N2"), agent("N3")];

/** Calls the handler of every agent in turn, under the key of the process. */
async function three(ctx, input, handler) {
  let value = input;
  for (const target of agents) value = await ctx.objectClient(target, ctx.key)[handler](value);
  return value;
}

const processes = object({
  name: "Three",
  handlers: {
    run: (ctx, input) => three(ctx, input, "work"),
    lean: (ctx, input) => three(ctx, input, "lean"),
  },
});

const port = Number(process.env.PORT);
const server = createServer(createEndpointHandler({ services: [processes, ...agents] }));
server.listen(port, "127.0.0.1", () => console.log(`listening on ${port}`));
