/** @module Checks the options of a model and binds them to the contract of its agent. */
import type { Grant } from "../../runtime/budget.ts";
import { type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { objectForm } from "../../runtime/model/as-object.ts";
import { CLAIM_KINDS } from "../../runtime/model/claims.ts";
import type { Grounding } from "../../runtime/model/grounding.ts";
import { REPAIR_DEFAULT, type Rung, RUNGS } from "../../runtime/model/ladder.ts";
import type { ModelRetry } from "../../runtime/model/retry.ts";
import { fixedPart } from "../../runtime/model/prompt.ts";
import type { BudgetEnd, GiveUp, LoopAnswer, LoopRules } from "../../runtime/model/rules.ts";
import { shapeOfSchema } from "../../runtime/shape.ts";
import { budgetOf } from "../budget.ts";
import type { Contract } from "../contract.ts";
import { invalid, requireInt, requireKeys, requireName } from "../definition.ts";
import { misfit } from "../schema-check.ts";
import type { BoundModel } from "./bound.ts";
import { type Callables, checked, functionsOf } from "./functions.ts";
import type { ModelBudget, ModelSettings } from "./model.ts";
import { offeredTo } from "./offered.ts";
import { type GivenInstructions, promptsOf, released } from "./prompts.ts";
import { runModel } from "./run.ts";

/** The settings of any model: functions that take any input. */
type Settings = Omit<ModelSettings<Contract>, "instructions" | "check"> & {
  readonly instructions: GivenInstructions;
  readonly check?: ((answer: never, input: never) => readonly string[]) | undefined;
};

const MODEL_DEFAULT = "default";
const ANSWER_KEY = "answer";
const TEMPERATURE_MAX = 2;
const SEED_MAX = Number.MAX_SAFE_INTEGER;
const PRIORITY_MAX = 100;

/** Binds a model to a contract. Throws `definition.invalid`, which names the agent and the option. */
export function bindModel(settings: Settings, callables: Callables, target: Contract, where: string): BoundModel {
  const functions = functionsOf(callables, where);
  const models = modelsOf(settings, where);
  const form = answerOf(target, settings.check, where);
  const tools = [...functions.values()].map(({ name, about, input }) => ({ name, about, input }));
  const prompts = promptsOf(settings.instructions, settings.prompt, where);
  const rules: LoopRules = {
    agent: target.name,
    promptVersion: prompts.use,
    models,
    functions,
    answer: form,
    grounding: groundingOf(settings.grounding, where),
    readsData: callables.asks.length > 0 || callables.memory !== undefined || callables.tools.some(({ untrusted }) => untrusted),
    fixed: fixedPart(tools, form.request, promptSettings(settings, where)),
    retry: settings.retry === undefined ? undefined : modelRetryOf(settings.retry, where),
    priority: settings.priority === undefined ? undefined : requireInt(settings.priority, where, "priority", -PRIORITY_MAX, PRIORITY_MAX),
    callsMax: callsMaxOf(settings, functions.size > 0, where),
    repair: repairOf(settings.repair, where),
    onGiveUp: giveUpOf(settings.onGiveUp, { target, callables, where }),
    onBudgetEnd: budgetEndOf(settings.onBudgetEnd, { target, callables, where }),
  };
  const offered = offeredTo(rules, callables.tools);
  const budget = settings.budget === undefined ? undefined : modelBudgetOf(settings.budget, where);
  const used = typeof rules.onBudgetEnd === "object" && "degradeTo" in rules.onBudgetEnd ? [rules.onBudgetEnd.degradeTo] : [];
  return {
    models: [...new Set([...models, ...used])],
    prompts: prompts.names,
    prompt: prompts.use,
    budget: budget?.grant,
    handle: async (input, runtime, face) => {
      const { release, principal } = runtime;
      const instructions = prompts.of(release?.prompt);
      const run = { rules: released(offered(principal), release), instructions, callables, timeMs: budget?.timeMs };
      return runModel(run, input, runtime, face);
    },
  };
}

/** A plain text is the reply's text; anything else is JSON, under one key if it is no object. */
function answerOf(target: Contract, check: Settings["check"], where: string): LoopAnswer {
  if (check !== undefined && typeof check !== "function") throw invalid(where, "check must be a function");
  const gate: LoopAnswer["check"] = (value, input) => {
    const fits = checked((given) => target.checkOutput(given), target.output, value);
    // The value has passed the contract's gate, which changes nothing, so it is of the types that the check takes.
    const wrong = "value" in fits ? check?.(value as never, input as never) : undefined;
    return wrong === undefined || wrong.length === 0 ? fits : { violations: wrong };
  };
  const { $schema: _dialect, ...schema } = target.outputJsonSchema;
  if (isPlainText(schema)) return { request: undefined, under: undefined, check: gate };
  const form = objectForm(schema, ANSWER_KEY);
  return { request: { name: target.name, schema: form.schema }, under: form.under, check: gate };
}

const PLAIN_TEXT_KEYS = ["type", "minLength", "maxLength", "description", "title"];

function isPlainText(schema: Readonly<Record<string, Json>>): boolean {
  return schema["type"] === "string" && Object.keys(schema).every((key) => PLAIN_TEXT_KEYS.includes(key));
}

function modelsOf({ model, fallback = [] }: Settings, where: string): readonly [string, ...string[]] {
  if (!Array.isArray(fallback)) throw invalid(where, "fallback must be a list of names of models");
  if (fallback.length > LIMITS.modelFallbacksMax)
    throw invalid(where, `fallback names ${fallback.length} models, at most ${LIMITS.modelFallbacksMax} are allowed`);
  const first = model === undefined ? MODEL_DEFAULT : modelName(model, where, "model");
  const others = (fallback as readonly string[]).map((name) => modelName(name, where, "fallback"));
  const twice = others.find((name, index) => name === first || others.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(where, `fallback names the model ${JSON.stringify(twice)} again`);
  return [first, ...others];
}

function modelName(name: string, where: string, field: string): string {
  return requireName(name, `${where}, ${field}: model`);
}

function promptSettings({ outputTokensMax, temperature, seed }: Settings, where: string): LoopRules["fixed"]["settings"] {
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0 && temperature <= TEMPERATURE_MAX))
    throw invalid(where, `temperature is ${String(temperature)}, but must be from 0 to ${TEMPERATURE_MAX}`);
  const tokens = outputTokensMax ?? LIMITS.modelOutputTokensDefault;
  return {
    outputTokensMax: requireInt(tokens, where, "outputTokensMax", 1, LIMITS.modelOutputTokensMax),
    temperature,
    seed: seed === undefined ? undefined : requireInt(seed, where, "seed", 0, SEED_MAX),
  };
}

