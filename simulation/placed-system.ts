/**
 * @module The system as one simulated host runs it: each handler knows where it runs, and some throw as user code does.
 */
import type { AgentDefinition } from "../agents/agent.ts";
import type { RuntimeContext } from "../agents/context.ts";
import type { System } from "../agents/system.ts";
import type { Json } from "../runtime/faults.ts";
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
    if (world.faults.happens("handlerThrows", world.random.outside)) throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw before it did anything`);
    const answer = await definition.handle(input, placedContext(context, at, world));
    if (world.faults.happens("handlerThrows", world.random.outside)) throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw when it was done`);
    world.trace?.(`${life.name}: the handler of ${definition.name} is done (${workId})`);
    return answer;
  });
}

/** The work id, which the engine's runs have and handlers are not told. */
function workIdOf(context: RuntimeContext): string {
  return "workId" in context && typeof context.workId === "string" ? context.workId : context.processId;
}

/** As the real context, and code within a step knows that it is. */
function placedContext(context: RuntimeContext, at: Place, world: World): RuntimeContext {
  const inStep = <R>(step: string, action: () => R): R => place.run({ ...at, step }, action);
  return {
    get state() {
      return context.state;
    },
    setState: (next) => context.setState(next),
    step: async (name, action, options) => {
      const { undo } = options ?? {};
      let ran = false;
      const output = await context.step(name, (tools) => {
        ran = true;
        world.trace?.(`${at.life.name}: step ${name} of ${at.agent} runs`);
        return inStep(name, () => action(tools));
      }, {
        ...options,
        ...(undo === undefined ? {} : { undo: (result, tools) => inStep(name, () => undo(result, tools)) }),
      });
      if (!ran) world.trace?.(`${at.life.name}: step ${name} of ${at.agent} was recorded before and is not run again`);
      return output;
    },
    ask: (target, input) => context.ask(target, input),
    handOff: (target, input) => context.handOff(target, input),
    now: () => context.now(),
    uuid: () => context.uuid(),
    get signal() {
      return context.signal;
    },
    log: context.log,
    principal: context.principal,
    attempt: context.attempt,
    processId: context.processId,
  };
}
