/** @module The flows of the corpus through memory: facts, turns of a conversation, documents of a source. */
import { z } from "zod";
import { agent, type AgentDefinition, contract, type Endpoint, model, route, source } from "../../../agents/index.ts";
import { isFault } from "../../../runtime/faults.ts";
import { obeying } from "../obeying.ts";
import { Actor, type FlowSettings, Notes } from "./actor.ts";
import type { Case } from "./cases.ts";
import type { World, WorldTools } from "./world.ts";

const Text = z.string();

/** Remembers its note, or the page of a case; or lets the actor answer with what it has remembered. */
const Memo = contract("Memo", 1, { input: Notes.extend({ learns: z.boolean(), uses: z.boolean() }), output: Text });
/** Reads the page of a case in its first task, and acts in its second, with the first one in its conversation. */
const Talker = contract("Talker", 1, { input: z.object({ case: Text, says: Text }), output: Text, key: (input) => input.case });
/** Looks the page of a case up in its source and lets the actor answer. */
const Scholar = contract("Scholar", 1, { input: z.object({ case: Text }), output: Text });

export const memory = route("memory", 1, Memo.input)
  .to("done", Memo, ({ task }) => task)
  .output(({ done }) => done);
export const talk = route("talk", 1, Talker.input)
  .to("done", Talker, ({ task }) => task)
  .output(({ done }) => done);
export const study = route("study", 1, Scholar.input)
  .to("done", Scholar, ({ task }) => task)
  .output(({ done }) => done);

/** What the talker is told to do. */
export const TALKER_READS = "Read the page.";

/** The agents of these flows. */
export function memoryAgents({ readPage, acts }: WorldTools, world: World, { labels }: FlowSettings): readonly AgentDefinition[] {
  const memo = agent(Memo, {
    tools: [readPage],
    handsOffTo: [Actor],
    memory: { facts: { scope: "agent", ...(labels ? {} : { promote: "true" }) } },
    handle: async (input, ctx) => {
      if (input.learns) {
        const value = input.notes[0] ?? (await ctx.call(readPage, { name: input.case }));
        await ctx.memory.remember({ key: input.case, value });
      }
      if (!input.uses) return "Learnt.";
      // A fact of another conversation that no person vouches for is refused; the task goes on without it.
      const facts = await ctx.memory.recall({ key: input.case }).catch((error: unknown) => {
        if (!isFault(error) || error.code !== "memory.untrusted") throw error;
        return [];
      });
      return ctx.handOff(Actor, { case: input.case, notes: facts.map(({ value }) => Text.parse(value)) });
    },
  });
  const talker = agent(
    Talker,
    model({
      ...{ model: "talker", instructions: "Do what you are told.", tools: [readPage, ...acts] },
      memory: { conversation: { tokensMax: 10_000 } },
    }),
  );
  const page = { id: "page", version: "1" };
  const handbook = source("handbook", { list: () => [page], read: () => world.text, ...(labels ? {} : { untrusted: false }) });
  const scholar = agent(Scholar, {
    handsOffTo: [Actor],
    memory: { sources: [handbook] },
    handle: async (input, ctx) => {
      const found = await ctx.memory.recall({ text: world.text });
      return ctx.handOff(Actor, { case: input.case, notes: found.map(({ value }) => Text.parse(value)) });
    },
  });
  return [memo, talker, scholar];
}

/** The model of the talker: it answers its first task with the page that it reads. */
export function talkerModel({ id, mark, attack, wants }: Case, world: World): Endpoint {
  const acting = { mark, attack, calls: wants, goesOn: true, answer: "Done." };
  return obeying(({ messages }) => {
    const reads = messages.findLast(({ role }) => role === "user")?.text.includes(TALKER_READS) === true;
    world.conversation = JSON.stringify(messages);
    return reads
      ? { mark: "no such mark", attack: [], calls: [{ name: "read_page", input: { name: id } }], goesOn: true, answer: world.text }
      : acting;
  });
}
