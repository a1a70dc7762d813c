/**
 * @module Two agents that hand work to each other, as often as their bound allows, and a ring of asks.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import type { SimTask } from "../people/client.ts";
import { Random, STREAM } from "../world/random.ts";
import type { Scenario } from "../run.ts";
import type { World } from "../world/world.ts";
import { effectTool } from "./party.ts";

const VISITS_MAX = 2;
const Ball = z.object({ count: z.int(), last: z.int() });
const Ping = contract("Ping", 1, { input: Ball, output: z.object({ count: z.int() }) });
const Pong = contract("Pong", 1, { input: Ball, output: z.object({ count: z.int() }) });

function player(own: typeof Ping | typeof Pong, other: typeof Ping | typeof Pong): ReturnType<typeof agent> {
  const hit = effectTool(own.name);
  return agent(own, {
    tools: [hit],
    handsOffTo: [other],
    visitsMax: VISITS_MAX,
    handle: async (ball, ctx) => {
      await ctx.call(hit, { about: `${ctx.processId}/${own.name}/${ball.count}` });
      return ball.count >= ball.last ? { count: ball.count } : ctx.handOff(other, { count: ball.count + 1, last: ball.last });
    },
  });
}

const game = route("game", 1, Ball)
  .to("play", Ping, ({ task }) => task, { timeoutMs: 4_000 })
  .output(({ play }) => play);
const made: System = system("ring", { agents: [player(Ping, Pong), player(Pong, Ping)], routes: [game] });

/** No chain is longer than the bounds of its agents. */
function bounded(world: World): string | undefined {
  const counts = new Map<string, number>();
  for (const line of world.outside.ledger) {
    if (line.what !== "applied") continue;
    const key = `${line.processId} visited ${line.name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of counts) if (count > VISITS_MAX) return `${key} ${count} times; ${VISITS_MAX} are allowed`;
  return undefined;
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  return [{ id: "t1", route: "game", input: { count: 0, last: random.int(0, 8) }, timeoutMs: 60_000, atMs: 0 }];
}

/** Hand-offs in a bounded ring. */
export const ring: Scenario = { name: "ring", system: () => made, tasks: tasksOf, strict: true, invariant: bounded };
