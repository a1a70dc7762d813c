/**
 * @module The agents of a forked run. A work item that had ended before has its recorded result; another one runs the current
 * handler, whose calls have recorded results. What other apps host has recorded results only.
 */
import { type AgentDefinition, agent as makeAgent } from "../../agents/agent.ts";
import { handOffTo, type RuntimeContext, type RuntimeUndoContext } from "../../agents/context.ts";
import type { System } from "../../agents/system.ts";
import { canonicalJson } from "../../runtime/canonical.ts";
import type { KnownWork, RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { undoWorkId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { ExecutionFacts } from "../host/execution-facts.ts";
import type { ForkCalls } from "./fork-calls.ts";
import { ForkContext, type ForkContextParts } from "./fork-context.ts";
import { ForkMemory } from "./fork-memory.ts";
import { recalledOf } from "./recalled.ts";

/** The parts of the agents of a fork. */
export interface ForkAgentsParts extends ForkContextParts {
  readonly recorded: RecordedRun;
  readonly calls: ForkCalls;
  /** The input of the work item that is forked. Absent: the recorded one. */
  readonly input: Json | undefined;
}

/** The system of a forked run. */
export function forkedSystem(system: System, parts: ForkAgentsParts): System {
  const agents = new Map<string, AgentDefinition>();
  for (const [name, definition] of system.agents) agents.set(name, forkedAgent(definition, parts));
  for (const [name, { contract }] of system.remote) {
    const own = makeAgent(contract, { handle: () => Promise.reject(new Fault("agent.unknown", `${name} runs in another app`)) });
    const known = forkedAgent(own, parts, true);
    agents.set(name, known);
  }
  return { ...system, agents, sources: new Map() };
}

function forkedAgent(definition: AgentDefinition, parts: ForkAgentsParts, isRemote = false): AgentDefinition {
  const tools = new Map([...definition.tools].map(([name, tool]) => [name, parts.calls.recorded(tool, definition.name)]));
  const forked: AgentDefinition = { ...definition, compatibleWith: [], tools };
  const mayUndo = definition.undo !== undefined || isRemote || [...tools.values()].some(({ undo }) => undo !== undefined);
  return {
    ...forked,
    handle: (input, context) => handle({ definition: forked, parts, isRemote }, input, context),
    undo: mayUndo ? (_input, _output, context) => undo(definition, parts, context) : undefined,
  };
}

interface Handling {
  readonly definition: AgentDefinition;
  readonly parts: ForkAgentsParts;
  readonly isRemote: boolean;
}

async function handle({ definition, parts, isRemote }: Handling, input: Json, context: RuntimeContext): Promise<unknown> {
  const { recorded, end, input: replaced } = parts;
  if (end.isOver || !(context instanceof ExecutionFacts)) return end.never();
  const { workId } = context;
  const known = recorded.work(workId);
  if (known !== undefined && recorded.isHeld(known)) return held(end, context);
  // With another input it is another work item.
  const isSame = known !== undefined && canonicalJson(recorded.contents.read(known.work.input)) === canonicalJson(input);
  if (isSame && known.end !== undefined && (isRemote || recorded.isGiven(known))) return given(known, known.end.result, parts, context);
  if (isRemote) return end.unknown({ agent: definition.name, what: "agent", name: definition.name, input });
  const memory =
    definition.memory &&
    new ForkMemory({
      ...{ agent: definition.name, end, now: () => context.now() },
      recalled: (act, query) => recalledOf(recorded, known, act, query, (label) => context.received(label)),
    });
  const own = new ForkContext(parts, context as ExecutionFacts & RuntimeContext, workId, definition, memory);
  const isForked = known !== undefined && known === recorded.forked && replaced !== undefined;
  return definition.handle(isForked ? definition.checkInput(replaced) : input, own);
}

/** A work item that had lost a race never ends. It waits, so that it holds up neither its actor nor the time. */
async function held(end: ForkAgentsParts["end"], context: RuntimeContext): Promise<never> {
  await context.sleep(LIMITS.sleepMsMax);
  return end.never();
}

/** The recorded result, with the state that the work item set. */
function given(
  { handler }: KnownWork,
  result: NonNullable<KnownWork["end"]>["result"],
  { recorded: { contents } }: ForkAgentsParts,
  context: RuntimeContext & ExecutionFacts,
): unknown {
  context.received(handler?.work.resultLabel);
  if (handler?.nextState !== undefined) context.setState(contents.read(handler.nextState));
  if ("fault" in result) throw Fault.fromWire(result.fault);
  if ("handOff" in result) return handOffTo(result.handOff.agent, contents.read(result.handOff.input));
  return contents.read(result.output);
}

const UNDO = undoWorkId("");

/** What was undone in the record is undone. The calls of a work item that ran here were looked at one by one before. */
async function undo(
  { name, undo: own }: AgentDefinition,
  { recorded, calls, end }: ForkAgentsParts,
  context: RuntimeUndoContext,
): Promise<void> {
  const workId = context.idempotencyKey.endsWith(UNDO) ? context.idempotencyKey.slice(0, -UNDO.length) : context.idempotencyKey;
  const known = recorded.work(workId);
  if (known !== undefined && recorded.isGiven(known)) {
    const tool = calls.standing(workId);
    if (tool !== undefined) await end.unknown({ agent: name, what: "undo", name: tool });
  }
  if (own !== undefined && known?.handler?.work.agentUndid !== true) await end.unknown({ agent: name, what: "undo", name });
}
