/**
 * @module A tool: a named effect with schemas and an optional undo.
 *
 * A tool is a value independent of agents. Handlers call it through `ctx.call`. Compensation finds the undo of a recorded call by the
 * tool's name, without running the handler again.
 */
import type { z } from "zod";
import type { Json } from "../runtime/faults.ts";
import { holdsFreeText } from "../runtime/free-text.ts";
import { type Label, serverOrigin, toolOrigin, TRUSTED } from "../runtime/label.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { jsonSchemaOf } from "../runtime/schema.ts";
import { shapeOfSchema } from "../runtime/shape.ts";
import type { RetryPolicy } from "../runtime/slip.ts";
import type { AgentLog } from "./context.ts";
import { definitionGate } from "./contract.ts";
import { invalid, requireCondition, requireInt, requireKeys, requireName } from "./definition.ts";
import { type Person, requirePerson } from "./person.ts";
import { retryOf } from "./stop-options.ts";

/** What one call of a tool, or its undo, receives. */
export interface ToolCall {
  /** Constant over attempts, restarts and hosts. Pass it to the external system, so that it acts once. The undo has its call's key. */
  readonly idempotencyKey: string;
  /** Aborted when the call times out, or when its work item is cancelled, superseded, timed out or finished. */
  readonly signal: AbortSignal;
  /** How often this call was made in this attempt of the work item, or how often its compensation was tried. Counts from 1. */
  readonly attempt: number;
}

/** What a tool does to the outside world: reads from it, changes it, or sends out something that cannot be recalled. */
export type ToolEffect = "read" | "write" | "egress";

/** What to do about a call that began and whose end was not recorded. */
export type UnknownEnd = "repeat" | "lookup" | "stop";

const EFFECTS: readonly ToolEffect[] = ["read", "write", "egress"];
const UNKNOWN_ENDS: readonly UnknownEnd[] = ["repeat", "lookup", "stop"];
const RULES = [
  "about",
  "run",
  "undo",
  "lookup",
  "effect",
  "unknown",
  "permission",
  "approve",
  "declassify",
  "approver",
  "timeoutMs",
  "retry",
  "breaker",
  "untrusted",
];

/** What a tool does and may do, apart from its schemas. */
export interface ToolRules<Input, Output> {
  /** What the tool does, for people and models. */
  readonly about?: string | undefined;
  readonly run: (input: Input, call: ToolCall) => Output | Promise<Output>;
  /**
   * Reverts the effect. `output` is `undefined` if the effect may have happened but its output is not known: revert it by the key.
   * The undo may run more than once, and must succeed if there is nothing to undo. A tool with an undo costs one more record per call.
   */
  readonly undo?: ((input: Input, output: Output | undefined, call: ToolCall) => void | Promise<void>) | undefined;
  /** Finds the output of a call that may have happened; `undefined` if it did not happen. Required for `unknown: "lookup"`. */
  readonly lookup?: ((input: Input, call: ToolCall) => Output | undefined | Promise<Output | undefined>) | undefined;
  readonly effect: ToolEffect;
  /**
   * What to do about a call whose end was not recorded because its host died: `repeat` makes it again with the same key, `lookup` runs
   * `lookup` first, `stop` fails with `call.unknown`. @default "repeat"
   */
  readonly unknown?: UnknownEnd | undefined;
  /** A permission that the agent, the principal and the task must have. A call without it throws `tool.forbidden`. */
  readonly permission?: string | undefined;
  /**
   * Calls that a person must approve: a CEL rule over `input`, such as `"input.amount > 100"`, checked against the input's schema. A
   * call that it holds for waits for a person, who approves, edits or denies it (`person.denied`).
   */
  readonly approve?: string | undefined;
  /**
   * Calls whose input may come from untrusted text without that a person is asked: a CEL rule over `input`, checked against the input's
   * schema, such as `"input.amount <= 10"`. Each call that it lets through is a line of the audit. @default none
   */
  readonly declassify?: string | undefined;
  /** The person who approves calls, made with `person(name, options)`; the system must have it. @default any person who may decide */
  readonly approver?: Person | undefined;
  /** Time limit of one call in milliseconds, at most 1 day. Then its signal is aborted. @default the stop's */
  readonly timeoutMs?: number | undefined;
  /** How often a failed call is made again before the handler receives the fault. @default one attempt */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /**
   * Whether calls fail at once with `tool.unavailable` for some seconds after most of the last calls have failed in this host, so that a
   * far side that is down is left alone. @default false
   */
  readonly breaker?: boolean | undefined;
  /**
   * Whether outputs and messages of faults may hold texts of strangers, such as a web page, which must not be followed as instructions.
   * `false`: you vouch for them. @default for `effect: "read"` and `"egress"`, whose answers come from outside, true for messages of
   * faults, and for outputs that can hold free text: a string without `enum` or `pattern`, and with no format such as `date` or `uuid`
   */
  readonly untrusted?: boolean | undefined;
}

