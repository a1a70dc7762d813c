/**
 * @module The system as one simulated host runs it: each handler knows where it runs, and some throw as user code does.
 */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { HandOff, RuntimeContext, StepTools } from "../../agents/context.ts";
import type { System } from "../../agents/system.ts";
import type { Json } from "../../runtime/faults.ts";
import { type Life, type Place, place } from "./life.ts";
import type { World } from "./world.ts";

/** The system with handlers that run in a place. */
export function placedSystem(system: System, life: Life, world: World): System {
  const agents = new Map<string, AgentDefinition>();
  for (const [name, definition] of system.agents) {
    agents.set(name, { ...definition, handle: (input, context) => handle(definition, input, context, life, world) });
  }
  return { ...system, agents };
}

function handle(definition: AgentDefinition, input: Json, context: RuntimeContext, life: Life, world: World): Promise<unknown> {
  const workId = workIdOf(context);
  const at: Place = { life, agent: definition.name, workId, processId: context.processId };
  world.trace?.(`${life.name}: the handler of ${definition.name} begins (${workId}, attempt ${context.attempt})`);
  return place.run(at, async () => {
    if (world.faults.happens("handlerThrows", world.random.outside))
      throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw before it did anything`);
    const answer = await definition.handle(input, new PlacedContext(context, at, world));
    if (world.faults.happens("handlerThrows", world.random.outside))
      throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw when it was done`);
    world.trace?.(`${life.name}: the handler of ${definition.name} is done (${workId})`);
    return answer;
  });
}

/** The work id, which the engine's runs have and handlers are not told. */
function workIdOf(context: RuntimeContext): string {
  return "workId" in context && typeof context.workId === "string" ? context.workId : context.processId;
}

type StepOptions = Parameters<RuntimeContext["step"]>[2];

/** As the real context, and code within a step knows that it is. */
class PlacedContext implements RuntimeContext {
  readonly #context: RuntimeContext;
  readonly #at: Place;
  readonly #world: World;

  constructor(context: RuntimeContext, at: Place, world: World) {
    this.#context = context;
    this.#at = at;
    this.#world = world;
  }

  get state(): Json {
    return this.#context.state;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get log(): RuntimeContext["log"] {
    return this.#context.log;
  }

  get principal(): RuntimeContext["principal"] {
    return this.#context.principal;
  }

  get attempt(): number {
    return this.#context.attempt;
  }

  get processId(): string {
    return this.#context.processId;
  }

  setState(next: Json): void {
    this.#context.setState(next);
  }

  async step(name: string, action: (step: StepTools) => unknown, options: StepOptions): Promise<Json> {
    const { undo } = options ?? {};
    let ran = false;
    const act = (tools: StepTools): unknown => {
      ran = true;
      this.#world.trace?.(`${this.#at.life.name}: step ${name} of ${this.#at.agent} runs`);
      return this.#inStep(name, () => action(tools));
    };
    const output = await this.#context.step(name, act, {
      ...options,
      ...(undo === undefined ? {} : { undo: (result, tools) => this.#inStep(name, () => undo(result, tools)) }),
    });
    if (!ran) this.#world.trace?.(`${this.#at.life.name}: step ${name} of ${this.#at.agent} was recorded before and is not run again`);
    return output;
  }

  #inStep<R>(step: string, action: () => R): R {
    return place.run({ ...this.#at, step }, action);
  }

  ask(target: { readonly name: string }, input: Json): Promise<Json> {
    return this.#context.ask(target, input);
  }

  handOff(target: { readonly name: string }, input: Json): HandOff {
    return this.#context.handOff(target, input);
  }

  now(): number {
    return this.#context.now();
  }

  uuid(): string {
    return this.#context.uuid();
  }
}
