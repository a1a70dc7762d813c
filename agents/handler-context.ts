/**
 * @module The typed context of a running handler. It checks each value that goes out and comes back; the runner below sees only JSON.
 */
import type { z } from "zod";
import { Fault, type Json } from "../runtime/faults.ts";
import type { Label } from "../runtime/label.ts";
import { LIMITS } from "../runtime/limits.ts";
import { type Gate, gate, requireJson } from "../runtime/schema.ts";
import { type Contract, type InputOf, type OutputOf, schemaTextOf } from "./contract.ts";
import type {
  AgentLog,
  BaseContext,
  EditedCall,
  HandlerMemory,
  HandOff,
  Principal,
  RuntimeContext,
  RuntimeUndoContext,
  SentBackOutput,
  StateContext,
  StepTools,
  WaitForOptions,
} from "./context.ts";
import { invalid, requireInt, requireName } from "./definition.ts";
import type { ToolDefinition, ToolInput, ToolOutput } from "./tool.ts";

/** What an agent's contexts check against. */
export interface FaceParts {
  readonly name: string;
  readonly state: Gate;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly asks: readonly Contract[];
  readonly handsOffTo: readonly Contract[];
}

/**
 * The context of one execution of a handler. It is a class because an object literal with getters gets a hidden class of its own for
 * each execution, which keeps everything it refers to alive until the next full collection. Methods are own properties, so that a
 * handler may destructure its context.
 */
export class CheckedContext implements BaseContext<Contract, Contract, ToolDefinition>, StateContext<Json> {
  readonly #context: RuntimeContext;
  readonly #parts: FaceParts;
  readonly #state: CheckedState;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;
  readonly sentBack: SentBackOutput | undefined;

  constructor(context: RuntimeContext, parts: FaceParts) {
    this.#context = context;
    this.#parts = parts;
    this.#state = new CheckedState(context, parts.state);
    this.log = context.log;
    this.principal = context.principal;
    this.attempt = context.attempt;
    this.processId = context.processId;
    this.sentBack = context.sentBack;
  }

