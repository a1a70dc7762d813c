/** @module Checks the options of a model and binds them to the contract of its agent. */
import type { Grant } from "../../runtime/budget.ts";
import { type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { objectForm } from "../../runtime/model/as-object.ts";
import { REPAIR_DEFAULT, type Rung, RUNGS } from "../../runtime/model/ladder.ts";
import { fixedPart } from "../../runtime/model/prompt.ts";
import type { BudgetEnd, GiveUp, LoopAnswer, LoopRules } from "../../runtime/model/rules.ts";
import { shapeOfSchema } from "../../runtime/shape.ts";
import type { Contract } from "../contract.ts";
import { invalid, requireInt, requireKeys, requireName, requireText } from "../definition.ts";
import { misfit } from "../schema-check.ts";
import type { BoundModel } from "./bound.ts";
import { type Callables, checked, functionsOf } from "./functions.ts";
import type { ModelBudget, ModelSettings } from "./model.ts";
import { runModel } from "./run.ts";

/** The settings of any model: instructions that take any input. */
type Settings = Omit<ModelSettings<Contract>, "instructions"> & { readonly instructions: string | ((input: never) => string) };

const MODEL_DEFAULT = "default";
const ANSWER_KEY = "answer";
const TEMPERATURE_MAX = 2;
const MICROS_PER_USD = 1_000_000;
const COUNT_MAX = Number.MAX_SAFE_INTEGER;
const VERSION_LENGTH_MAX = 64;

/** Binds a model to a contract. Throws `definition.invalid`, which names the agent and the option. */
export function bindModel(settings: Settings, callables: Callables, target: Contract, where: string): BoundModel {
  const functions = functionsOf(callables, where);
  const models = modelsOf(settings, where);
  const form = answerOf(target);
  const tools = [...functions.values()].map(({ name, about, input }) => ({ name, about, input }));
  const rules: LoopRules = {
    agent: target.name,
    models,
    functions,
    answer: form,
    fixed: fixedPart(tools, form.request, promptSettings(settings, where)),
    callsMax: callsMaxOf(settings, functions.size > 0, where),
    repair: repairOf(settings.repair, where),
    onGiveUp: giveUpOf(settings.onGiveUp, { target, callables, where }),
    onBudgetEnd: budgetEndOf(settings.onBudgetEnd, { target, callables, where }),
  };
  const instructions = instructionsOf(settings.instructions, where);
  const budget = settings.budget === undefined ? undefined : budgetOf(settings.budget, where);
  const used = typeof rules.onBudgetEnd === "object" && "degradeTo" in rules.onBudgetEnd ? [rules.onBudgetEnd.degradeTo] : [];
  return {
    models: [...new Set([...models, ...used])],
    budget: budget?.grant,
    handle: (input, runtime, face) => runModel({ rules, instructions, callables, timeMs: budget?.timeMs }, input, runtime, face),
  };
}

/** A plain text is the reply's text; anything else is JSON, under one key if it is no object. */
function answerOf(target: Contract): LoopAnswer {
  const check: LoopAnswer["check"] = (value) => checked((given) => target.checkOutput(given), target.output, value);
  const { $schema: _dialect, ...schema } = target.outputJsonSchema;
  if (isPlainText(schema)) return { request: undefined, under: undefined, check };
  const form = objectForm(schema, ANSWER_KEY);
  return { request: { name: target.name, schema: form.schema }, under: form.under, check };
}

const PLAIN_TEXT_KEYS = ["type", "minLength", "maxLength", "description", "title"];

function isPlainText(schema: Readonly<Record<string, Json>>): boolean {
  return schema["type"] === "string" && Object.keys(schema).every((key) => PLAIN_TEXT_KEYS.includes(key));
}

function instructionsOf(given: Settings["instructions"], where: string): (input: Json) => string {
  const checkedText = (text: string): string => requireText(text, where, "instructions", LIMITS.modelInstructionsLengthMax);
  if (typeof given === "function") return (input) => checkedText((given as (input: Json) => string)(input));
  const text = checkedText(given);
  return () => text;
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

function promptSettings({ outputTokensMax, temperature, seed, promptVersion }: Settings, where: string): LoopRules["fixed"]["settings"] {
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0 && temperature <= TEMPERATURE_MAX))
    throw invalid(where, `temperature is ${String(temperature)}, but must be from 0 to ${TEMPERATURE_MAX}`);
  const tokens = outputTokensMax ?? LIMITS.modelOutputTokensDefault;
  return {
    outputTokensMax: requireInt(tokens, where, "outputTokensMax", 1, LIMITS.modelOutputTokensMax),
    temperature,
    seed: seed === undefined ? undefined : requireInt(seed, where, "seed", 0, COUNT_MAX),
    promptVersion: promptVersion === undefined ? undefined : requireText(promptVersion, where, "promptVersion", VERSION_LENGTH_MAX),
  };
}

function callsMaxOf({ callsMax }: Settings, hasFunctions: boolean, where: string): number {
  // The last call may not call functions, so one call alone could call none.
  return requireInt(callsMax ?? LIMITS.modelCallsDefault, where, "callsMax", hasFunctions ? 2 : 1, LIMITS.modelCallsMax);
}

function repairOf(repair: readonly Rung[] | undefined, where: string): readonly Rung[] {
  if (repair === undefined) return REPAIR_DEFAULT;
  if (!Array.isArray(repair) || repair.length > LIMITS.modelRungsMax || !repair.every((rung) => RUNGS.includes(rung)))
    throw invalid(where, `repair must be a list of at most ${LIMITS.modelRungsMax} of ${RUNGS.join(", ")}`);
  return [...repair];
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

function budgetOf(budget: ModelBudget, where: string): { readonly grant: Grant | undefined; readonly timeMs: number | undefined } {
  requireKeys(budget, `${where}, budget`, ["tokens", "usd", "modelCalls", "toolCalls", "timeMs"]);
  const { tokens, usd, modelCalls, toolCalls, timeMs } = budget;
  if (usd !== undefined && !(typeof usd === "number" && usd > 0 && usd * MICROS_PER_USD <= COUNT_MAX))
    throw invalid(where, `budget.usd is ${String(usd)}, but must be a positive number of dollars`);
  const count = (field: string, value: number | undefined, min: number): Record<string, number> =>
    value === undefined ? {} : { [field]: requireInt(value, where, `budget.${field}`, min, COUNT_MAX) };
  const grant: Grant = {
    ...count("tokens", tokens, 1),
    ...(usd === undefined ? {} : { costMicros: Math.max(1, Math.floor(usd * MICROS_PER_USD)) }),
    ...count("modelCalls", modelCalls, 1),
    ...count("toolCalls", toolCalls, 0),
  };
  return {
    grant: Object.keys(grant).length === 0 ? undefined : grant,
    timeMs: timeMs === undefined ? undefined : requireInt(timeMs, where, "budget.timeMs", 1, LIMITS.sleepMsMax),
  };
}
