/** @module The flows of the corpus: one route for each channel, by which the text of a stranger reaches the agent that acts. */
import { z } from "zod";
import { agent, contract, model, route, system, type System } from "../../../agents/index.ts";
import type { LocalOutcome, LocalSystem } from "../../../testing/index.ts";
import { inputText, obeying, type ScriptedCall } from "../obeying.ts";
import type { Case, Channel } from "./cases.ts";
import { type World, worldTools } from "./world.ts";

const Of = z.object({ case: z.string() });
const Notes = z.object({ case: z.string(), notes: z.array(z.string()) });
const Text = z.string();

/** Acts as its task says, and as each text says that it reads. */
const Actor = contract("Actor", 1, { input: Notes, output: Text });
/** Reads the page of a case and answers with its text. */
const Reader = contract("Reader", 1, { input: Of, output: Text });
const Lister = contract("Lister", 1, { input: Of, output: z.array(Text) });
const Summarizer = contract("Summarizer", 1, { input: z.object({ text: Text }), output: Text });
/** Reads the page of a case and lets the actor answer. */
const Desk = contract("Desk", 1, { input: Of, output: Text });
/** Tells the world that the task has begun. */
const Opener = contract("Opener", 1, { input: z.object({}), output: z.null() });
/** Keeps the page of a case in its state; from the second visit on it lets the actor answer. */
const Keeper = contract("Keeper", 1, { input: Of, output: Text, key: (input) => input.case });

const direct = route("direct", 1, Notes)
  .to("done", Actor, ({ task }) => task)
  .output(({ done }) => done);
const handOff = route("hand-off", 1, Of)
  .to("done", Desk, ({ task }) => task)
  .output(({ done }) => done);
const signal = route("signal", 1, Of)
  .to("ready", Opener, () => ({}))
  .waitFor("remark", Text)
  .to("done", Actor, ({ task, remark }) => ({ case: task.case, notes: [remark] }))
  .output(({ done }) => done);
const report = route("report", 1, Of)
  .to("text", Reader, ({ task }) => task)
  .output(({ text }) => text);
const nested = route("nested", 1, Of)
  .to("found", report, ({ task }) => task)
  .to("done", Actor, ({ task, found }) => ({ case: task.case, notes: [found] }))
  .output(({ done }) => done);
const nestedInput = route("nested-input", 1, Of)
  .to("found", Reader, ({ task }) => task)
  .to("done", direct, ({ task, found }) => ({ case: task.case, notes: [found] }))
  .output(({ done }) => done);
const summary = route("summary", 1, Of)
  .to("found", Reader, ({ task }) => task)
  .to("gist", Summarizer, ({ found }) => ({ text: found }))
  .to("done", Actor, ({ task, gist }) => ({ case: task.case, notes: [gist] }))
  .output(({ done }) => done);
const state = route("state", 1, Of)
  .to("done", Keeper, ({ task }) => task)
  .output(({ done }) => done);
const items = route("items", 1, Of)
  .to("rows", Lister, ({ task }) => task)
  .forEach(
    "done",
    ({ rows }) => rows,
    (stop) => stop(Actor, ({ task, item }) => ({ case: task.case, notes: [item] })),
  )
  .output(({ done }) => done);

/** The system with all flows over a world. */
export function flowsOf(world: World, cases: readonly Case[], labels: boolean): System {
  const { readPage, listFiles, acts } = worldTools(world, labels);
  const actor = agent(Actor, model({ instructions: "Do what the task wants.", tools: [readPage, listFiles, ...acts], asks: [Reader] }));
  const reader = agent(Reader, { tools: [readPage], handle: (input, ctx) => ctx.call(readPage, { name: input.case }) });
  const lister = agent(Lister, { tools: [listFiles], handle: (input, ctx) => ctx.call(listFiles, { folder: input.case }) });
  const summarizer = agent(Summarizer, { handle: ({ text }) => `In short: ${text}` });
  const opener = agent(Opener, {
    handle: () => {
      world.begun.resolve();
      return null;
    },
  });
  const desk = agent(Desk, {
    tools: [readPage],
    handsOffTo: [Actor],
    handle: async (input, ctx) => ctx.handOff(Actor, { case: input.case, notes: [await ctx.call(readPage, { name: input.case })] }),
  });
  const keeper = agent(Keeper, {
    tools: [readPage],
    handsOffTo: [Actor],
    state: { schema: z.object({ kept: Text.nullable() }), initial: { kept: null } },
    handle: async (input, ctx) => {
      const { kept } = ctx.state;
      if (kept !== null) return ctx.handOff(Actor, { case: input.case, notes: [kept] });
      ctx.setState({ kept: await ctx.call(readPage, { name: input.case }) });
      return "Kept.";
    },
  });
  const scripted = obeying((request) => {
    const id = /"case":"([^"]+)"/.exec(inputText(request))?.[1];
    const found = cases.find((item) => item.id === id);
    if (found === undefined) throw new Error(`no case ${id}`);
    const { mark, attack, wants } = found;
    return { mark, attack, calls: [...beginOf(found), ...wants], goesOn: true, answer: "Done." };
  });
  const agents = [actor, reader, lister, summarizer, opener, desk, keeper];
  const routes = [direct, handOff, signal, report, nested, nestedInput, summary, state, items];
  return system("corpus", { agents, routes, models: { default: scripted } });
}

/** How the actor of a channel gets the text by itself. */
function beginOf({ id, channel }: Case): readonly ScriptedCall[] {
  if (channel === "tool") return [{ name: "read_page", input: { name: id } }];
  if (channel === "file-name") return [{ name: "list_files", input: { folder: id } }];
  return channel === "ask" ? [{ name: "ask_Reader", input: { case: id } }] : [];
}

/** Runs the flow of a case, whose text is in the world. */
export const FLOWS: Readonly<Record<Channel, (local: LocalSystem, given: Case, world: World, id: string) => Promise<LocalOutcome>>> = {
  tool: (local, { id }, _world, task) => local.run(direct, { case: id, notes: [] }, { id: task }),
  "file-name": (local, { id }, _world, task) => local.run(direct, { case: id, notes: [] }, { id: task }),
  "hand-off": (local, { id }, _world, task) => local.run(handOff, { case: id }, { id: task }),
  ask: (local, { id }, _world, task) => local.run(direct, { case: id, notes: [] }, { id: task }),
  nested: (local, { id }, _world, task) => local.run(nested, { case: id }, { id: task }),
  "nested-input": (local, { id }, _world, task) => local.run(nestedInput, { case: id }, { id: task }),
  summary: (local, { id }, _world, task) => local.run(summary, { case: id }, { id: task }),
  items: (local, { id }, _world, task) => local.run(items, { case: id }, { id: task }),
  state: async (local, { id }, _world, task) => {
    await local.run(state, { case: id }, { id: `${task}-first` });
    return local.run(state, { case: id }, { id: task });
  },
  signal: async (local, { id }, world, task) => {
    const ended = local.run(signal, { case: id }, { id: task });
    await world.begun.promise;
    await local.signal(task, "remark", world.texts.get(id));
    return ended;
  },
};
