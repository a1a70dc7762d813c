/** @module The tools of an agent as tools of the AI SDK: each call goes through `ctx.call`, so it is recorded and has an undo. */
import { dynamicTool, jsonSchema, type ToolSet } from "ai";
import type { BaseContext } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { Json } from "../../runtime/faults.ts";
import { toldCall } from "../recorded-call.ts";

/**
 * The tools, for the option `tools` of `generateText` and the like. They must be declared by the agent. An input that does not fit is told
 * to the model, as is the fault of a call.
 */
export function toolSet<T extends ToolDefinition>(ctx: Pick<BaseContext<never, never, T>, "call">, tools: readonly T[]): ToolSet {
  return Object.fromEntries(
    tools.map((tool) => [
      tool.name,
      dynamicTool({
        ...(tool.about === undefined ? {} : { description: tool.about }),
        // Both are JSON Schemas as values; this library does not give a dialect.
        inputSchema: jsonSchema<Json>(tool.inputJsonSchema as Parameters<typeof jsonSchema>[0], {
          validate: (value) => validated(tool, value),
        }),
        execute: (input) => toldCall((edited) => ctx.call(tool, input as never, edited)),
      }),
    ]),
  );
}

type Validated = { readonly success: true; readonly value: Json } | { readonly success: false; readonly error: Error };

function validated(tool: ToolDefinition, value: unknown): Validated {
  try {
    return { success: true, value: tool.checkInput(value) };
  } catch (error) {
    return { success: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}
