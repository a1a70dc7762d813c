/**
 * @module A contract: an agent's name, version and schemas, apart from its implementation.
 *
 * A contract is a value of its own. So two agents can ask each other and still type-check, and apps that host
 * different agents share contracts instead of code.
 */
import type { z } from "zod";
import type { Expression } from "../runtime/expression.ts";
import type { FaultCode, Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { RESERVED_TYPES } from "../runtime/protocol.ts";
import { type Gate, gate, type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
import { shapeOfSchema } from "../runtime/shape.ts";
import type { AgentData } from "../runtime/slip.ts";
import { invalid, requireInt, requireKeys, requireName, requireText, VERSION_MAX } from "./definition.ts";
import { recordArgument } from "./mapping.ts";
import { keyMisfit } from "./schema-check.ts";

declare const OUTPUT: unique symbol;

/** What a stop can name: the contract of an agent, a defined route, or the contract of a route. */
export interface Callable<Name extends string = string, Input = unknown, Output = unknown> {
  readonly name: Name;
  readonly input: z.ZodType<Input>;
  /** Carries the output type; the property does not exist at run time. */
  readonly [OUTPUT]?: Output;
}

/** The input type of a contract, route or route contract. */
export type InputOf<C extends Callable> = z.infer<C["input"]>;

/** The output type of a contract, route or route contract. */
export type OutputOf<C extends Callable> = C extends Callable<string, unknown, infer Output> ? Output : never;

/** An agent as others see it: its name, its schemas and which of its actors does the work. It holds no code, so apps can share it. */
export interface Contract<Name extends string = string, Input = unknown, Output = unknown> extends Callable<Name, Input, Output> {
  readonly kind: "contract";
  /** Counts from 1. Raise it if new code must not continue work items that old code recorded. */
  readonly version: number;
  /** What the agent does. */
  readonly about: string | undefined;
  readonly output: z.ZodType<Output>;
  /** The session key as an expression over the name `input`. Absent: one actor per work item, or per process if the agent has state. */
  readonly key: Expression | undefined;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  /** Returns the input, or throws `schema.input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.output`. */
  checkOutput(value: unknown): Json;
}

/** Options of {@link contract}: schemas of plain JSON. A gate adds nothing to a value and drops nothing from it. */
export interface ContractOptions<I extends z.ZodType, O extends z.ZodType> {
  /** What the agent does, at most 1,024 characters: shown in the graph and to models that may call it. May change without a new version. */
  readonly about?: string | undefined;
  readonly input: I;
  readonly output: O;
  /**
   * Which actor of the agent does the work. `(query) => query.customer` gives each customer a long-lived actor with its
   * own state; `() => "one"` gives a single actor. It is recorded as data.
   * @default one actor for each work item, or for each process if the agent has state
   */
  readonly key?: ((input: z.infer<I>) => string) | undefined;
}

/**
 * Declares what an agent takes and returns.
 * @throws `definition.invalid` for a wrong name or version, for a schema that is not plain JSON, and for a key that does more than read
 * properties of the input, or reads one that is not a text or number in every input
 */
export function contract<const Name extends string, I extends z.ZodType, O extends z.ZodType>(
  name: Name,
  version: number,
  options: ContractOptions<I, O>,
): Contract<Name, z.infer<I>, z.infer<O>> {
  const where = `contract ${JSON.stringify(name)}`;
  requireName(name, "contract");
  if (RESERVED_TYPES.some((reserved) => reserved === name))
    throw invalid(where, `the name is reserved for an actor type of the system (${RESERVED_TYPES.join(", ")}); choose another`);
  requireKeys(options, where, ["about", "input", "output", "key"]);
  const input = gate(options.input, `input of agent ${name}`, "schema.input");
  const output = gate(options.output, `output of agent ${name}`, "schema.output");
  const inputJsonSchema = jsonSchemaOf(options.input, `${where}, input`);
  return Object.freeze({
    kind: "contract",
    name,
    version: requireInt(version, where, "version", 1, VERSION_MAX),
    about: options.about === undefined ? undefined : requireText(options.about, where, "about", LIMITS.aboutLengthMax),
    input: options.input as z.ZodType<z.infer<I>>,
    output: options.output as z.ZodType<z.infer<O>>,
    key: options.key === undefined ? undefined : keyOf(options.key, inputJsonSchema, where),
    inputJsonSchema,
    outputJsonSchema: jsonSchemaOf(options.output, `${where}, output`),
    checkInput: (value: unknown) => input.check(value),
    checkOutput: (value: unknown) => output.check(value),
  });
}

function keyOf(mapping: (input: never) => string, input: JsonSchema, where: string): Expression {
  const key = recordArgument(mapping, "input", `${where}, key`);
  const isText = "from" in key || ("literal" in key && typeof key.literal === "string" && key.literal !== "");
  if (!isText) throw invalid(`${where}, key`, "a key must be a property of the input that holds text, or a non-empty literal");
  const wrong = "from" in key ? keyMisfit(key.from, shapeOfSchema(input)) : undefined;
  if (wrong !== undefined) throw invalid(`${where}, key`, wrong);
  return key;
}

/** What an agent may do besides answering. Needed to bound cycles and to check asks and hand-offs. */
export interface Relations {
  readonly asks?: readonly Contract[] | undefined;
  readonly handsOffTo?: readonly Contract[] | undefined;
  /** Maximum visits per chain of hand-offs and asks, 1 to 1,000. Absent: the agent must not be part of a cycle. */
  readonly visitsMax?: number | undefined;
}

/** An agent that another app hosts, with what this app must know about it. */
export interface RemoteAgent {
  readonly kind: "remote";
  readonly contract: Contract;
  readonly relations: Relations;
  readonly data: AgentData;
}

/** Options of {@link remote}. */
export interface RemoteOptions extends Relations {
  /** Whether the agent declares state. Without a key each process then has one actor, which runs its work items in order. @default false */
  readonly stateful?: boolean | undefined;
}

/** Declares an agent that another app hosts. A bare contract in `remote` has no state, no asks and no hand-offs. */
export function remote(target: Contract, options: RemoteOptions = {}): RemoteAgent {
  const where = `remote agent ${JSON.stringify(target.name)}`;
  requireKeys(options, where, ["asks", "handsOffTo", "visitsMax", "stateful"]);
  const { stateful = false, ...relations } = options;
  if (typeof stateful !== "boolean") throw invalid(where, "stateful must be true or false");
  return Object.freeze({ kind: "remote", contract: target, relations, data: agentData(target, relations, where, stateful) });
}

/** What the process manager must know about an agent. Throws `definition.invalid`. */
export function agentData(target: Contract, relations: Relations, where: string, stateful: boolean): AgentData {
  const { visitsMax } = relations;
  return {
    version: target.version,
    ...(target.key === undefined ? {} : { key: target.key }),
    ...(stateful ? { stateful } : {}),
    asks: namesOf(relations.asks ?? [], where, "asks"),
    handsOffTo: namesOf(relations.handsOffTo ?? [], where, "handsOffTo"),
    ...(visitsMax === undefined ? {} : { visitsMax: requireInt(visitsMax, where, "visitsMax", 1, LIMITS.visitsMaxMax) }),
  };
}

function namesOf(contracts: readonly Contract[], where: string, field: string): string[] {
  const names = new Set<string>();
  for (const item of contracts) {
    if (item?.kind !== "contract") throw invalid(where, `${field} must hold contracts only`);
    if (names.has(item.name)) throw invalid(where, `${field} names ${JSON.stringify(item.name)} twice`);
    names.add(item.name);
  }
  return [...names];
}

/** Returns the gate of a schema that throws faults of the given code. For other definitions of this folder. */
export function definitionGate(schema: z.ZodType, what: string, code: FaultCode): Gate {
  jsonSchemaOf(schema, what);
  return gate(schema, what, code);
}

const schemaTexts = new WeakMap<z.ZodType, JsonSchema>();

/** Returns the JSON Schema of a schema that handlers name; computed once for each. Throws `definition.invalid`. */
export function schemaTextOf(schema: z.ZodType, what: string): JsonSchema {
  const known = schemaTexts.get(schema);
  if (known !== undefined) return known;
  const made = jsonSchemaOf(schema, what);
  schemaTexts.set(schema, made);
  return made;
}
