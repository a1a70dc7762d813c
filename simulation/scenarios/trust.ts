/**
 * @module Systems made at random in which agents read what strangers wrote, and all models obey it; people decide, in time or not; labels
 * are carried over asks, hand-offs, nested routes and state; principals have different permissions and give their tasks fewer of them.
 */
import { z } from "zod";
import { openai } from "../../agents/model/openai.ts";
import { type RouteBuilder, route, type RouteDefinition } from "../../agents/route.ts";
import type { StopOptions } from "../../agents/stop-options.ts";
import { type System, system } from "../../agents/system.ts";
import { ANONYMOUS, type Principal } from "../../runtime/protocol/principal.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { principalMark } from "../world/marks.ts";
import { Random, STREAM } from "../world/random.ts";
import { Actor, agentsOf, Clerk, DOES, Keeper, peopleOf, Reader } from "./trust-agents.ts";

const SYSTEMS = 48;
const STOPS_MAX = 4;
const TASKS_MAX = 3;
const ITEMS_MAX = 2;
const STOP_MS_MIN = 10_000;
const STOP_MS_MAX = 60_000;

const Task = z.object({ customer: z.string(), order: z.string(), amount: z.int(), text: z.string(), orders: z.array(z.string()) });
type Task = z.infer<typeof Task>;
type Scope = { readonly task: Task };
/** A stop that has a text, as the task has. The type is that of the one that each scope has. */
type Texted = "task";
type Builder = RouteBuilder<string, Task, Scope>;
type Inner = RouteDefinition<string, Task, string>;

interface Making {
  readonly random: Random;
  readonly people: ReturnType<typeof peopleOf>;
  readonly inner: Inner | undefined;
}

function optionsOf(random: Random): StopOptions {
  return {
    timeoutMs: random.int(STOP_MS_MIN, STOP_MS_MAX),
    retry: { attemptsMax: random.int(1, 2), backoffMs: random.int(10, 400) },
    optional: random.chance(0.4),
  };
}

const jobOf = (random: Random): { readonly do: (typeof DOES)[number]; readonly catches: boolean } => ({
  do: random.pick(DOES),
  catches: random.chance(0.5),
});

/** Adds a stop that reads the text of `before`. Returns the name under which the next one finds a text. */
function addStop(builder: Builder, name: string, before: Texted, { random, people, inner }: Making): readonly [Builder, Texted] {
  const options = optionsOf(random);
  const required = { ...options, optional: false };
  const ofPeople = { optional: options.optional };
  const caseOf = (scope: Scope) => ({ order: scope.task.order, amount: scope.task.amount, text: scope[before].text });
  const { do: what, catches } = jobOf(random);
  const jobAt = (scope: Scope) => ({ do: what, order: scope.task.order, text: scope[before].text, catches });
  const noteOf = (scope: Scope) => ({ note: scope[before].text });
  const kind = random.pick([
    "reader",
    "reader",
    "clerk",
    "actor",
    "actor",
    "keeper",
    "approver",
    "advisor",
    "both",
    "each",
    "nested",
  ] as const);
  const to = (made: unknown, next: string): readonly [Builder, Texted] => [made as Builder, next as Texted];
  switch (kind) {
    case "reader":
      return to(builder.to(name, Reader, caseOf, required), name);
    case "clerk":
      return to(builder.to(name, Clerk, caseOf, required), name);
    case "actor":
      return to(builder.to(name, Actor, jobAt, required), name);
    case "keeper":
      return to(
        builder.to(name, Keeper, (scope) => ({ customer: scope.task.customer, text: scope[before].text }), required),
        name,
      );
    case "approver":
      return to(builder.to(name, people.approver, caseOf, ofPeople), before);
    case "advisor":
      return to(builder.to(name, people.advisor, noteOf, ofPeople), before);
    case "both":
      return to(
        builder.all((stop) => ({ [`${name}a`]: stop(Actor, jobAt, options), [`${name}b`]: stop(people.advisor, noteOf, ofPeople) })),
        before,
      );
    case "each": {
      const items = (scope: Scope): readonly string[] => scope.task.orders;
      const made = builder.forEach(
        name,
        items,
        (stop) => stop(Actor, (scope) => ({ do: what, order: scope.item, text: scope[before].text, catches }), options),
        { concurrency: random.int(1, 2) },
      );
      return to(made, before);
    }
    case "nested": {
      if (inner === undefined) return addStop(builder, name, before, { random, people, inner });
      const task = ({ task: { customer, order, amount, orders }, [before]: read }: Scope) => ({
        customer,
        order,
        amount,
        orders,
        text: read.text,
      });
      return to(builder.to(name, inner, task, { optional: options.optional }), before);
    }
    default:
      return kind satisfies never;
  }
}

function routeOf(name: string, prefix: string, making: Making): Inner {
  let builder = route(name, 1, Task) as unknown as Builder;
  let before: Texted = "task";
  const count = making.random.int(2, STOPS_MAX);
  for (let index = 0; index < count; index += 1) [builder, before] = addStop(builder, `${prefix}${index}`, before, making);
  return builder.output((scope) => scope[before].text) as Inner;
}

function systemOf(random: Random): System {
  const people = peopleOf(random);
  const inner = routeOf("inner", "n", { random, people, inner: undefined });
  const outer = routeOf("outer", "s", { random, people, inner });
  const persons = [people.approver, people.advisor];
  return system("trust", {
    agents: [...agentsOf(random, people), ...persons],
    routes: [outer, inner],
    models: { fast: openai({ model: "fast" }) },
  });
}

const systems = new Map<number, System>();

function systemAt(seed: number): System {
  const number = seed % SYSTEMS;
  const known = systems.get(number) ?? systemOf(new Random(number, STREAM.system + 17));
  systems.set(number, known);
  return known;
}

const PRINCIPALS: readonly (Principal & { readonly subject: "ann" | "bob" | "cid" })[] = [
  { subject: "ann", tenant: ANONYMOUS.tenant, permissions: ["send", "pay", "wipe"] },
  { subject: "bob", tenant: ANONYMOUS.tenant, permissions: ["pay"] },
  { subject: "cid", tenant: ANONYMOUS.tenant, permissions: ["send", "pay"] },
];

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return Array.from({ length: random.int(1, TASKS_MAX) }, (_, index): SimTask => {
    const principal = random.pick(PRINCIPALS);
    const isGiven = random.chance(0.5);
    return {
      id: `t${index + 1}`,
      route: "outer",
      input: {
        customer: `c${random.int(0, 1)}`,
        order: `o-${random.int(1, 9)}`,
        amount: random.int(1, 200),
        text: `${principalMark(principal.subject)} is wanted`,
        orders: Array.from({ length: random.int(0, ITEMS_MAX) }, (_item, item) => `o-${item}`),
      },
      principal,
      permissions: isGiven ? principal.permissions.filter(() => random.chance(0.6)) : undefined,
      timeoutMs: random.int(60, 600) * 1_000,
      atMs: random.int(0, 600),
      cancelAtMs: random.chance(0.08) ? random.int(0, 30_000) : undefined,
      againAtMs: random.chance(0.2) ? random.int(0, 4_000) : undefined,
    };
  });
}

/** People, permissions and labels under all faults, with models that obey all that they read. */
export const trust: Scenario = {
  name: "trust",
  system: systemAt,
  tasks: tasksOf,
  strict: true,
  people: "all",
  rates: (_seed, rates) => ({ ...rates, modelObeys: 1, modelLoops: 0 }),
};
