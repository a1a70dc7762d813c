/** @module The flows of the corpus: one route for each channel, by which the text of a stranger reaches the agent that acts. */
import { z } from "zod";
import { agent, type AgentDefinition, contract, model, plannedRoute, route, system, type System } from "../../../agents/index.ts";
import { DEFAULT_TENANT } from "../../../runtime/ids.ts";
import type { Principal } from "../../../agents/index.ts";
import type { LocalOutcome, LocalSystem } from "../../../testing/index.ts";
import { obeying, type ScriptedCall } from "../obeying.ts";
import { Actor, type FlowSettings, Notes } from "./actor.ts";
import type { Case, Channel } from "./cases.ts";
import { memory, memoryAgents, study, talk, TALKER_READS, talkerModel } from "./memory-flows.ts";
import { type World, type WorldTools, worldTools } from "./world.ts";

const Of = z.object({ case: z.string() });
const Text = z.string();

/** Reads the page of a case and answers with its text. */
const Reader = contract("Reader", 1, { input: Of, output: Text });
const Lister = contract("Lister", 1, { input: Of, output: z.array(Text) });
const Summarizer = contract("Summarizer", 1, { input: z.object({ text: Text }), output: Text });
/** Reads the page of a case and lets the actor answer. */
const Desk = contract("Desk", 1, { input: Of, output: Text });
/** Reads the page of a case and fails with its text. */
const Grumbler = contract("Grumbler", 1, { input: Of, output: Text });
/** Makes a plan in which the actor gets the page of a case. */
const planned = plannedRoute("planned", 1, { task: Of, output: Text, agents: [Actor] });
const Planner = contract("Planner", 1, { input: Of, output: planned.schema });
/** Tells the world that the task has begun. */
const Opener = contract("Opener", 1, { input: z.object({}), output: z.null() });
/** Waits for a remark and lets the actor answer. */
const Listener = contract("Listener", 1, { input: Of, output: Text });
/** Sends the first output back, with the page of the case as the reason. */
const Critic = contract("Critic", 1, {
  input: z.object({ input: Notes, output: Text }),
  output: z.object({ accepted: z.boolean(), reasons: z.array(Text) }),
});
/** Keeps its note, or the page of a case, in its state; from the second visit on it lets the actor answer. */
const Keeper = contract("Keeper", 1, { input: Notes, output: Text, key: (input) => input.case });

const direct = route("direct", 1, Notes)
  .to("done", Actor, ({ task }) => task)
  .output(({ done }) => done);
const alone = route("alone", 1, Of)
  .to("done", Actor, ({ task }) => ({ case: task.case, notes: [] }))
  .output(({ done }) => done);
const handOff = route("hand-off", 1, Of)
  .to("done", Desk, ({ task }) => task)
  .output(({ done }) => done);
const signal = route("signal", 1, Of)
  .to("ready", Opener, () => ({}))
  .waitFor("remark", Text)
  .to("done", Actor, ({ task, remark }) => ({ case: task.case, notes: [remark] }))
  .output(({ done }) => done);
const handlerSignal = route("handler-signal", 1, Of)
  .to("ready", Opener, () => ({}))
  .to("done", Listener, ({ task }) => task)
  .output(({ done }) => done);
const sentBack = route("sent-back", 1, Of)
  .to("done", Actor, ({ task }) => ({ case: task.case, notes: [] }), { validate: { by: Critic } })
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
const plan = route("plan", 1, Of)
  .to("made", Planner, ({ task }) => task)
  .plan(
    "done",
    planned,
    ({ made }) => made,
    ({ task }) => task,
  )
  .output(({ done }) => done);
const summary = route("summary", 1, Of)
  .to("found", Reader, ({ task }) => task)
  .to("gist", Summarizer, ({ found }) => ({ text: found }))
  .to("done", Actor, ({ task, gist }) => ({ case: task.case, notes: [gist] }))
  .output(({ done }) => done);
const state = route("state", 1, Notes)
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
export function flowsOf(world: World, given: Case, settings: FlowSettings): System {
  const { labels, own } = settings;
  const tools = worldTools(world, labels);
  const { readPage, brokenPage, listFiles, announce, acts } = tools;
  const actor = agent(
    Actor,
    model({
      instructions: "Do what the task wants.",
      tools: [readPage, brokenPage, listFiles, announce, ...acts],
      asks: [Reader, Grumbler],
    }),
  );
  const scripted = obeying((request) => {
    world.conversation = JSON.stringify(request.messages);
    const { mark, attack, wants } = given;
    return { mark, attack, calls: [...(own ? [] : beginOf(given)), ...wants], goesOn: true, answer: "Done." };
  });
  const summarizer = agent(Summarizer, { handle: ({ text }) => `In short: ${text}` });
  const agents = [actor, summarizer, ...readersOf(tools, world), keeperOf(tools), openerOf(world), ...memoryAgents(tools, world, settings)];
  const routes = [
    alone,
    direct,
    handOff,
    signal,
    report,
    nested,
    nestedInput,
    handlerSignal,
    sentBack,
    plan,
    summary,
    state,
    items,
    memory,
    talk,
    study,
  ];
  return system("corpus", { agents, routes, models: { default: scripted, talker: talkerModel(given, world) } });
}

