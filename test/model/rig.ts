/** @module A runner without records for tests of model agents: scripted replies in, requests out. */
import {
  type AgentDefinition,
  Fault,
  type FaultCode,
  handOffTo,
  type Json,
  type RuntimeContext,
  type ToolDefinition,
} from "../../agents/index.ts";
import type { ClaimCounts } from "../../runtime/model/claims.ts";
import type { Purse } from "../../runtime/model/rules.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";

/** A scripted reply of a model, or the fault that the call ends with. */
export type Scripted = ModelReply | Fault;

/** A reply with what is usual. */
export function reply(parts: Partial<ModelReply>): ModelReply {
  return { text: "", calls: [], finish: parts.calls === undefined ? "stop" : "calls", model: "m-1", endpoint: "e-1", ...parts };
}

/** A reply that calls functions: name and arguments of each. */
export function calls(...asked: readonly (readonly [name: string, given: unknown, id?: string])[]): ModelReply {
  return reply({
    calls: asked.map(([name, given, id], index) => ({
      id: id ?? `id-${name}-${index}-${JSON.stringify(given)}`,
      name,
      arguments: typeof given === "string" ? given : JSON.stringify(given),
    })),
  });
}

/** A reply with an answer. */
export function answer(value: unknown): ModelReply {
  return reply({ text: typeof value === "string" ? value : JSON.stringify(value) });
}

/** A fault of a model call. */
export function fault(code: FaultCode, details?: Readonly<Record<string, Json>>): Fault {
  return new Fault(code, `the model said ${code}`, details);
}

/** What a run did. */
export interface Ran {
  readonly result: unknown;
  readonly requests: readonly ModelCall[];
  /** Tools and asks in the order in which they were begun. */
  readonly made: readonly (readonly [name: string, input: Json])[];
  /** Claims of its answers that were checked. */
  readonly claims: readonly ClaimCounts[];
}

/** How a run is driven. */
export interface RunOptions {
  readonly script: readonly Scripted[] | ((call: ModelCall, index: number) => Scripted);
  readonly answers?: (agent: string, input: Json) => Json;
  readonly permissions?: readonly string[];
  readonly budget?: Purse;
}

/** Runs an agent over a script. The result is the answer, or the thrown fault. */
export async function run(
  definition: AgentDefinition,
  input: Json,
  { script, answers, permissions = [], budget }: RunOptions,
): Promise<Ran> {
  const requests: ModelCall[] = [];
  const made: (readonly [string, Json])[] = [];
  const claims: ClaimCounts[] = [];
  const { signal } = new AbortController();
  const context: RuntimeContext = {
    state: null,
    signal,
    label: [],
    inputLabel: [],
    setState: () => {},
    call: async (tool: ToolDefinition, given) => {
      made.push([tool.name, given]);
      return tool.checkOutput(await tool.run(given, { idempotencyKey: `key-${made.length}`, signal, attempt: 1 }));
    },
    step: () => Promise.reject(new Error("no steps")),
    sleep: () => new Promise(() => {}),
    waitFor: () => Promise.reject(new Error("no signals")),
    ask: async (target, given) => {
      made.push([target.name, given]);
      return answers?.(target.name, given) ?? null;
    },
    handOff: (target, given) => handOffTo(target.name, given),
    chat: async (call) => {
      requests.push(structuredClone(call));
      const next = typeof script === "function" ? script(call, requests.length - 1) : script[requests.length - 1];
      if (next === undefined) throw new Error(`the script has no reply ${requests.length}`);
      if (next instanceof Fault) throw next;
      return next;
    },
    noteClaims: (found) => void claims.push(found),
    budget: budget ?? { grant: undefined, spent: { toolCalls: 0, models: {} } },
    now: () => 5,
    uuid: () => "u",
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    principal: { subject: "s", tenant: "t", permissions },
    attempt: 1,
    processId: "p",
  };
  const result: unknown = await definition.handle(definition.checkInput(input), context).catch((error: unknown) => error);
  return { result, requests, made, claims };
}
