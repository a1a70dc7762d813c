/**
 * @module A tool: a named effect with schemas and, where it can be taken back, its undo.
 *
 * A tool is a value apart from agents: plain code calls it by `ctx.call`, and the undo of what was called is found by its
 * name, without running the handler that called it.
 */
import type { z } from "zod";
import type { Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { jsonSchemaOf } from "../runtime/schema.ts";
import type { RetryPolicy } from "../runtime/slip.ts";
import { definitionGate } from "./contract.ts";
import { invalid, requireInt, requireKeys, requireName } from "./definition.ts";
import { retryOf } from "./stop-options.ts";

/** What one call of a tool, or its undo, is given. */
export interface ToolCall {
  /** The same over every attempt, restart and host: hand it to the outside system so that it acts once. The undo has that of its call. */
  readonly idempotencyKey: string;
  /** Aborted when the call is out of time, or its work is cancelled, superseded, out of time or has ended. */
  readonly signal: AbortSignal;
  /** How often this call was made in this attempt of the work, or how often its compensation was tried. Counts from 1. */
  readonly attempt: number;
}

/** What a tool does to the world: looks at it, changes it, or sends something out that cannot be called back. */
export type ToolEffect = "read" | "write" | "egress";

/** What happens to a call that began and whose end nobody recorded. */
export type UnknownEnd = "repeat" | "lookup" | "stop";

const EFFECTS: readonly ToolEffect[] = ["read", "write", "egress"];
const UNKNOWN_ENDS: readonly UnknownEnd[] = ["repeat", "lookup", "stop"];
const OPTIONS = ["about", "input", "output", "run", "undo", "lookup", "effect", "unknown", "permission", "timeoutMs", "retry"];

/** What a tool is beside its name. */
export interface ToolOptions<I extends z.ZodType, O extends z.ZodType> {
  /** What it does, for people and models. */
  readonly about?: string | undefined;
  /** Throws `schema.tool-input`, and nothing is called. */
  readonly input: I;
  /** An output that does not fit is a failed call whose effect may have happened: `schema.tool-output`. */
  readonly output: O;
  readonly run: (input: z.infer<I>, call: ToolCall) => z.infer<O> | Promise<z.infer<O>>;
  /**
   * Takes the effect back. `output` is `undefined` when the effect may have happened and nothing says so: undo by the key.
   * It may run more than once, and must succeed when there is nothing to undo. With it each call costs a record more.
   */
  readonly undo?: ((input: z.infer<I>, output: z.infer<O> | undefined, call: ToolCall) => void | Promise<void>) | undefined;
  /** Finds the output of a call that may have happened; `undefined` when it did not. Needed for `unknown: "lookup"`. */
  readonly lookup?: ((input: z.infer<I>, call: ToolCall) => z.infer<O> | undefined | Promise<z.infer<O> | undefined>) | undefined;
  readonly effect: ToolEffect;
  /**
   * A call that began and whose end nobody recorded, as its host died: `repeat` makes it again under the same key, `lookup` asks
   * first, `stop` fails with `call.unknown`. @default "repeat"
   */
  readonly unknown?: UnknownEnd | undefined;
  /** A permission that whoever the task acts for must have. Throws `tool.forbidden`. */
  readonly permission?: string | undefined;
  /** Time of one call. Then its signal is aborted, and it fails with `call.timeout`. At most 1 day. @default that of the stop */
  readonly timeoutMs?: number | undefined;
  /** How often a call that failed is made again before its handler hears of it. @default not at all */
  readonly retry?: Partial<RetryPolicy> | undefined;
}

/** A finished tool. Its functions take and give checked JSON, so they do not depend on types that are gone at run time. */
export interface ToolDefinition<Name extends string = string, Input = unknown, Output = unknown> {
  readonly kind: "tool";
  readonly name: Name;
  readonly about: string | undefined;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  readonly effect: ToolEffect;
  readonly unknown: UnknownEnd;
  readonly permission: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy;
  /** Returns the input, or throws `schema.tool-input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.tool-output`. */
  checkOutput(value: unknown): Json;
  /** Makes one call; gives what its tool gives, unchecked. */
  run(input: Json, call: ToolCall): unknown;
  readonly undo: ((input: Json, output: Json | undefined, call: ToolCall) => unknown) | undefined;
  readonly lookup: ((input: Json, call: ToolCall) => unknown) | undefined;
}

/** What a tool takes. */
export type ToolInput<T extends ToolDefinition> = z.infer<T["input"]>;

/** What a tool gives. */
export type ToolOutput<T extends ToolDefinition> = z.infer<T["output"]>;

/** Defines a tool. Throws `definition.invalid` naming the tool and the option. */
export function tool<const Name extends string, I extends z.ZodType, O extends z.ZodType>(
  name: Name,
  options: ToolOptions<I, O>,
): ToolDefinition<Name, z.infer<I>, z.infer<O>> {
  const where = `tool ${JSON.stringify(name)}`;
  requireName(name, "tool");
  requireKeys(options, where, OPTIONS);
  requireFunctions(options, where);
  const { about, run, undo, lookup, effect, unknown = "repeat", permission, timeoutMs } = options;
  requireEffect({ effect, unknown, undo, lookup }, where);
  const input = definitionGate(options.input, `input of tool ${name}`, "schema.tool-input");
  const output = definitionGate(options.output, `output of tool ${name}`, "schema.tool-output");
  // What reaches the functions has passed the gates, which change nothing, so it is of the schemas' types.
  return Object.freeze({
    kind: "tool",
    name,
    about,
    input: options.input as z.ZodType<z.infer<I>>,
    output: options.output as z.ZodType<z.infer<O>>,
    inputJsonSchema: jsonSchemaOf(options.input, `${where}, input`),
    outputJsonSchema: jsonSchemaOf(options.output, `${where}, output`),
    effect,
    unknown,
    permission,
    timeoutMs: timeoutMs === undefined ? undefined : requireInt(timeoutMs, where, "timeoutMs", 1, LIMITS.callTimeoutMsMax),
    retry: retryOf(options.retry ?? { attemptsMax: 1 }, where),
    checkInput: (value: unknown) => input.check(value),
    checkOutput: (value: unknown) => output.check(value),
    run: (given: Json, call: ToolCall) => run(given as z.infer<I>, call),
    undo:
      undo === undefined
        ? undefined
        : (given: Json, made: Json | undefined, call: ToolCall) => undo(given as z.infer<I>, made as z.infer<O> | undefined, call),
    lookup: lookup === undefined ? undefined : (given: Json, call: ToolCall) => lookup(given as z.infer<I>, call),
  });
}

function requireFunctions(options: { readonly run: unknown; readonly undo?: unknown; readonly lookup?: unknown }, where: string): void {
  if (typeof options.run !== "function") throw invalid(where, "run is not a function");
  for (const field of ["undo", "lookup"] as const)
    if (options[field] !== undefined && typeof options[field] !== "function") throw invalid(where, `${field} is not a function`);
}

function requireEffect(
  {
    effect,
    unknown,
    undo,
    lookup,
  }: { readonly effect: ToolEffect; readonly unknown: UnknownEnd; readonly undo: unknown; readonly lookup: unknown },
  where: string,
): void {
  if (!EFFECTS.includes(effect)) throw invalid(where, `effect is one of ${EFFECTS.join(", ")}`);
  if (!UNKNOWN_ENDS.includes(unknown)) throw invalid(where, `unknown is one of ${UNKNOWN_ENDS.join(", ")}`);
  if (effect === "read" && undo !== undefined) throw invalid(where, "a tool that only reads has nothing to undo");
  if ((unknown === "lookup") !== (lookup !== undefined)) throw invalid(where, `unknown: "lookup" and the function lookup go together`);
}

/** The tools of an agent by their names. Throws `definition.invalid`. */
export function toolsOf(tools: readonly ToolDefinition[], where: string): ReadonlyMap<string, ToolDefinition> {
  if (!Array.isArray(tools)) throw invalid(where, "tools is a list of tools");
  if (tools.length > LIMITS.toolsMax) throw invalid(where, `${tools.length} tools, at most ${LIMITS.toolsMax} are allowed`);
  const found = new Map<string, ToolDefinition>();
  for (const item of tools) {
    if (item?.kind !== "tool") throw invalid(where, "tools holds something that is no tool");
    if (found.has(item.name)) throw invalid(where, `tools names ${JSON.stringify(item.name)} twice`);
    found.set(item.name, item);
  }
  return found;
}