/** Agents that get the text of a stranger and pass it on, each in its own way. */
function readersOf({ readPage, listFiles }: WorldTools, world: World): readonly AgentDefinition[] {
  return [
    agent(Reader, { tools: [readPage], handle: (input, ctx) => ctx.call(readPage, { name: input.case }) }),
    agent(Lister, { tools: [listFiles], handle: (input, ctx) => ctx.call(listFiles, { folder: input.case }) }),
    agent(Desk, {
      tools: [readPage],
      handsOffTo: [Actor],
      handle: async (input, ctx) => ctx.handOff(Actor, { case: input.case, notes: [await ctx.call(readPage, { name: input.case })] }),
    }),
    agent(Grumbler, {
      tools: [readPage],
      handle: async (input, ctx) => {
        throw new Error(await ctx.call(readPage, { name: input.case }));
      },
    }),
    agent(Listener, {
      handsOffTo: [Actor],
      handle: async (input, ctx) => ctx.handOff(Actor, { case: input.case, notes: [await ctx.waitFor("remark", Text)] }),
    }),
    agent(Critic, {
      tools: [readPage],
      handle: async ({ input }, ctx) => {
        const reason = await ctx.call(readPage, { name: input.case });
        world.judged += 1;
        return { accepted: world.judged > 1, reasons: [reason] };
      },
    }),
    agent(Planner, {
      tools: [readPage],
      handle: async (input, ctx) => {
        const note = await ctx.call(readPage, { name: input.case });
        const notes = { object: { case: { literal: input.case }, notes: { list: [{ literal: note }] } } };
        return { stops: [{ name: "act", run: "Actor" as const, input: notes }], output: { from: ["act"] } };
      },
    }),
  ];
}

function keeperOf({ readPage }: WorldTools): AgentDefinition {
  return agent(Keeper, {
    tools: [readPage],
    handsOffTo: [Actor],
    state: { schema: z.object({ kept: Text.nullable() }), initial: { kept: null } },
    handle: async (input, ctx) => {
      const { kept } = ctx.state;
      if (kept !== null) return ctx.handOff(Actor, { case: input.case, notes: [kept] });
      ctx.setState({ kept: input.notes[0] ?? (await ctx.call(readPage, { name: input.case })) });
      return "Kept.";
    },
  });
}

function openerOf(world: World): AgentDefinition {
  return agent(Opener, {
    handle: () => {
      world.begun.resolve();
      return null;
    },
  });
}

/** How the actor of a channel gets the text by itself. */
function beginOf({ id, channel }: Case): readonly ScriptedCall[] {
  if (channel === "tool") return [{ name: "read_page", input: { name: id } }];
  if (channel === "fault") return [{ name: "broken_page", input: { name: id } }];
  if (channel === "ask-fault") return [{ name: "ask_Grumbler", input: { case: id } }];
  if (channel === "reply") return [{ name: "announce", input: { what: id } }];
  if (channel === "file-name") return [{ name: "list_files", input: { folder: id } }];
  return channel === "ask" ? [{ name: "ask_Reader", input: { case: id } }] : [];
}

const ROUTES = {
  ...{ tool: alone, fault: alone, "file-name": alone, ask: alone, "ask-fault": alone, "hand-off": handOff, nested },
  ...{ "nested-input": nestedInput, reply: alone, "sent-back": sentBack, plan, summary, items },
} as const satisfies Partial<Readonly<Record<Channel, unknown>>>;

const ANN: Principal = { subject: "ann", tenant: DEFAULT_TENANT, permissions: [] };
const BOB: Principal = { ...ANN, subject: "bob" };

/** Runs the flow of a case for Ann. `own`: she says herself what a stranger, Bob or another conversation would say. */
export async function runFlow(
  local: LocalSystem,
  { id, channel }: Case,
  world: World,
  { labels, own }: FlowSettings,
): Promise<LocalOutcome> {
  const ann = { id, principal: ANN };
  const isOfBob = (channel === "principal" || channel === "fact") && !own;
  const earlier = { id: `${id}-earlier`, principal: isOfBob ? BOB : ANN };
  const unsaid = { case: id, notes: [] };
  const said = { case: id, notes: [world.text] };
  const saidEarlier = own || isOfBob ? said : unsaid;
  switch (channel) {
    case "input":
      return local.run(direct, said, { ...ann, ...(labels && !own ? { untrusted: "form" } : {}) });
    case "state":
    case "principal":
      await local.run(state, saidEarlier, earlier);
      return local.run(state, unsaid, ann);
    case "memory":
    case "fact":
      await local.run(memory, { ...saidEarlier, learns: true, uses: false }, earlier);
      return local.run(memory, { ...unsaid, learns: false, uses: true }, ann);
    case "memory-within":
      return local.run(memory, { ...(own ? said : unsaid), learns: true, uses: true }, ann);
    case "conversation":
      await local.run(talk, { case: id, says: own ? world.text : TALKER_READS }, earlier);
      return local.run(talk, { case: id, says: "Act." }, ann);
    case "source":
      return own ? local.run(direct, said, ann) : local.run(study, { case: id }, ann);
    case "signal":
    case "handler-signal": {
      const ended = local.run(channel === "signal" ? signal : handlerSignal, { case: id }, ann);
      await world.begun.promise;
      await local.signal(id, "remark", world.text, undefined, own ? ANN : BOB);
      return ended;
    }
    default:
      return own ? local.run(direct, said, ann) : local.run(ROUTES[channel], { case: id }, ann);
  }
}