/** Options of {@link tool}. */
export interface ToolOptions<I extends z.ZodType, O extends z.ZodType> extends ToolRules<z.infer<I>, z.infer<O>> {
  /** Schema of the input. An input that does not fit throws `schema.tool-input` and no call is made. */
  readonly input: I;
  /** Schema of the output. An output that does not fit fails the call with `schema.tool-output`; its effect may have happened. */
  readonly output: O;
}

/** What a tool takes and returns: the types, the JSON Schemas, and the gates. */
export interface ToolSchemas<Input = unknown, Output = unknown> {
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  /** Returns the input, or throws `schema.tool-input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.tool-output`. */
  checkOutput(value: unknown): Json;
}

/** Where the calls of a tool go, if that is something that hosts connect to and must leave: a server of tools. */
export interface ToolSource {
  readonly name: string;
  /**
   * Called by each host that has tools of this source, at its start; nothing is connected by that. The returned function is called when
   * the host has stopped. After the last one the source closes its connections.
   */
  hold(log: Pick<AgentLog, "info" | "warn">): () => Promise<void>;
}

/** A defined tool. Its functions take and return checked JSON, because its types do not exist at run time. */
export interface ToolDefinition<Name extends string = string, Input = unknown, Output = unknown> extends ToolSchemas<Input, Output> {
  readonly kind: "tool";
  readonly name: Name;
  readonly about: string | undefined;
  readonly effect: ToolEffect;
  readonly unknown: UnknownEnd;
  readonly permission: string | undefined;
  readonly approve: string | undefined;
  readonly declassify: string | undefined;
  /** The person who approves calls. Absent: each person who may decide can approve. */
  readonly approver: Person | undefined;
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy;
  /** Whether calls fail at once while most of them fail. */
  readonly breaker: boolean;
  /** Whether outputs may hold texts of strangers, which must not be followed as instructions. */
  readonly untrusted: boolean;
  /** Whether messages of faults may: they are free text, also where outputs are not. */
  readonly untrustedFaults: boolean;
  /** Absent: the tool's functions run in the host alone. */
  readonly source: ToolSource | undefined;
  /** Makes one call and returns the tool's output, unchecked. */
  run(input: Json, call: ToolCall): unknown;
  readonly undo: ((input: Json, output: Json | undefined, call: ToolCall) => unknown) | undefined;
  readonly lookup: ((input: Json, call: ToolCall) => unknown) | undefined;
}

/** The label of the outputs of a tool. */
export function outputLabelOf(tool: ToolDefinition): Label {
  return tool.untrusted ? originOf(tool) : TRUSTED;
}

/** The label of the faults of a tool. */
export function faultLabelOf(tool: ToolDefinition): Label {
  return tool.untrustedFaults ? originOf(tool) : TRUSTED;
}

/** A source is an MCP server. */
function originOf({ name, source }: ToolDefinition): Label {
  return [source === undefined ? toolOrigin(name) : serverOrigin(source.name)];
}

/** The input type of a tool. */
export type ToolInput<T extends ToolDefinition> = z.infer<T["input"]>;

/** The output type of a tool. */
export type ToolOutput<T extends ToolDefinition> = z.infer<T["output"]>;

/** Defines a tool. @throws `definition.invalid`, which names the tool and the option */
export function tool<const Name extends string, I extends z.ZodType, O extends z.ZodType>(
  name: Name,
  options: ToolOptions<I, O>,
): ToolDefinition<Name, z.infer<I>, z.infer<O>> {
  const where = `tool ${JSON.stringify(name)}`;
  requireName(name, "tool");
  requireKeys(options, where, ["input", "output", ...RULES]);
  const { input, output, ...rules } = options;
  const inputGate = definitionGate(input, `input of tool ${name}`, "schema.tool-input");
  const outputGate = definitionGate(output, `output of tool ${name}`, "schema.tool-output");
  return toolWith(
    name,
    {
      input: input as z.ZodType<z.infer<I>>,
      output: output as z.ZodType<z.infer<O>>,
      inputJsonSchema: jsonSchemaOf(input, `${where}, input`),
      outputJsonSchema: jsonSchemaOf(output, `${where}, output`),
      checkInput: (value) => inputGate.check(value),
      checkOutput: (value) => outputGate.check(value),
    },
    rules,
  );
}