function callsMaxOf({ callsMax }: Settings, hasFunctions: boolean, where: string): number {
  // The last call may not call functions, so one call alone could call none.
  return requireInt(callsMax ?? LIMITS.modelCallsDefault, where, "callsMax", hasFunctions ? 2 : 1, LIMITS.modelCallsMax);
}

function modelRetryOf(retry: Partial<ModelRetry>, where: string): Partial<ModelRetry> {
  const maxima = {
    triesMax: LIMITS.attemptsMax,
    backoffMs: LIMITS.backoffMsMax,
    backoffMsMax: LIMITS.backoffMsMax,
    elapsedMsMax: LIMITS.stopTimeoutMsMax,
    retryAfterMsMax: LIMITS.retryAfterMsMax,
  };
  requireKeys(retry, `${where}, retry`, Object.keys(maxima));
  for (const [field, max] of Object.entries(maxima)) {
    const value = retry[field as keyof ModelRetry];
    if (value !== undefined) requireInt(value, where, `retry.${field}`, field === "triesMax" ? 1 : 0, max);
  }
  return { ...retry };
}

function repairOf(repair: readonly Rung[] | undefined, where: string): readonly Rung[] {
  if (repair === undefined) return REPAIR_DEFAULT;
  if (!Array.isArray(repair) || repair.length > LIMITS.modelRungsMax || !repair.every((rung) => RUNGS.includes(rung)))
    throw invalid(where, `repair must be a list of at most ${LIMITS.modelRungsMax} of ${RUNGS.join(", ")}`);
  return [...repair];
}

function groundingOf(given: Settings["grounding"], where: string): Grounding | undefined {
  if (given === undefined) return undefined;
  const { onUngrounded, kinds } = typeof given === "string" ? { onUngrounded: given, kinds: CLAIM_KINDS } : given;
  if (typeof given === "object") requireKeys(given, `${where}, grounding`, ["onUngrounded", "kinds"]);
  if (onUngrounded !== "refuse" && onUngrounded !== "count")
    throw invalid(where, 'grounding must be "refuse", "count" or { onUngrounded, kinds }');
  if (!Array.isArray(kinds) || kinds.length === 0 || !kinds.every((kind) => CLAIM_KINDS.includes(kind)))
    throw invalid(where, `grounding.kinds must be a list of ${CLAIM_KINDS.join(", ")}`);
  return { onUngrounded, kinds: [...kinds] };
}

interface Place {
  readonly target: Contract;
  readonly callables: Callables;
  readonly where: string;
}

function giveUpOf(given: Settings["onGiveUp"], place: Place): GiveUp {
  if (given === undefined || given === "fault") return "fault";
  return { handOff: handOffOf(given, place, "onGiveUp", '"fault"') };
}

function budgetEndOf(given: Settings["onBudgetEnd"], place: Place): BudgetEnd {
  if (given === undefined || given === "stop" || given === "degrade") return given ?? "stop";
  if (typeof given === "object" && given !== null && "degradeTo" in given) {
    requireKeys(given, `${place.where}, onBudgetEnd`, ["degradeTo"]);
    return { degradeTo: modelName(given.degradeTo, place.where, "onBudgetEnd") };
  }
  return { handOff: handOffOf(given, place, "onBudgetEnd", '"stop", "degrade", { degradeTo }') };
}

/** The agent that answers instead takes the input of this one, which must fit it. */
function handOffOf(given: { readonly handOff: Contract }, { target, callables, where }: Place, field: string, others: string): string {
  if (typeof given !== "object" || given === null || given.handOff?.kind !== "contract")
    throw invalid(where, `${field} must be ${others} or { handOff } with a contract`);
  requireKeys(given, `${where}, ${field}`, ["handOff"]);
  const { name, inputJsonSchema } = given.handOff;
  if (!callables.handsOffTo.some((item) => item.name === name))
    throw invalid(where, `${field} hands off to ${name}, which is not in handsOffTo; add it there`);
  const input = shapeOfSchema(target.inputJsonSchema);
  const wrong = misfit({ from: ["input"] }, { input }, shapeOfSchema(inputJsonSchema));
  if (wrong !== undefined) throw invalid(where, `${field} hands off to ${name}, which does not take the input of this agent: ${wrong}`);
  return name;
}

function modelBudgetOf({ timeMs, ...budget }: ModelBudget, where: string): { readonly grant?: Grant; readonly timeMs?: number } {
  if (timeMs === undefined) return { grant: budgetOf(budget, where) };
  requireInt(timeMs, where, "budget.timeMs", 1, LIMITS.sleepMsMax);
  return Object.keys(budget).length === 0 ? { timeMs } : { grant: budgetOf(budget, where), timeMs };
}
