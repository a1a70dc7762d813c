/**
 * @module What a running handler sees: checks what goes out of it and what comes back; the runner under it only sees JSON.
 */
import { Fault, type Json } from "../runtime/faults.ts";
import { type Gate, requireJson } from "../runtime/schema.ts";
import type { Contract, InputOf, OutputOf } from "./contract.ts";
import type { AgentLog, BaseContext, HandOff, Principal, RuntimeContext, StateContext, StepOptions, StepTools } from "./context.ts";

/**
 * The face of one run of a handler. A class: an object literal with getters would be a hidden class of its own for every
 * run, which keeps all that the run held alive until the next full collection. What is called is a property of its own,
 * so that a handler may take its context apart.
 */
export class CheckedContext implements BaseContext<Contract, Contract>, StateContext<Json> {
  readonly #context: RuntimeContext;
  readonly #name: string;
  readonly #state: Gate;
  readonly #asks: readonly Contract[];
  readonly #handsOffTo: readonly Contract[];
  #checked: Json = null;
  readonly log: AgentLog;
  readonly principal: Principal;
  readonly attempt: number;
  readonly processId: string;

  constructor(context: RuntimeContext, name: string, state: Gate, asks: readonly Contract[], handsOffTo: readonly Contract[]) {
    this.#context = context;
    this.#name = name;
    this.#state = state;
    this.#asks = asks;
    this.#handsOffTo = handsOffTo;
    this.log = context.log;
    this.principal = context.principal;
    this.attempt = context.attempt;
    this.processId = context.processId;
  }

  /** State that another version of the schema let in is refused before the handler takes it for its own. Throws `schema.state`. */
  get state(): Json {
    const { state } = this.#context;
    if (state !== this.#checked) this.#checked = this.#state.check(state);
    return this.#checked;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  readonly setState = (next: unknown): void => this.#context.setState(this.#state.check(next));

  readonly step = <R>(step: string, action: (tools: StepTools) => R | Promise<R>, options?: StepOptions<R>): Promise<R> =>
    runStep(this.#context, this.#name, step, action, options);

  readonly ask = async <C extends Contract>(target: C, input: InputOf<C>): Promise<OutputOf<C>> => {
    requireDeclared(
      target,
      this.#asks,
      () =>
        new Fault("ask.undeclared", `agent ${this.#name} asked ${target.name}, which is not in its asks`, {
          agent: this.#name,
          target: target.name,
        }),
    );
    const answer = await this.#context.ask(target, target.checkInput(input));
    // The gate changes nothing, so what passed it is of the contract's output type.
    return target.checkOutput(answer) as OutputOf<C>;
  };

  readonly handOff = <C extends Contract>(target: C, input: InputOf<C>): HandOff => {
    requireDeclared(
      target,
      this.#handsOffTo,
      () =>
        new Fault("handoff.undeclared", `agent ${this.#name} handed off to ${target.name}, which is not in its handsOffTo`, {
          agent: this.#name,
          target: target.name,
        }),
    );
    return this.#context.handOff(target, target.checkInput(input));
  };

  readonly now = (): number => this.#context.now();

  readonly uuid = (): string => this.#context.uuid();
}

async function runStep<R>(
  context: RuntimeContext,
  agentName: string,
  name: string,
  action: (step: StepTools) => R | Promise<R>,
  options: StepOptions<R> | undefined,
): Promise<R> {
  const what = `step ${JSON.stringify(name)} of agent ${agentName}`;
  const { undo, input } = options ?? {};
  const recorded = await context.step(
    name,
    async (step) => requireJson((await action(step)) ?? null, `result of ${what}`, "schema.output"),
    {
      // What was recorded is what the action gave, as JSON, so it is an R again.
      ...(undo === undefined ? {} : { undo: (result: Json | undefined, step: StepTools) => undo(result as R | undefined, step) }),
      ...(input === undefined ? {} : { input: requireJson(input, `input of ${what}`, "schema.output") }),
    },
  );
  return recorded as R;
}

function requireDeclared(target: Contract, declared: readonly Contract[], fault: () => Fault): void {
  if (!declared.some((item) => item.name === target.name)) throw fault();
}
