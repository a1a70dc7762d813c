/** @module The tools of an agent as tools of OpenAI's Agents SDK: each call goes through `ctx.call`, so it is recorded and has an undo. */
import { type FunctionTool, tool as functionTool } from "@openai/agents";
import type { BaseContext } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import { toldCall } from "../recorded-call.ts";

type Parameters = Extract<globalThis.Parameters<typeof functionTool>[0], { strict: false }>["parameters"];

/** The tools, for the option `tools` of an `Agent`. The agent of the handler must declare them. A fault is told to the model. */
export function toolList<T extends ToolDefinition>(ctx: Pick<BaseContext<never, never, T>, "call">, tools: readonly T[]): FunctionTool[] {
  return tools.map((item) =>
    functionTool({
      name: item.name,
      description: item.about ?? "",
      // The gate of `ctx.call` is strict; what the provider makes of the schema is not relied on.
      strict: false,
      parameters: item.inputJsonSchema as unknown as Parameters,
      execute: (input: unknown) => toldCall((edited) => ctx.call(item, input as never, edited)),
    }),
  );
}
