/** @module Processes of two stops that fail at the second one, and a person who decides on their dead letters. */
import { expect } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import type { Caller, Page } from "../../actors/operations/operations.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { CALLER, World } from "./world-rig.ts";

const In = z.strictObject({ n: z.int() });
export const ADA: Caller = { principal: { subject: "ada", tenant: "default", permissions: [] } };

/** What the handlers do; tests change it while processes run. */
interface Behaviour {
  second: (n: number) => string | Promise<string>;
}

const First = contract("First", 1, { input: In, output: z.string() });
const Second = contract("Second", 1, { input: In, output: z.string() });

export function made(): {
  readonly world: World;
  readonly join: (name: string) => ReturnType<World["join"]>;
  readonly behaviour: Behaviour;
  readonly ran: string[];
} {
  const behaviour: Behaviour = {
    second: () => {
      throw new Fault("agent.refused", "not today");
    },
  };
  const ran: string[] = [];
  const world = new World();
  const note = <T>(name: string, run: () => T): T => {
    ran.push(name);
    return run();
  };
  const outer = route("outer", 1, In)
    .to("second", Second, ({ task }) => task)
    .output(({ second }) => second);
  const party = system("sys", {
    agents: [
      agent(First, { handle: ({ n }) => note(`first ${n}`, () => "one") }),
      agent(Second, { handle: ({ n }) => note(`second ${n}`, () => behaviour.second(n)) }),
    ],
    routes: [
      route("nesting", 1, In)
        .to("inner", outer, ({ task }) => task)
        .output(({ inner }) => inner),
      outer,
      route("main", 1, In)
        .to("first", First, ({ task }) => task)
        .to("second", Second, ({ task }) => task)
        .output(({ first, second }) => ({ first, second })),
      route("slow", 1, In)
        .to("second", Second, ({ task }) => task, { timeoutMs: LIMITS.stopTimeoutMsMax })
        .output(({ second }) => second),
    ],
  });
  return { world, join: (name) => world.join(party, name), behaviour, ran };
}

export async function settle(world: World): Promise<void> {
  await world.clock.advance(4 * LIMITS.askAgainMs);
}

/** A process that failed at its second stop. */
export async function failed(id = "p"): Promise<ReturnType<typeof made> & { readonly one: ReturnType<World["join"]> }> {
  const rig = made();
  const one = rig.join("one");
  await one.operations.submit({ id, route: "main", input: { n: 1 } }, CALLER, 0);
  expect(await rig.world.until(one, id)).toMatchObject({ status: "failed" });
  await settle(rig.world);
  expect(rig.world.reminders.size).toBe(0);
  return { ...rig, one };
}

export const ids = ({ entries }: Page): unknown[] => entries.map((entry) => (entry as { readonly id: string }).id);
