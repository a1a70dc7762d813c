/** @module A system around one handler, for the tests of the guarantees to handlers. */
import { z } from "zod";
import { agent, type AgentOptions, contract, route, system, tool, type ToolCall, type ToolDefinition } from "../../agents/index.ts";
import { CallTelemetry } from "../../actors/telemetry/calls.ts";
import { HostMetrics } from "../../actors/telemetry/metrics.ts";
import type { OutcomeView } from "../../actors/operations/operations.ts";
import { flush } from "./engine-rig.ts";
import { CALLER, World } from "./world-rig.ts";

export const In = z.object({ n: z.int() });
export const Text = z.object({ text: z.string() });
const Doer = contract("Doer", 1, { input: In, output: Text });
export const Helper = contract("Helper", 1, { input: In, output: Text, key: () => "one" });
const Last = contract("Last", 1, { input: In, output: Text });
export const Tally = z.object({ count: z.int() });

/** Telemetry that no SDK receives. */
export const telemetry = new CallTelemetry({
  ...{ metrics: new HostMetrics("sys"), trace: { traceparent: "" }, agent: "Doer", processId: "p", workId: "w" },
});

/** What a tool of these tests does; it is given what it is about. */
type Doing = (about: string, call: ToolCall) => unknown;

/** A tool of texts; with an undo where one is given. */
export function textTool<const Name extends string>(
  name: Name,
  run: Doing = (about) => about.toUpperCase(),
  undo?: (about: string, output: string | undefined, call: ToolCall) => unknown,
  more: Partial<Pick<Parameters<typeof tool>[1], "unknown" | "retry" | "timeoutMs" | "effect">> & { readonly lookup?: Doing } = {},
) {
  const { lookup, ...rest } = more;
  return tool(name, {
    effect: "write",
    ...rest,
    input: z.string(),
    output: z.string(),
    run: async (about, call) => String(await run(about, call)),
    ...(undo === undefined
      ? {}
      : { undo: async (about: string, output: string | undefined, call: ToolCall) => void (await undo(about, output, call)) }),
    ...(lookup === undefined ? {} : { lookup: async (about: string, call: ToolCall) => (await lookup(about, call)) as string | undefined }),
  });
}

export type Member = ReturnType<World["join"]>;
type DoerContext = Parameters<
  AgentOptions<typeof Doer, z.infer<typeof Tally>, readonly [typeof Helper], [], readonly ToolDefinition[]>["handle"]
>[1];
export type DoerHandle = (n: number, ctx: DoerContext) => Promise<string>;

interface Parts {
  readonly tools?: readonly ToolDefinition[];
  readonly handle: DoerHandle;
  readonly help?: (n: number) => Promise<string>;
  readonly last?: () => Promise<string>;
  readonly concurrency?: number;
  readonly timeoutMs?: number;
}

/** Doer does what the test defines, Helper is asked by it, and Last comes after it. */
export function systemOf({
  tools = [],
  handle,
  help = async (n) => `help ${n}`,
  last = async () => "last",
  concurrency = 8,
  timeoutMs = 60_000,
}: Parts): ReturnType<typeof system> {
  const doer = agent(Doer, {
    concurrency,
    tools,
    asks: [Helper],
    state: { schema: Tally, initial: { count: 0 } },
    handle: async ({ n }, ctx) => ({ text: await handle(n, ctx as DoerContext) }),
  });
  const helper = agent(Helper, { handle: async ({ n }) => ({ text: await help(n) }) });
  const closing = agent(Last, { handle: async () => ({ text: await last() }) });
  const main = route("main", 1, In)
    .to("doer", Doer, ({ task }) => task, { timeoutMs, retry: { attemptsMax: 3, backoffMs: 0, jitter: 0 } })
    .to("last", Last, ({ task }) => task, { retry: { attemptsMax: 1 } })
    .output(({ doer: done }) => done);
  return system("sys", { agents: [doer, helper, closing], routes: [main] });
}

export async function submit(member: Member, id = "p", n = 1): Promise<void> {
  await member.operations.submit({ id, route: "main", input: { n } }, CALLER, 0);
  await flush();
}

/** Submits one task and waits for its outcome, in virtual time. */
export async function run(parts: Parts, ms?: number): Promise<OutcomeView> {
  const world = new World();
  const one = world.join(systemOf(parts), "one");
  await submit(one);
  return world.until(one, "p", ms);
}
