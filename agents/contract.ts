/**
 * @module A contract: an agent's name, version and schemas, apart from its implementation.
 *
 * Because a contract is a value of its own, two agents can ask each other and still type-check, and apps that host
 * different agents share contracts instead of code.
 */
import type { z } from "zod";
import type { Expression } from "../runtime/expression.ts";
import type { FaultCode, Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { RESERVED_TYPES } from "../runtime/protocol.ts";
import { type Gate, gate, type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
import type { AgentData } from "../runtime/slip.ts";
import { invalid, requireInt, requireKeys, requireName, requireText } from "./definition.ts";
import { recordArgument } from "./mapping.ts";

const VERSION_MAX = 1_000_000;

declare const OUTPUT: unique symbol;

/** What a stop can name: the contract of an agent, a finished route, or the contract of a route. */
export interface Callable<Name extends string = string, Input = unknown, Output = unknown> {
  readonly name: Name;
  readonly input: z.ZodType<Input>;
  /** Carries the output type; there is no such property. */
  readonly [OUTPUT]?: Output;
}

/** What a contract, route or route contract takes. */
export type InputOf<C extends Callable> = z.infer<C["input"]>;

/** What a contract, route or route contract gives. */
export type OutputOf<C extends Callable> = C extends Callable<string, unknown, infer Output> ? Output : never;

/** An agent as others know it: its name, its schemas and which of its actors is meant. It holds no code, so apps can share it. */
export interface Contract<Name extends string = string, Input = unknown, Output = unknown> extends Callable<Name, Input, Output> {
  readonly kind: "contract";
  /** Counts from 1. Raise it when recorded work of the old code must not be gone on with by the new. */
  readonly version: number;
  /** What the agent is for. */
  readonly about: string | undefined;
  readonly output: z.ZodType<Output>;
  /** Session key over the name `input`; absent: each work item has an actor of its own, or each process where the agent has state. */
  readonly key: Expression | undefined;
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
  /** Returns the input, or throws `schema.input`. */
  checkInput(value: unknown): Json;
  /** Returns the output, or throws `schema.output`. */
  checkOutput(value: unknown): Json;
}

/** What an agent takes and gives: schemas of plain JSON, to which nothing is added and from which nothing is dropped. */
export interface ContractOptions<I extends z.ZodType, O extends z.ZodType> {
  /** What the agent is for, at most 1,024 characters: shown in the graph, and to models that may call it. It may change without a new version. */
  readonly about?: string | undefined;
  readonly input: I;
  readonly output: O;
  /**
   * Which actor of the agent does the work. Default: one for each work item, or one for each process where the agent has state. `(query) => query.customer` gives each
   * customer a long-lived actor with state of its own, `() => "one"` a single actor. It is recorded as data.
   */
  readonly key?: ((input: z.infer<I>) => string) | undefined;
}

/**
 * Declares what an agent takes and gives. Throws `definition.invalid` for a wrong name or version, for a schema that
 * is not plain JSON, and for a key that does more than read properties of the input.
 */
export function contract<const Name extends string, I extends z.ZodType, O extends z.ZodType>(
  name: Name,
  version: number,
  options: ContractOptions<I, O>,
): Contract<Name, z.infer<I>, z.infer<O>> {
  const where = `contract ${JSON.stringify(name)}`;
  requireName(name, "contract");
  if (RESERVED_TYPES.some((reserved) => reserved === name))
    throw invalid(where, `the name is that of an actor type of the system's own; ${RESERVED_TYPES.join(", ")} are reserved`);
  requireKeys(options, where, ["about", "input", "output", "key"]);
  const input = gate(options.input, `input of agent ${name}`, "schema.input");
  const output = gate(options.output, `output of agent ${name}`, "schema.output");
  return Object.freeze({
    kind: "contract",
    name,
    version: requireInt(version, where, "version", 1, VERSION_MAX),
    about: options.about === undefined ? undefined : requireText(options.about, where, "about", LIMITS.aboutLengthMax),
    input: options.input as z.ZodType<z.infer<I>>,
    output: options.output as z.ZodType<z.infer<O>>,
    key: options.key === undefined ? undefined : keyOf(options.key, where),
    inputJsonSchema: jsonSchemaOf(options.input, `${where}, input`),
    outputJsonSchema: jsonSchemaOf(options.output, `${where}, output`),
    checkInput: (value: unknown) => input.check(value),
    checkOutput: (value: unknown) => output.check(value),
  });
}

function keyOf(mapping: (input: never) => string, where: string): Expression {
  const key = recordArgument(mapping, "input", `${where}, key`);
  const isText = "from" in key || ("literal" in key && typeof key.literal === "string" && key.literal !== "");
  if (!isText) throw invalid(`${where}, key`, "a key is a text: a property of the input, or a literal that is not empty");
  return key;
}

/** What an agent may do besides answering; needed to bound rings and to check asks and hand-offs. */
export interface Relations {
  readonly asks?: readonly Contract[] | undefined;
  readonly handsOffTo?: readonly Contract[] | undefined;
  /** How often the agent may stand in one chain of hand-offs and asks, 1 to 1,000. Absent: it may not stand in a ring. */
  readonly visitsMax?: number | undefined;
}

/** An agent that another app hosts, with what this app must know of it. */
export interface RemoteAgent {
  readonly kind: "remote";
  readonly contract: Contract;
  readonly relations: Relations;
  readonly data: AgentData;
}

/** What must be known of a remote agent. */
export interface RemoteOptions extends Relations {
  /** The agent declares state. Without a key its process has one actor then, and its work items run one after another. Default false. */
  readonly stateful?: boolean | undefined;
}

/** Declares an agent that another app hosts. A bare contract in `remote` means: it has no state, asks nobody and hands off to nobody. */
export function remote(target: Contract, options: RemoteOptions = {}): RemoteAgent {
  const where = `remote agent ${JSON.stringify(target.name)}`;
  requireKeys(options, where, ["asks", "handsOffTo", "visitsMax", "stateful"]);
  const { stateful = false, ...relations } = options;
  if (typeof stateful !== "boolean") throw invalid(where, "stateful is true or false");
  return Object.freeze({ kind: "remote", contract: target, relations, data: agentData(target, relations, where, stateful) });
}

/** What the process manager must know of an agent. Throws `definition.invalid`. */
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
    if (item?.kind !== "contract") throw invalid(where, `${field} holds something that is no contract`);
    if (names.has(item.name)) throw invalid(where, `${field} names ${JSON.stringify(item.name)} twice`);
    names.add(item.name);
  }
  return [...names];
}

/** The gate of a schema whose faults have the given code; for other definitions of this folder. */
export function definitionGate(schema: z.ZodType, what: string, code: FaultCode): Gate {
  jsonSchemaOf(schema, what);
  return gate(schema, what, code);
}

const schemaTexts = new WeakMap<z.ZodType, JsonSchema>();

/** The JSON Schema of a schema that handlers name, made once for each. Throws `definition.invalid`. */
export function schemaTextOf(schema: z.ZodType, what: string): JsonSchema {
  const known = schemaTexts.get(schema);
  if (known !== undefined) return known;
  const made = jsonSchemaOf(schema, what);
  schemaTexts.set(schema, made);
  return made;
}
