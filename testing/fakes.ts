/** @module Fakes: handlers that replace those of a system's agents in a test. */
import type { AgentDefinition, Answer } from "../agents/agent.ts";
import type { RuntimeContext } from "../agents/context.ts";
import type { Contract, InputOf, OutputOf } from "../agents/contract.ts";
import type { System } from "../agents/system.ts";
import { canonicalJson } from "../runtime/canonical.ts";
import { Fault, type Json } from "../runtime/faults.ts";

/** A handler that replaces an agent's. The engine checks its input and output, as for the real one. */
export type FakeHandler = (input: Json, context: RuntimeContext) => unknown;

/** A fake with the types of its agent's contract; made by {@link fake}. */
export interface Fake {
  readonly contract: Contract;
  readonly handle: FakeHandler;
}

/** The fakes of a system: made by {@link fake}, or untyped handlers by agent name. */
export type Fakes = readonly Fake[] | Readonly<Record<string, FakeHandler>>;

/** Makes a handler that replaces an agent's, typed by its contract: `fake(Planner, (trip) => ({ city: "Rome" }))`. */
export function fake<C extends Contract>(contract: C, handle: (input: InputOf<C>, context: RuntimeContext) => Answer<OutputOf<C>>): Fake {
  // The input has passed the contract's schema, which changes nothing, so it is an InputOf<C>.
  return { contract, handle: (input, context) => handle(input as InputOf<C>, context) };
}

/** Returns the system with fakes in place of handlers. @throws `agent.unknown`; `definition.invalid` if the contract differs */
export function withFakes(system: System, fakes: Fakes): System {
  const agents = new Map<string, AgentDefinition>(system.agents);
  for (const [name, handle, contract] of entriesOf(fakes)) {
    const definition = agents.get(name);
    if (definition === undefined) throw new Fault("agent.unknown", `the system has no agent ${JSON.stringify(name)} to fake`);
    if (contract !== undefined && !isSame(contract, definition.contract))
      throw new Fault("definition.invalid", `the fake of agent ${JSON.stringify(name)} has a contract that differs from the system's`);
    agents.set(name, { ...definition, handle: async (input, context) => handle(input, context) });
  }
  return { ...system, agents };
}

type Entry = readonly [name: string, handle: FakeHandler, contract?: Contract];

function entriesOf(fakes: Fakes): readonly Entry[] {
  return isList(fakes) ? fakes.map(({ contract, handle }): Entry => [contract.name, handle, contract]) : Object.entries(fakes);
}

function isList(fakes: Fakes): fakes is readonly Fake[] {
  return Array.isArray(fakes);
}

function isSame(one: Contract, other: Contract): boolean {
  const facts = ({ version, inputJsonSchema, outputJsonSchema }: Contract): string =>
    canonicalJson([version, inputJsonSchema, outputJsonSchema]);
  return one === other || facts(one) === facts(other);
}
