/**
 * @module The agents and people of the scenario `trust`: readers of strange texts, actors, an agent that remembers in its state, and
 * people.
 */
import { z } from "zod";
import { type AgentDefinition, agent } from "../../agents/agent.ts";
import type { BaseContext } from "../../agents/context.ts";
import { contract } from "../../agents/contract.ts";
import { model } from "../../agents/model/model.ts";
import { person } from "../../agents/person.ts";
import { isFault } from "../../runtime/faults.ts";
import type { Random } from "../world/random.ts";
import { COUNT, countOn, uncountOn } from "./counting.ts";
import { fetch, file, pay, payBy, post, rate, send, terms, wipe } from "./trust-tools.ts";

const CALLS_MAX = 6;
const OUTPUT_TOKENS_MAX = 160;
const VISITS_MAX = 2;
const SMALL_EUROS = 40;
const LARGE_EUROS = 400;
const MINUTE_MS = 60_000;

/** What plain agents are told to do. */
export const DOES = [
  "pay",
  "pay-much",
  "send",
  "post",
  "fetch",
  "fetch-send",
  "fetch-file",
  "ask",
  "advice",
  "wipe",
  "terms-file",
] as const;

const Case = z.object({ order: z.string(), amount: z.int(), text: z.string() });
const Said = z.object({ text: z.string() });
const Question = z.object({ question: z.string() });
const Note = z.object({ note: z.string() });
const Job = z.object({ do: z.enum(DOES), order: z.string(), text: z.string(), catches: z.boolean() });
const Entry = z.object({ customer: z.string(), text: z.string() });

export const Reader = contract("Reader", 1, { input: Case, output: Said });
export const Clerk = contract("Clerk", 1, { input: Case, output: Said });
const Expert = contract("Expert", 1, { input: Question, output: Note });
export const Actor = contract("Actor", 1, { input: Job, output: Said });
export const Keeper = contract("Keeper", 1, {
  input: Entry,
  output: z.object({ text: z.string(), counted: z.int() }),
  key: ({ customer }) => customer,
});

/** People, with times from the random source. */
export function peopleOf(random: Random) {
  const deadlineMs = random.pick([20_000, MINUTE_MS, 4 * MINUTE_MS]);
  const more = {
    deadlineMs,
    ...(deadlineMs > MINUTE_MS && random.chance(0.7) ? { remindMs: MINUTE_MS } : {}),
    ...(random.chance(0.6) ? { escalate: [{ afterMs: Math.ceil(deadlineMs / 3), roles: ["boss"] }] } : {}),
  };
  return {
    approver: person("Approver", { input: Case, roles: ["manager"], onExpiry: random.pick(["deny", "fail"] as const), ...more }),
    advisor: person("Advisor", {
      input: Note,
      output: Note,
      roles: random.chance(0.5) ? ["expert", "manager"] : [],
      onExpiry: random.pick(["deny", "fail", { answer: { note: "no one answered" } }] as const),
      ...more,
    }),
  };
}
type People = ReturnType<typeof peopleOf>;
type Acting = BaseContext<
  typeof Expert | People["advisor"],
  never,
  typeof fetch | typeof pay | typeof send | typeof file | typeof post | typeof wipe | typeof terms
>;

/** What an agent does for its job. Returns what it has read. */
async function act({ do: what, order, text }: z.infer<typeof Job>, advisor: People["advisor"], ctx: Acting): Promise<string> {
  switch (what) {
    case "pay":
    case "pay-much":
      await ctx.call(pay, { order, amount: what === "pay" ? SMALL_EUROS : LARGE_EUROS });
      return text;
    case "send":
      await ctx.call(send, { to: order, text });
      return text;
    case "post":
      await ctx.call(post, { text, open: order.length % 2 === 0 });
      return text;
    case "fetch":
      return (await ctx.call(fetch, { order })).note;
    case "fetch-send": {
      const { note } = await ctx.call(fetch, { order });
      await ctx.call(send, { to: order, text: note });
      return note;
    }
    case "fetch-file": {
      const { note } = await ctx.call(fetch, { order });
      await ctx.call(file, { text: note });
      return "filed";
    }
    case "ask":
      return (await ctx.ask(Expert, { question: text })).note;
    case "advice":
      return (await ctx.ask(advisor, { note: text })).note;
    case "wipe":
      await ctx.call(wipe, { text });
      return text;
    case "terms-file": {
      const { note } = await ctx.call(terms, { order });
      await ctx.call(file, { text: note });
      return note;
    }
    default:
      return what satisfies never;
  }
}

/** The agents of a system. */
export function agentsOf(random: Random, { approver, advisor }: People): readonly AgentDefinition[] {
  const settings = { callsMax: CALLS_MAX, outputTokensMax: OUTPUT_TOKENS_MAX, model: "fast" } as const;
  const permissions = random.chance(0.5) ? ["send", "pay", "wipe"] : undefined;
  const payment = payBy(random.chance(0.7) ? approver : undefined);
  const reader = agent(
    Reader,
    model({ ...settings, instructions: "Read the case.", tools: [fetch, rate, file, terms], asks: [Expert, advisor], handsOffTo: [Clerk] }),
  );
  const clerk = agent(
    Clerk,
    model({
      ...{ ...settings, instructions: "Settle the case.", permissions, asks: [Expert] },
      ...{ tools: [payment, send, post, file, wipe, fetch], visitsMax: VISITS_MAX },
    }),
  );
  const expert = agent(Expert, {
    tools: [fetch],
    handle: async ({ question }, ctx) => {
      const { note } = await ctx.call(fetch, { order: question });
      return { note: `${note} as to ${question}` };
    },
  });
  const actor = agent(Actor, {
    tools: [fetch, pay, send, file, post, wipe, terms],
    asks: [Expert, advisor],
    permissions,
    handle: async (job, ctx) => {
      try {
        return { text: await act(job, advisor, ctx) };
      } catch (error) {
        if (!job.catches || !isFault(error) || (error.code !== "person.denied" && error.code !== "tool.forbidden")) throw error;
        await ctx.call(file, { text: `${job.do} was refused` });
        return { text: error.code };
      }
    },
  });
  const keeper = agent(Keeper, {
    state: { schema: z.object({ ...COUNT, text: z.string() }), initial: { count: 0, text: "" } },
    handle: ({ text }, ctx) => {
      const before = ctx.state.text;
      const counted = countOn(ctx);
      ctx.setState({ ...ctx.state, text });
      return { text: before, counted };
    },
    undo: (_input, output, ctx) => {
      if (output !== undefined) uncountOn(ctx);
    },
  });
  return [reader, clerk, expert, actor, keeper];
}
