/**
 * @module Agents that remember: they learn, recall, derive, forget and promise nothing of others; a model with a conversation window that
 * becomes summaries; and a source whose documents change and vanish meanwhile.
 *
 * Each fact has a mark, so that it is known where it may stand when it is gone.
 */
import { z } from "zod";
import { type AgentDefinition, agent } from "../../agents/agent.ts";
import type { MemoryOptions } from "../../agents/memory.ts";
import { contract } from "../../agents/contract.ts";
import { model } from "../../agents/model/model.ts";
import { openai } from "../../agents/model/openai.ts";
import { type RouteBuilder, route, type RouteDefinition } from "../../agents/route.ts";
import { source } from "../../agents/source.ts";
import { type System, system } from "../../agents/system.ts";
import { tool } from "../../agents/tool.ts";
import { isFault } from "../../runtime/faults.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { outsideNow } from "../world/outside.ts";
import { Random, STREAM } from "../world/random.ts";
import { fetch, file, send } from "./trust-tools.ts";

const SYSTEMS = 96;
const STOPS_MAX = 6;
const TASKS_MAX = 4;
const STOP_MS = 40_000;
const CALLS_MAX = 5;
const OUTPUT_TOKENS_MAX = 160;
const WINDOW_TOKENS_MIN = 20;
const WINDOW_TOKENS_MAX = 120;
const EVERY_MS = 4_000;
const REMOVE_AGAIN_MS = 20_000;
const EXPIRY_PERIOD_MS = 60_000;
const VALID_MS_MIN = 2_000;
const VALID_MS_MAX = 60_000;
const DOES = [
  "learn",
  "learn",
  "learn-strange",
  "learn-for-a-while",
  "recall",
  "derive",
  "derive",
  "forget",
  "forget",
  "consult",
  "tell",
] as const;
/** How each route begins. */
const LEARNS = ["learn", "learn-strange", "learn-for-a-while"] as const;
const KEYS = ["name", "habit", "address"] as const;
const TENANT = "default";

const Job = z.object({ customer: z.string(), do: z.enum(DOES), key: z.enum(KEYS), ms: z.int() });
const Done = z.object({ count: z.int() });
const Question = z.object({ customer: z.string(), question: z.string() });

const Friend = contract("Friend", 1, { input: Job, output: Done, key: ({ customer }) => customer });
const Helper = contract("Helper", 1, { input: Question, output: z.object({ said: z.string() }), key: ({ customer }) => customer });

/** Says something that its author vouches for, with a mark of no origin. */
const learn = tool("learn", {
  effect: "read",
  untrusted: false,
  input: z.object({ key: z.string() }),
  output: z.object({ note: z.string() }),
  run: ({ key }) => ({ note: `${outsideNow().marks.make(undefined)} is the ${key}` }),
});

const handbook = source("handbook", {
  everyMs: EVERY_MS,
  list: () => outsideNow().documents.list(),
  read: (id) => outsideNow().documents.read(id),
});

/** The memory of both agents. */
function memoryOf(random: Random): MemoryOptions {
  return {
    facts: {
      scope: random.pick(["agent", "key", "principal"] as const),
      ...(random.chance(0.3) ? { promote: 'fact.key == "habit"' } : {}),
      onStale: random.pick(["list", "again"] as const),
    },
    sources: [handbook],
  };
}

