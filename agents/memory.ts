/** @module The option `memory` of agents: what they remember, for whom, and how much of a conversation they keep. */
import { z } from "zod";
import { LIMITS } from "../runtime/limits.ts";
import { TRUSTS } from "../runtime/memory/fact.ts";
import { MEMORY_SCOPES, type MemoryScope } from "../runtime/memory/scope.ts";
import { jsonSchemaOf } from "../runtime/schema.ts";
import { type Shapes, shapeOfSchema } from "../runtime/shape.ts";
import type { Contract } from "./contract.ts";
import { invalid, requireCondition, requireInt, requireKeys } from "./definition.ts";
import type { SourceDefinition } from "./source.ts";

/** Facts that an agent remembers. */
export interface FactsOptions {
  /** Whose facts stand together: all of the agent's, those of one key, or those of one principal. Other facts cannot be read. */
  readonly scope: MemoryScope;
  /**
   * Which untrusted facts other processes may read without that a person has promoted them: a CEL rule over `fact` with `key` (empty if
   * it has none), `value`, `trust` and `label`, such as `fact.key == "language"`. @default none
   */
  readonly promote?: string | undefined;
  /**
   * What follows when a fact that a work item has read has a newer version, or is gone, at its end: it is listed, or the work item is done
   * again if it has made no call and no ask. @default "list"
   */
  readonly onStale?: "list" | "again" | undefined;
}

/** The memory of an agent. */
export interface MemoryOptions {
  /**
   * The earlier turns that a model is shown, up to that many tokens. Above, the older ones become a summary, by a call of the model. Only
   * for models.
   */
  readonly conversation?: { readonly tokensMax: number } | undefined;
  readonly facts?: FactsOptions | undefined;
  /** Sources whose documents the agent may recall. */
  readonly sources?: readonly SourceDefinition[] | undefined;
}

/** The memory of a defined agent. */
export interface MemoryRules {
  readonly scope: MemoryScope;
  /** The agent remembers and recalls facts of its own. */
  readonly hasFacts: boolean;
  readonly promote: string | undefined;
  readonly onStale: "list" | "again";
  /** Tokens of the conversation window. Absent: there is none. */
  readonly tokensMax: number | undefined;
  readonly sources: readonly SourceDefinition[];
}

/** Checks the option. Throws `definition.invalid`. */
export function memoryRulesOf(options: MemoryOptions, target: Contract, where: string, isModel: boolean): MemoryRules {
  const at = `${where}, memory`;
  requireKeys(options, at, ["conversation", "facts", "sources"]);
  const { conversation, facts, sources = [] } = options;
  if (conversation === undefined && facts === undefined && sources.length === 0)
    throw invalid(at, "it is empty; give it facts, a conversation or sources");
  if (conversation !== undefined) requireKeys(conversation, `${at}, conversation`, ["tokensMax"]);
  if (conversation !== undefined && !isModel) throw invalid(at, "a conversation is kept for models only; keep facts instead");
  if (!Array.isArray(sources) || sources.some((one) => one?.kind !== "source"))
    throw invalid(at, "sources must be a list of sources; make one with source(name, options)");
  if (facts !== undefined) checkFacts(facts, target, at);
  return {
    scope: facts?.scope ?? (target.key === undefined ? "principal" : "key"),
    hasFacts: facts !== undefined,
    promote: facts?.promote,
    onStale: facts?.onStale ?? "list",
    tokensMax: conversation && requireInt(conversation.tokensMax, `${at}, conversation`, "tokensMax", 1, LIMITS.conversationTokensMax),
    sources: [...sources],
  };
}

function checkFacts({ scope, promote, onStale = "list", ...rest }: FactsOptions, target: Contract, at: string): void {
  requireKeys(rest, `${at}, facts`, ["scope", "promote", "onStale"]);
  if (!MEMORY_SCOPES.includes(scope)) throw invalid(at, `the scope of facts must be one of ${MEMORY_SCOPES.join(", ")}`);
  if (scope === "key" && target.key === undefined) throw invalid(at, `the scope "key" needs a contract with a key`);
  if (onStale !== "list" && onStale !== "again") throw invalid(at, `onStale must be "list" or "again"`);
  if (promote !== undefined) requireCondition(promote, factShapes(), at, "facts.promote");
}

/** What a rule for promotion may read. */
function factShapes(): Shapes {
  const fact = z.object({ key: z.string(), value: z.unknown(), trust: z.enum(TRUSTS), label: z.array(z.string()) });
  return { fact: shapeOfSchema(jsonSchemaOf(fact, "a fact")) };
}