/** Defines a tool whose schemas do not come from zod. @throws `definition.invalid`, which names the tool and the option */
export function toolWith<const Name extends string, Input, Output>(
  name: Name,
  schemas: ToolSchemas<Input, Output>,
  rules: ToolRules<Input, Output>,
  source?: ToolSource,
): ToolDefinition<Name, Input, Output> {
  const where = `tool ${JSON.stringify(name)}`;
  requireName(name, "tool");
  requireKeys(rules, where, RULES);
  requireFunctions(rules, where);
  const {
    about,
    run,
    undo,
    lookup,
    effect,
    unknown = "repeat",
    permission,
    approve,
    declassify,
    approver,
    timeoutMs,
    breaker = false,
    untrusted = isFromOutside(effect) && holdsFreeText(schemas.outputJsonSchema),
  } = rules;
  requireEffect({ effect, unknown, undo, lookup }, where);
  if (typeof breaker !== "boolean") throw invalid(where, "breaker must be true or false");
  if (typeof untrusted !== "boolean") throw invalid(where, "untrusted must be true or false");
  for (const [field, rule] of [
    ["approve", approve],
    ["declassify", declassify],
  ] as const)
    if (rule !== undefined) requireCondition(rule, { input: shapeOfSchema(schemas.inputJsonSchema) }, where, field);
  // Values that reach the functions have passed the gates, which change nothing, so they have the schemas' types.
  return Object.freeze({
    kind: "tool",
    name,
    about,
    ...schemas,
    effect,
    unknown,
    permission,
    approve,
    approver: approver === undefined ? undefined : requirePerson(approver, where, "approver"),
    declassify,
    timeoutMs: timeoutMs === undefined ? undefined : requireInt(timeoutMs, where, "timeoutMs", 1, LIMITS.callTimeoutMsMax),
    retry: retryOf(rules.retry ?? { attemptsMax: 1 }, where),
    breaker,
    untrusted,
    untrustedFaults: rules.untrusted ?? isFromOutside(effect),
    source,
    run: (given: Json, call: ToolCall) => run(given as Input, call),
    undo:
      undo === undefined
        ? undefined
        : (given: Json, made: Json | undefined, call: ToolCall) => undo(given as Input, made as Output | undefined, call),
    lookup: lookup === undefined ? undefined : (given: Json, call: ToolCall) => lookup(given as Input, call),
  });
}

/** Whether what a tool of the effect answers comes from others: what it reads, or the reply of who it sends to. */
function isFromOutside(effect: ToolEffect): boolean {
  return effect !== "write";
}

function requireFunctions(options: { readonly run: unknown; readonly undo?: unknown; readonly lookup?: unknown }, where: string): void {
  if (typeof options.run !== "function") throw invalid(where, "run must be a function");
  for (const field of ["undo", "lookup"] as const)
    if (options[field] !== undefined && typeof options[field] !== "function") throw invalid(where, `${field} must be a function`);
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
  if (!EFFECTS.includes(effect)) throw invalid(where, `effect must be one of ${EFFECTS.join(", ")}`);
  if (!UNKNOWN_ENDS.includes(unknown)) throw invalid(where, `unknown must be one of ${UNKNOWN_ENDS.join(", ")}`);
  if (effect === "read" && undo !== undefined) throw invalid(where, 'effect "read" has nothing to undo; leave out undo, or use "write"');
  if ((unknown === "lookup") !== (lookup !== undefined)) throw invalid(where, `unknown: "lookup" and the function lookup need each other`);
}

/** Returns an agent's tools by name. Throws `definition.invalid`. */
export function toolsOf(tools: readonly ToolDefinition[], where: string): ReadonlyMap<string, ToolDefinition> {
  if (!Array.isArray(tools)) throw invalid(where, "tools must be a list of tools");
  if (tools.length > LIMITS.toolsMax) throw invalid(where, `${tools.length} tools, at most ${LIMITS.toolsMax} are allowed`);
  const found = new Map<string, ToolDefinition>();
  for (const item of tools) {
    if (item?.kind !== "tool") throw invalid(where, "tools must hold tools only; make them with tool(name, options)");
    if (found.has(item.name)) throw invalid(where, `tools names ${JSON.stringify(item.name)} twice`);
    found.set(item.name, item);
  }
  return found;
}