  get state(): Json {
    return this.#state.current;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  readonly setState = (next: unknown): void => this.#state.set(next);

  readonly call = <T extends ToolDefinition>(tool: T, input: ToolInput<T>, edited?: (edit: EditedCall) => void): Promise<ToolOutput<T>> =>
    handled(this.#call(tool, input, edited));

  async #call<T extends ToolDefinition>(tool: T, input: ToolInput<T>, edited?: (edit: EditedCall) => void): Promise<ToolOutput<T>> {
    const { name, tools } = this.#parts;
    requireKind(tool, "tool", `agent ${JSON.stringify(name)}`, "call");
    if (tools.get(tool.name) !== tool)
      throw new Fault("tool.undeclared", `agent ${name} called ${tool.name}, which is not in its tools; add it there`, { agent: name });
    // The gates change nothing, so a value that passed the tool's gate is of its output type.
    return (await this.#context.call(tool, tool.checkInput(input), edited)) as ToolOutput<T>;
  }

  readonly step = <R>(name: string, action: (tools: StepTools) => R | Promise<R>): Promise<R> => handled(this.#step(name, action));

  async #step<R>(name: string, action: (tools: StepTools) => R | Promise<R>): Promise<R> {
    const what = `result of step ${JSON.stringify(name)} of agent ${this.#parts.name}`;
    if (typeof name !== "string" || name === "") throw invalid(what, "a step needs a name, as a non-empty string");
    // The record holds what the function returned, as JSON, so it is an R again.
    return (await this.#context.step(name, async (step) => requireJson((await action(step)) ?? null, what, "schema.output"))) as R;
  }

  readonly ask = <C extends Contract>(target: C, input: InputOf<C>): Promise<OutputOf<C>> => handled(this.askAs(target, input));

  /** As `ask`, and says what the label of the answer is. */
  async askAs<C extends Contract>(target: C, input: InputOf<C>, received?: (label: Label | undefined) => void): Promise<OutputOf<C>> {
    const { name, asks } = this.#parts;
    requireKind(target, "contract", `agent ${JSON.stringify(name)}`, "ask");
    requireDeclared(
      target,
      asks,
      () =>
        new Fault("ask.undeclared", `agent ${name} asked ${target.name}, which is not in its asks; add it there`, {
          agent: name,
          target: target.name,
        }),
    );
    const answer = await this.#context.ask(target, target.checkInput(input), received);
    // The gate changes nothing, so a value that passed it is of the contract's output type.
    return target.checkOutput(answer) as OutputOf<C>;
  }

  readonly sleep = (ms: number): Promise<void> => handled(this.#sleep(ms));

  async #sleep(ms: number): Promise<void> {
    return this.#context.sleep(requireInt(ms, `sleep of agent ${this.#parts.name}`, "ms", 0, LIMITS.sleepMsMax));
  }

  readonly waitFor = <S extends z.ZodType>(name: string, schema: S, options: WaitForOptions = {}): Promise<z.infer<S>> =>
    handled(this.#waitFor(name, schema, options));

  async #waitFor<S extends z.ZodType>(name: string, schema: S, options: WaitForOptions): Promise<z.infer<S>> {
    const what = `signal ${JSON.stringify(name)} to agent ${this.#parts.name}`;
    requireName(name, "signal");
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) requireInt(timeoutMs, what, "timeoutMs", 1, LIMITS.sleepMsMax);
    const payload = await this.#context.waitFor(
      name,
      schemaTextOf(schema, `schema of ${what}`),
      timeoutMs === undefined ? {} : { timeoutMs },
    );
    // The gate changes nothing, so a value that passed it is of the schema's type.
    return gate(schema, what, "schema.signal").check(payload) as z.infer<S>;
  }

  readonly handOff = <C extends Contract>(target: C, input: InputOf<C>): HandOff => {
    const { name, handsOffTo } = this.#parts;
    requireKind(target, "contract", `agent ${JSON.stringify(name)}`, "handOff");
    requireDeclared(
      target,
      handsOffTo,
      () =>
        new Fault("handoff.undeclared", `agent ${name} handed off to ${target.name}, which is not in its handsOffTo; add it there`, {
          agent: name,
          target: target.name,
        }),
    );
    return this.#context.handOff(target, target.checkInput(input));
  };

  get memory(): HandlerMemory {
    const { memory } = this.#context;
    const { name } = this.#parts;
    if (memory === undefined) throw invalid(`agent ${JSON.stringify(name)}`, "it uses ctx.memory, but declares no memory");
    return {
      remember: (draft) =>
        handled(memory.remember({ ...draft, value: requireJson(draft.value, `fact of agent ${name}`, "memory.invalid") })),
      recall: (query = {}) => handled(memory.recall(query).then(({ facts }) => facts)),
      forget: (id) => handled(memory.forget(id)),
    };
  }

  readonly now = (): number => this.#context.now();

  readonly uuid = (): string => this.#context.uuid();
}

/** The context of an agent's own undo. */
export class CheckedUndoContext implements StateContext<Json> {
  readonly #context: RuntimeUndoContext;
  readonly #state: CheckedState;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;
  readonly idempotencyKey: string;

  constructor(context: RuntimeUndoContext, state: Gate) {
    this.#context = context;
    this.#state = new CheckedState(context, state);
    this.log = context.log;
    this.principal = context.principal;
    this.attempt = context.attempt;
    this.processId = context.processId;
    this.idempotencyKey = context.idempotencyKey;
  }

  get state(): Json {
    return this.#state.current;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  readonly setState = (next: unknown): void => this.#state.set(next);

  readonly now = (): number => this.#context.now();
}

/** Rejects a recorded state that does not fit this version's schema (`schema.state`), before a handler reads it. */
class CheckedState {
  readonly #holder: Pick<RuntimeContext, "state" | "setState">;
  readonly #gate: Gate;
  #checked: Json = null;

  constructor(holder: Pick<RuntimeContext, "state" | "setState">, gate: Gate) {
    this.#holder = holder;
    this.#gate = gate;
  }

  get current(): Json {
    const { state } = this.#holder;
    if (state !== this.#checked) this.#checked = this.#gate.check(state);
    return this.#checked;
  }

  set(next: unknown): void {
    this.#holder.setState(this.#gate.check(next));
  }
}

/** A failed call that is not awaited must not end the program as an unhandled rejection. An awaited call still rejects. */
function handled<T>(made: Promise<T>): Promise<T> {
  made.catch(() => {});
  return made;
}

/** Rejects a first argument of another kind, which only a program without types can give. */
function requireKind(given: { readonly kind: string } | null | undefined, kind: "tool" | "contract", where: string, method: string): void {
  if (given?.kind !== kind) throw invalid(where, `the first argument of ctx.${method} must be a ${kind}`);
}

function requireDeclared(target: Contract, declared: readonly Contract[], fault: () => Fault): void {
  if (!declared.some((item) => item.name === target.name)) throw fault();
}
