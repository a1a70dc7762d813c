/**
 * @module The scenario on Restate: a process that calls three agents one after the other, each a virtual object.
 *
 * Plain JavaScript: this folder is a package of its own, and the root's type check must not need it to be installed.
 * Each agent reads and writes its state and journals one step; `lean` leaves both out. `model`: the agents are services, each with one
 * model call of the AI SDK, journaled by Restate's own middleware (docs/bench.md).
 */
import { createServer } from "node:http2";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createEndpointHandler, object, service } from "@restatedev/restate-sdk";
import { durableCalls } from "@restatedev/vercel-ai-middleware";
import { generateText, wrapLanguageModel } from "ai";

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

const provider = createOpenAICompatible({ name: "bench", baseURL: process.env.MODEL_URL ?? "http://127.0.0.1:9/v1", apiKey: "none" });

function modelAgent(name) {
  return service({
    name,
    handlers: {
      work: async (ctx, input) => {
        const model = wrapLanguageModel({ model: provider("none"), middleware: durableCalls(ctx, { maxRetryAttempts: 3 }) });
        const system = "Answer with the number plus one, and nothing else.";
        const { text } = await generateText({ model, instructions: system, prompt: String(input), maxRetries: 0 });
        return Number(text);
      },
    },
  });
}

const modelAgents = ["M1", "M2", "M3"].map(modelAgent);

const processes = object({
  name: "Three",
  handlers: {
    run: (ctx, input) => three(ctx, input, "work"),
    lean: (ctx, input) => three(ctx, input, "lean"),
    model: async (ctx, input) => {
      let value = input;
      for (const target of modelAgents) value = await ctx.serviceClient(target).work(value);
      return value;
    },
  },
});

const port = Number(process.env.PORT);
const server = createServer(createEndpointHandler({ services: [processes, ...agents, ...modelAgents] }));
server.listen(port, "127.0.0.1", () => console.log(`listening on ${port}`));
