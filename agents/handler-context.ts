/**
 * @module What a running handler sees: checks what goes out of it and what comes back; the runner under it only sees JSON.
 */
import type { z } from "zod";
import { Fault, type Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import { type Gate, gate, requireJson } from "../runtime/schema.ts";
import { type Contract, type InputOf, type OutputOf, schemaTextOf } from "./contract.ts";
import type {
  AgentLog,
  BaseContext,
  HandOff,
  Principal,
  RuntimeContext,
  RuntimeUndoContext,
  StateContext,
  StepTools,
  WaitForOptions,
} from "./context.ts";
import { invalid, requireInt, requireName } from "./definition.ts";
import type { ToolDefinition, ToolInput, ToolOutput } from "./tool.ts";

/** What the faces of an agent check by. */
export interface FaceParts {
  readonly name: string;
  readonly state: Gate;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly asks: readonly Contract[];
  readonly handsOffTo: readonly Contract[];
}

/**
 * The face of one execution of a handler. A class: an object literal with getters would be a hidden class of its own for every
 * execution, which keeps all that it held alive until the next full collection. What is called is a property of its own,
 * so that a handler may take its context apart.
 */
export class CheckedContext implements BaseContext<Contract, Contract, ToolDefinition>, StateContext<Json> {
  readonly #context: RuntimeContext;
  readonly #parts: FaceParts;
  readonly #state: CheckedState;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;

  constructor(context: RuntimeContext, parts: FaceParts) {
    this.#context = context;
    this.#parts = parts;
    this.#state = new CheckedState(context, parts.state);
    this.log = context.log;
    this.principal = context.principal;
    this.attempt = context.attempt;
    this.processId = context.processId;
  }

  get state(): Json {
    return this.#state.current;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  readonly setState = (next: unknown): void => this.#state.set(next);

  readonly call = <T extends ToolDefinition>(tool: T, input: ToolInput<T>): Promise<ToolOutput<T>> => handled(this.#call(tool, input));

  async #call<T extends ToolDefinition>(tool: T, input: ToolInput<T>): Promise<ToolOutput<T>> {
    const { name, tools } = this.#parts;
    if (tools.get(tool?.name) !== tool)
      throw new Fault("tool.undeclared", `agent ${name} called ${tool?.name}, which is not in its tools`, { agent: name });
    const { permission } = tool;
    if (permission !== undefined && !this.principal.permissions.includes(permission))
      throw new Fault("tool.forbidden", `tool ${tool.name} needs the permission ${permission}, which ${this.principal.subject} lacks`);
    // The gates change nothing, so what passed the tool's is of its output type.
    return (await this.#context.call(tool, tool.checkInput(input))) as ToolOutput<T>;
  }

  readonly step = <R>(name: string, action: (tools: StepTools) => R | Promise<R>): Promise<R> => handled(this.#step(name, action));

  async #step<R>(name: string, action: (tools: StepTools) => R | Promise<R>): Promise<R> {
    const what = `result of step ${JSON.stringify(name)} of agent ${this.#parts.name}`;
    if (typeof name !== "string" || name === "") throw invalid(what, "a step has a name");
    // What was recorded is what the action gave, as JSON, so it is an R again.
    return (await this.#context.step(name, async (step) => requireJson((await action(step)) ?? null, what, "schema.output"))) as R;
  }

  readonly ask = <C extends Contract>(target: C, input: InputOf<C>): Promise<OutputOf<C>> => handled(this.#ask(target, input));

  async #ask<C extends Contract>(target: C, input: InputOf<C>): Promise<OutputOf<C>> {
    const { name, asks } = this.#parts;
    requireDeclared(
      target,
      asks,
      () =>
        new Fault("ask.undeclared", `agent ${name} asked ${target.name}, which is not in its asks`, { agent: name, target: target.name }),
    );
    const answer = await this.#context.ask(target, target.checkInput(input));
    // The gate changes nothing, so what passed it is of the contract's output type.
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
    const payload = await this.#context.waitFor(name, schemaTextOf(schema, what), timeoutMs === undefined ? {} : { timeoutMs });
    // The gate changes nothing, so what passed it is of the schema's type.
    return gate(schema, what, "schema.signal").check(payload) as z.infer<S>;
  }

  readonly handOff = <C extends Contract>(target: C, input: InputOf<C>): HandOff => {
    const { name, handsOffTo } = this.#parts;
    requireDeclared(
      target,
      handsOffTo,
      () =>
        new Fault("handoff.undeclared", `agent ${name} handed off to ${target.name}, which is not in its handsOffTo`, {
          agent: name,
          target: target.name,
        }),
    );
    return this.#context.handOff(target, target.checkInput(input));
  };

  readonly now = (): number => this.#context.now();

  readonly uuid = (): string => this.#context.uuid();
}

/** The face of an agent's own undo. */
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

/** State that another version of the schema let in is refused before a handler takes it for its own: `schema.state`. */
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

/** A call that nobody waits for must not end the program when it fails; who waits for it hears of it all the same. */
function handled<T>(made: Promise<T>): Promise<T> {
  made.catch(() => {});
  return made;
}

function requireDeclared(target: Contract, declared: readonly Contract[], fault: () => Fault): void {
  if (!declared.some((item) => item.name === target.name)) throw fault();
}
