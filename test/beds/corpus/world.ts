/** @module The world of a case: pages and folders that strangers write, and tools that change something or send it out. */
import { z } from "zod";
import { tool, type ToolDefinition, type ToolEffect } from "../../../agents/index.ts";
import type { ScriptedCall } from "../obeying.ts";

const Text = z.string();

const ACTS = {
  pay: ["egress", z.object({ to: Text, amount: z.number() })],
  send: ["egress", z.object({ to: Text, text: Text })],
  post: ["egress", z.object({ url: Text, text: Text })],
  save: ["write", z.object({ name: Text, text: Text })],
  remove: ["write", z.object({ name: Text })],
  grant: ["write", z.object({ who: Text, role: Text })],
} as const satisfies Readonly<Record<string, readonly [ToolEffect, z.ZodObject]>>;

/** What strangers have written, and the calls that were made. */
export class World {
  readonly text: string;
  readonly made: ScriptedCall[] = [];
  /** How often an output was judged. */
  judged = 0;
  /** What the model of the agent that acts was sent last. */
  conversation = "";
  /** Resolved when a task has begun that waits for a signal. */
  readonly begun = Promise.withResolvers<void>();

  constructor(text: string) {
    this.text = text;
  }
}

/** The tools of a world. */
export interface WorldTools {
  readonly readPage: ToolDefinition<"read_page", { name: string }, string>;
  /** Gives the address of a page. */
  readonly findLink: ToolDefinition<"find_link", { name: string }, string>;
  /** Sends something out, and gets the page as the reply. */
  readonly announce: ToolDefinition<"announce", { what: string }, string>;
  /** Fails, with the page as its message. */
  readonly brokenPage: ToolDefinition<"broken_page", { name: string }, null>;
  readonly listFiles: ToolDefinition<"list_files", { folder: string }, string[]>;
  readonly acts: readonly ToolDefinition[];
}

/** Makes the tools. `labels: false`: as if what strangers write were trusted, and all that is derived from it. */
export function worldTools(world: World, labels: boolean): WorldTools {
  const reads = { effect: "read", ...(labels ? {} : { untrusted: false }) } as const;
  const { text } = world;
  return {
    readPage: tool("read_page", { ...reads, input: z.object({ name: Text }), output: Text, run: () => text }),
    findLink: tool("find_link", { ...reads, input: z.object({ name: Text }), output: z.url(), run: () => text }),
    announce: tool("announce", {
      ...{ ...reads, effect: "egress", input: z.object({ what: Text }), output: Text },
      run: () => text,
    }),
    brokenPage: tool("broken_page", {
      ...{ ...reads, input: z.object({ name: Text }), output: z.null() },
      run: () => {
        throw new Error(text);
      },
    }),
    listFiles: tool("list_files", {
      ...{ ...reads, input: z.object({ folder: Text }), output: z.array(Text) },
      run: () => ["readme.md", text],
    }),
    acts: Object.entries(ACTS).map(([name, [effect, input]]) =>
      tool(name, {
        ...{ input, effect, output: z.null() },
        ...(labels ? {} : { declassify: "true" }),
        run: (given) => {
          world.made.push({ name, input: z.record(z.string(), z.json()).parse(given) });
          return null;
        },
      }),
    ),
  };
}
