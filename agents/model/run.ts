/** @module Runs the loop of a model agent over the context of its handler: it asks the model and makes the calls that the loop wants. */
import { Fault, isFault, type Json } from "../../runtime/faults.ts";
import { begin, type CallResult, failed, replied, returned, timeEnded } from "../../runtime/model/loop.ts";
import type { Step } from "../../runtime/model/loop-state.ts";
import type { GatedCall } from "../../runtime/model/reply-gate.ts";
import type { ModelCall } from "../../runtime/model/conversation.ts";
import type { LoopRules } from "../../runtime/model/rules.ts";
import type { Contract } from "../contract.ts";
import type { Label } from "../../runtime/label.ts";
import type { EditedCall, RuntimeContext } from "../context.ts";
import { invalid } from "../definition.ts";
import type { CheckedContext } from "../handler-context.ts";
import { faultLabelOf, outputLabelOf } from "../tool.ts";
import type { Callables } from "./functions.ts";
import { callMemory } from "./memory-functions.ts";
import { keepTurn, remembered } from "./remembering.ts";

/** A loop bound to its agent. */
export interface ModelRun {
  readonly rules: LoopRules;
  readonly instructions: (input: Json) => string;
  readonly callables: Callables;
  /** Time of one work item, over all its attempts. */
  readonly timeMs: number | undefined;
}

/** Runs the loop. Returns the answer or a hand-off, or throws a coded fault. */
export async function runModel(run: ModelRun, input: Json, runtime: RuntimeContext, face: CheckedContext): Promise<unknown> {
  const { rules, timeMs } = run;
  const { inputLabel: label, sentBack } = runtime;
  const remembering = { rules, memory: run.callables.memory };
  const shown = await remembered(remembering, input, runtime);
  let step = begin(rules, { instructions: run.instructions(input), input, label, sentBack, remembered: shown }, runtime.budget);
  // A recorded wait, so that its end comes at the same point when the handler runs again.
  const timeUp = timeMs === undefined ? undefined : face.sleep(timeMs).then(() => "time-up" as const);
  for (;;) {
    const { next } = step;
    switch (next.kind) {
      case "model":
      case "calls": {
        const made = next.kind === "model" ? chat(rules, step, next.call, runtime) : makeAll(run, step, next.calls, runtime, face);
        const first = timeUp === undefined ? await made : await Promise.race([made, timeUp]);
        step = first === "time-up" ? timeEnded(rules, step.state, timeMs ?? 0) : first;
        break;
      }
      case "answer":
        if (next.claims !== undefined) runtime.noteClaims(next.claims);
        await keepTurn(remembering, input, next.value, runtime);
        return next.value;
      case "hand-off":
        return face.handOff(contractOf(run.callables.handsOffTo, next.target, rules.agent), next.input);
      case "fault":
        throw next.fault;
    }
  }
}

async function chat(rules: LoopRules, { state }: Step, call: ModelCall, runtime: RuntimeContext): Promise<Step> {
  let reply;
  try {
    reply = await runtime.chat(call);
  } catch (error) {
    if (!isFault(error) || runtime.signal.aborted) throw error;
    return failed(rules, state, error, runtime.budget);
  }
  return replied(rules, state, reply, runtime.budget);
}

async function makeAll(
  run: ModelRun,
  { state }: Step,
  calls: readonly GatedCall[],
  runtime: RuntimeContext,
  face: CheckedContext,
): Promise<Step> {
  const results = await Promise.all(calls.map((call) => make(run, call, face, runtime.memory)));
  return returned(run.rules, state, results, runtime.budget);
}

/** Makes a call. A fault is a result: whether the run goes on after it is the loop's decision. */
async function make(
  { callables, rules }: ModelRun,
  { function: { kind, target }, input }: GatedCall,
  face: CheckedContext,
  memory: RuntimeContext["memory"],
): Promise<CallResult> {
  let label: Label | undefined;
  try {
    if (kind === "memory" && memory !== undefined) return await callMemory(memory, target, input);
    if (kind === "ask") {
      const asked = contractOf(callables.asks, target, rules.agent);
      const output = (await face.askAs(asked, input, (received) => (label = received))) as Json;
      return { output, label };
    }
    const tool = callables.tools.find(({ name }) => name === target);
    if (tool === undefined) throw invalid(`agent ${rules.agent}`, `there is no tool ${target}`);
    let edited: EditedCall | undefined;
    const output = (await face.call(tool, input, (edit) => (edited = edit))) as Json;
    return { output, edited, label: outputLabelOf(tool) };
  } catch (error) {
    if (!isFault(error) || face.signal.aborted) throw error;
    // A store that does not answer is not recorded, and a replay may read what this execution could not: the attempt fails.
    if (kind === "memory" && error.retryable) throw error;
    const tool = kind === "tool" && isOfTool(error.code) ? callables.tools.find(({ name }) => name === target) : undefined;
    return { fault: error, label: tool === undefined ? label : faultLabelOf(tool) };
  }
}

/** Whether a fault of a call may hold a text of its tool: not if the call was refused. */
function isOfTool(code: string): boolean {
  return !code.startsWith("tool.") && !code.startsWith("person.");
}

function contractOf(contracts: readonly Contract[], name: string, agent: string): Contract {
  const found = contracts.find((item) => item.name === name);
  if (found === undefined) throw new Fault("definition.invalid", `agent ${agent} does not declare the agent ${name}`);
  return found;
}
