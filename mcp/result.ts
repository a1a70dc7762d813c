/**
 * @module What an MCP tool answers, as the output of a call: the structured content if the tool declares a schema for it, else the text,
 * else the blocks of content.
 */
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { requireJson } from "../runtime/schema.ts";
import type { LockedTool } from "./lock.ts";
import { visibleText } from "./visible.ts";

/** The answer to a call, as the protocol has it. */
export interface McpAnswer {
  readonly content: readonly { readonly type: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
}

/** The output of a call. @throws `mcp.failed` for an error that the tool reports, `mcp.result` */
export function outputOf(answer: McpAnswer, tool: LockedTool, what: string, bytesMax: number): Json {
  if (answer.isError === true) throw new Fault("mcp.failed", `${what}: ${errorText(answer)}`);
  const output = tool.output === undefined ? contentOf(answer.content) : answer.structuredContent;
  if (output === undefined) throw new Fault("mcp.result", `${what}: the result has no structured content, although the tool declares it`);
  const json = requireJson(output, `result of ${what}`, "mcp.result");
  const bytes = Buffer.byteLength(JSON.stringify(json));
  if (bytes > bytesMax)
    throw new Fault("mcp.result", `${what}: the result has ${bytes} bytes, at most ${bytesMax} are taken; ask for less`, {
      bytes,
      bytesMax,
    });
  return json;
}

/** What the tool says went wrong, cut off. */
function errorText(answer: McpAnswer): string {
  const text = visibleText(textOf(answer.content).slice(0, LIMITS.mcpTextLengthMax));
  return text === "" ? "the tool reported an error without a text" : text;
}

function contentOf(content: McpAnswer["content"]): unknown {
  return content.every(isText) ? textOf(content) : content.map(bare);
}

function isText(block: { readonly type: string }): block is { readonly type: "text"; readonly text: string } {
  return block.type === "text" && "text" in block && typeof block.text === "string";
}

/** Half of a surrogate pair is no character, and would be refused by stores. */
function textOf(content: McpAnswer["content"]): string {
  return content
    .filter(isText)
    .map(({ text }) => text)
    .join("\n")
    .toWellFormed();
}

/** Annotations and metadata are not for the reader of a result. */
function bare(block: { readonly type: string }): unknown {
  const { annotations: _annotations, _meta, ...rest } = block as { readonly type: string; annotations?: unknown; _meta?: unknown };
  return rest;
}

/** The JSON Schema of the outputs of a tool without a schema of its own. */
export const CONTENT_SCHEMA = {
  anyOf: [{ type: "string" }, { type: "array", items: { type: "object", properties: { type: { type: "string" } }, required: ["type"] } }],
} as const;
