/**
 * @module A `forEach` of some dozens of items, which leave the state of their process in small parts. The agent that takes the list
 * checks it. Items may be skipped, fail, or be refused; people decide on dead letters, so that items are pinned.
 */
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { contract } from "../../agents/contract.ts";
import { route } from "../../agents/route.ts";
import { type System, system } from "../../agents/system.ts";
import { Fault } from "../../runtime/faults.ts";
import type { SimTask } from "../people/client.ts";
import type { Scenario } from "../run.ts";
import { outsideNow } from "../world/outside.ts";
import { Random, STREAM } from "../world/random.ts";
import { effectTool } from "./party.ts";

const ITEMS_MIN = 4;
const ITEMS_MAX = 30;
const STOP_MS = 8_000;
const SYSTEMS = 6;
const CONCURRENCY_MAX = 6;
const REFUSED_SHARE = 0.5;
const DOES = ["plain", "plain", "plain", "plain", "ask", "skip", "refuse"] as const;

const Item = z.object({ n: z.int(), do: z.enum(DOES) });
const Task = z.object({ items: z.array(Item), refuses: z.boolean() });
const Leaf = contract("Leaf", 1, { input: z.object({ n: z.int() }), output: z.object({ n: z.int() }) });
const Page = contract("Page", 1, { input: Item, output: z.object({ n: z.int() }) });
const Book = contract("Book", 1, {
  input: z.object({ items: z.array(Item), pages: z.array(z.object({ n: z.int() }).nullable()), refuses: z.boolean() }),
  output: z.int(),
});

const leafed = effectTool("leafed");
const leaf = agent(Leaf, {
  tools: [leafed],
  handle: async ({ n }, ctx) => {
    await ctx.call(leafed, { about: `${ctx.processId}/leaf/${n}` });
    return { n };
  },
});

const paged = effectTool("paged");

/** `isOptional`: an item may fail, and is null then. Otherwise no item refuses. */
function fanSystem(isOptional: boolean, concurrency: number): System {
  const page = agent(Page, {
    tools: [paged],
    asks: [Leaf],
    handle: async ({ n, do: what }, ctx) => {
      await ctx.call(paged, { about: `${ctx.processId}/page/${n}` });
      if (what === "ask") await ctx.ask(Leaf, { n });
      if (what === "refuse" && isOptional) throw new Fault("agent.refused", "told to refuse");
      return { n };
    },
  });
  const book = agent(Book, {
    handle: ({ items, pages, refuses }) => {
      const isRight = ({ n, do: what }: z.infer<typeof Item>, index: number): boolean => {
        const output = pages[index] ?? null;
        if (output === null) return what === "skip" || isOptional;
        return what !== "skip" && output.n === n;
      };
      if (items.length !== pages.length || !items.every(isRight))
        outsideNow().complain("a forEach gives each item's output in its place", JSON.stringify(pages));
      if (refuses) throw new Fault("agent.refused", "told to refuse");
      return pages.length;
    },
  });
  const pages = route("pages", 1, Task)
    .forEach(
      "pages",
      ({ task }) => task.items,
      (stop) => stop(Page, ({ item }) => item, { timeoutMs: STOP_MS, optional: isOptional, when: 'item.do != "skip"' }),
      { concurrency },
    )
    .to("book", Book, ({ task, pages }) => ({ items: task.items, pages, refuses: task.refuses }), { timeoutMs: STOP_MS })
    .output(({ book }) => book);
  return system("fans", { agents: [leaf, page, book], routes: [pages] });
}

const systems: readonly System[] = Array.from({ length: SYSTEMS }, (_, number) =>
  fanSystem(number % 2 === 0, new Random(number, STREAM.system + 11).int(1, CONCURRENCY_MAX)),
);

function systemOf(seed: number): System {
  const found = systems[seed % SYSTEMS];
  if (found === undefined) throw new Error("invariant: a system of the list");
  return found;
}

function tasksOf(seed: number): readonly SimTask[] {
  const random = new Random(seed, STREAM.system + 1);
  const items = Array.from({ length: random.int(ITEMS_MIN, ITEMS_MAX) }, (_item, n) => ({ n, do: random.pick(DOES) }));
  return [
    {
      id: "t1",
      route: "pages",
      input: { items, refuses: random.chance(REFUSED_SHARE) },
      timeoutMs: random.int(20, 120) * 1_000,
      atMs: random.int(0, 600),
      cancelAtMs: random.chance(0.2) ? random.int(0, 6_000) : undefined,
    },
  ];
}

const SNAPSHOT_BYTES = 4_096;
/** So that parts are values of their own. */
const INLINE_BYTES = 256;

/** Many items, small parts, small turns. */
export const fans: Scenario = {
  name: "fans",
  system: systemOf,
  tasks: tasksOf,
  strict: true,
  decides: true,
  limits: {
    partItems: 3,
    partWorksMax: 4,
    valueInlineBytesMax: INLINE_BYTES,
    forEachItemsPerTurn: 5,
    undoPartsPerTurn: 2,
    undoGivenUpPerTurn: 4,
    snapshotBytesMin: SNAPSHOT_BYTES,
    snapshotRecordsToStateRatio: 1,
  },
};