function friend(random: Random): AgentDefinition {
  return agent(Friend, {
    memory: memoryOf(random),
    tools: [learn, fetch, file, send],
    handle: async ({ do: what, key, ms, customer }, ctx) => {
      const { memory } = ctx;
      switch (what) {
        case "learn":
        case "learn-for-a-while": {
          const { note } = await ctx.call(learn, { key });
          await memory.remember({ key, value: { note }, ...(what === "learn" ? {} : { validMs: ms }) });
          return { count: 1 };
        }
        case "learn-strange": {
          const { note } = await ctx.call(fetch, { order: customer });
          await memory.remember({ key, value: { note } });
          return { count: 1 };
        }
        case "recall":
          return { count: (await memory.recall({})).length };
        case "consult":
          return { count: (await memory.recall({ text: "send" })).length };
        case "derive": {
          const [found] = await memory.recall({ limit: 2 });
          if (found === undefined) return { count: 0 };
          await memory.remember({ value: { about: found.value } });
          return { count: 1 };
        }
        case "forget": {
          const [found] = await memory.recall({ limit: 1 });
          if (found !== undefined) await memory.forget(found.id);
          return { count: 0 };
        }
        case "tell": {
          const [found] = await memory.recall({ key }).catch((error: unknown) => {
            if (isFault(error) && error.code === "memory.untrusted") return [];
            throw error;
          });
          if (found === undefined) return { count: 0 };
          await ctx.call(file, { text: JSON.stringify(found.value) });
          return { count: 1 };
        }
        default:
          return what satisfies never;
      }
    },
  });
}

function helper(random: Random): AgentDefinition {
  return agent(
    Helper,
    model({
      ...{ callsMax: CALLS_MAX, outputTokensMax: OUTPUT_TOKENS_MAX, model: "fast", instructions: "Help the customer." },
      tools: [fetch, file, send],
      memory: { ...memoryOf(random), conversation: { tokensMax: random.int(WINDOW_TOKENS_MIN, WINDOW_TOKENS_MAX) } },
    }),
  );
}

const Task = z.object({ customer: z.string(), question: z.string(), ms: z.int() });
type Task = z.infer<typeof Task>;
type Builder = RouteBuilder<string, Task, { readonly task: Task }>;

function systemOf(random: Random): System {
  let builder = route("care", 1, Task, { timeoutMs: STOP_MS }) as unknown as Builder;
  const count = random.int(3, STOPS_MAX);
  for (let index = 0; index < count; index += 1) {
    const name = `s${index}`;
    const options = { optional: true, retry: { attemptsMax: 2 } };
    if (index > 0 && random.chance(0.4)) {
      builder = builder.to(
        name,
        Helper,
        ({ task }) => ({ customer: task.customer, question: task.question }),
        options,
      ) as unknown as Builder;
      continue;
    }
    const [what, key] = [random.pick(index === 0 ? LEARNS : DOES), random.pick(KEYS)];
    builder = builder.to(
      name,
      Friend,
      ({ task }) => ({ customer: task.customer, do: what, key, ms: task.ms }),
      options,
    ) as unknown as Builder;
  }
  const care = builder.output(({ task }) => task.customer) as RouteDefinition<string, Task, string>;
  return system("knowledge", { agents: [friend(random), helper(random)], routes: [care], models: { fast: openai({ model: "fast" }) } });
}

const systems = new Map<number, System>();

function systemAt(seed: number): System {
  const number = seed % SYSTEMS;
  const known = systems.get(number) ?? systemOf(new Random(number, STREAM.system + 19));
  systems.set(number, known);
  return known;
}

const PRINCIPALS: readonly Principal[] = ["ann", "bob"].map((subject) => ({ subject, tenant: TENANT, permissions: ["send"] }));

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => ({
    id: `t${index + 1}`,
    route: "care",
    input: {
      customer: `c${random.int(0, 1)}`,
      question: random.pick(["what is the habit", "send it", "who is it"]),
      ms: random.int(VALID_MS_MIN, VALID_MS_MAX),
    },
    principal: random.pick(PRINCIPALS),
    timeoutMs: random.int(60, 200) * 1_000,
    atMs: random.int(0, 20_000),
    cancelAtMs: random.chance(0.08) ? random.int(0, 20_000) : undefined,
  }));
}

/** Memory and sources under all faults, with models that obey all that they read. */
export const knowledge: Scenario = {
  name: "knowledge",
  system: systemAt,
  tasks: tasksOf,
  strict: true,
  people: "honest",
  documents: true,
  // The first is above the time for which a write can be late. A reminder that finds no host rings again after the second.
  limits: { memoryRemoveAgainMs: REMOVE_AGAIN_MS, memoryExpiryPeriodMs: EXPIRY_PERIOD_MS },
  rates: (_seed, rates) => ({ ...rates, modelObeys: 1, modelLoops: 0 }),
};
