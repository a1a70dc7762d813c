/** @module The versions of a model agent's instructions, and the rules of its loop for the version and the model that were chosen. */
import { Fault, type Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { LoopRules } from "../../runtime/model/rules.ts";
import type { WorkRelease } from "../../runtime/release.ts";
import { invalid, requireText } from "../definition.ts";

type Instructions = (input: Json) => string;

/** Instructions as a user writes them: of any input. */
export type GivenInstructions = GivenPrompt | Readonly<Record<string, GivenPrompt>>;
type GivenPrompt = string | ((input: never) => string);

/** The checked instructions of one agent. */
export interface Prompts {
  /** Names of the versions; empty: there is one prompt without a name. */
  readonly names: readonly string[];
  /** The version of the code. Absent: there are no versions. */
  readonly use: string | undefined;
  /** @throws `prompt.unknown` */
  of(version: string | undefined): Instructions;
}

/** Checks instructions and the version that is used. Throws `definition.invalid`. */
export function promptsOf(given: GivenInstructions, use: string | undefined, where: string): Prompts {
  if (typeof given !== "object" || given === null) {
    if (use !== undefined) throw invalid(where, "prompt names a version, but instructions have none: give them as { v1: ..., v2: ... }");
    return unnamed(instructionsOf(given, where, "instructions"));
  }
  const versions = new Map<string, Instructions>();
  for (const [name, one] of Object.entries(given)) {
    if (!/^[\w.-]{1,64}$/.test(name))
      throw invalid(where, `instructions have the version ${JSON.stringify(name)}; a name has 1 to 64 characters A-Z a-z 0-9 _ . -`);
    versions.set(name, instructionsOf(one, where, `instructions.${name}`));
  }
  const names = [...versions.keys()];
  if (names.length === 0 || names.length > LIMITS.promptVersionsMax)
    throw invalid(where, `instructions have ${names.length} versions, but must have 1 to ${LIMITS.promptVersionsMax}`);
  const used = use ?? (names.length === 1 ? names[0] : undefined);
  if (used === undefined) throw invalid(where, `instructions have ${names.length} versions: name the one that is used, as prompt`);
  if (!versions.has(used)) throw invalid(where, `prompt is ${JSON.stringify(used)}, but the instructions have only ${names.join(", ")}`);
  return {
    names,
    use: used,
    of: (version = used) => {
      const found = versions.get(version);
      if (found === undefined) throw unknownVersion(where, version, names);
      return found;
    },
  };
}

function unnamed(instructions: Instructions): Prompts {
  return { names: [], use: undefined, of: () => instructions };
}

function unknownVersion(where: string, version: string, names: readonly string[]): Fault {
  const text = `${where}: the work item began with version ${version} of the prompt, but this code has only ${names.join(", ")}`;
  return new Fault("prompt.unknown", text, { version });
}

function instructionsOf(given: GivenPrompt, where: string, field: string): Instructions {
  const checkedText = (text: string): string => requireText(text, where, field, LIMITS.modelInstructionsLengthMax);
  if (typeof given === "function") return (input) => checkedText((given as Instructions)(input));
  const text = checkedText(given);
  return () => text;
}

/** The rules of a loop with the version and the model that were chosen: the model takes the place of the first one. */
export function released(rules: LoopRules, release: WorkRelease | undefined): LoopRules {
  if (release === undefined) return rules;
  const { prompt, model } = release;
  if (prompt === rules.promptVersion && model === rules.models[0]) return rules;
  const [, ...fallbacks] = rules.models;
  return { ...rules, promptVersion: prompt, models: [model, ...fallbacks.filter((name) => name !== model)] };
}
