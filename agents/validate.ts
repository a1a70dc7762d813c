/** @module The option `validate` of a stop: a rule, an agent or both judge its output before it counts. */
import { LIMITS } from "../runtime/limits.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { type Shape, shapeOfSchema } from "../runtime/shape.ts";
import type { Validation } from "../runtime/slip.ts";
import type { Callable, Contract, InputOf, OutputOf } from "./contract.ts";
import { invalid, requireCondition, requireInt, requireKeys } from "./definition.ts";
import { type Person, requirePerson } from "./person.ts";
import type { PlannedRoute } from "./planned-route.ts";
import type { RouteTarget } from "./route.ts";
import { misfit } from "./schema-check.ts";

/** What a validator answers. `reasons`: why the output is not accepted; the agent gets them with the output. */
export interface Judgement {
  readonly accepted: boolean;
  readonly reasons: readonly string[];
}

/** How the output of a stop is judged before it counts. At least one of `rule` and `by`. */
export interface ValidateOptions {
  /** A CEL rule over `input` and `output` of the stop, such as `"output.price <= input.max"`. It is checked first. */
  readonly rule?: string | undefined;
  /** An agent or a person that takes `{ input, output }` and answers `{ accepted, reasons }`. */
  readonly by?: Contract<string, unknown, Judgement> | undefined;
  /** How often the output is sent back with the reasons, 0 to 16. Before each round the rejected work is compensated. @default 2 */
  readonly roundsMax?: number | undefined;
  /**
   * What happens to the last output that was not accepted: the stop fails with `stop.refused`, or a person lets it through, edits it or
   * denies it. @default "fail"
   */
  readonly onRefusal?: "fail" | Person | undefined;
}

/** Refuses the options `O` of a stop whose validator takes another input or output than those of its target. */
export type Validated<C extends Callable, O> = O extends { readonly validate: { readonly by: Contract<string, infer Asked> } }
  ? { readonly input: InputOf<C>; readonly output: OutputOf<C> } extends Asked
    ? unknown
    : { readonly validate: { readonly by: Contract<string, { readonly input: InputOf<C>; readonly output: OutputOf<C> }> } }
  : unknown;

const OPTIONS = ["rule", "by", "roundsMax", "onRefusal"];
const ROUNDS_DEFAULT = 2;
const JUDGEMENT: JsonSchema = {
  type: "object",
  properties: { accepted: { type: "boolean" }, reasons: { type: "array", items: { type: "string" } } },
  required: ["accepted", "reasons"],
};

/** Returns the validation of a stop as data. Throws `definition.invalid`. */
export function validationOf(options: ValidateOptions, target: RouteTarget | PlannedRoute, where: string): Validation {
  requireKeys(options, `${where}, validate`, OPTIONS);
  const { rule, by, roundsMax, onRefusal = "fail" } = options;
  if (rule === undefined && by === undefined) throw invalid(where, "validate needs a rule, a validator (by), or both");
  // What a route gives follows from its stops, which are checked later.
  const schema = target.kind === "route" ? undefined : target.outputJsonSchema;
  const scope = { input: shapeOfSchema(target.inputJsonSchema), output: schema === undefined ? undefined : shapeOfSchema(schema) };
  if (rule !== undefined) requireCondition(rule, scope, where, "validate.rule");
  if (by !== undefined) requireValidator(by, scope, where);
  const person = onRefusal === "fail" ? undefined : requirePerson(onRefusal, where, "validate.onRefusal");
  return {
    ...(rule === undefined ? {} : { rule }),
    ...(by === undefined ? {} : { by: by.name }),
    roundsMax: requireInt(roundsMax ?? ROUNDS_DEFAULT, where, "validate.roundsMax", 0, LIMITS.validationRoundsMax),
    onRefusal: person === undefined ? "fail" : { ask: person.name, ...(schema === undefined ? {} : { schema }) },
  };
}

function requireValidator(by: Contract, scope: { readonly input: Shape; readonly output: Shape | undefined }, where: string): void {
  if (by?.kind !== "contract") throw invalid(where, "validate.by must be the contract of an agent, or a person");
  const about = { object: { input: { from: ["input"] as const }, output: { from: ["output"] as const } } };
  const wrongInput = misfit(about, scope, shapeOfSchema(by.inputJsonSchema));
  if (wrongInput !== undefined) throw invalid(where, `validate.by: ${by.name} does not take { input, output } of this stop: ${wrongInput}`);
  const answer = shapeOfSchema(by.outputJsonSchema);
  const wrongOutput = misfit({ from: ["answer"] }, { answer }, shapeOfSchema(JUDGEMENT));
  if (wrongOutput !== undefined) throw invalid(where, `validate.by: ${by.name} does not answer { accepted, reasons }: ${wrongOutput}`);
}

/** What a stop leads to: its target, its validator, and the person at its end. */
export function targetsOf<T extends RouteTarget | PlannedRoute>(
  target: T,
  { validate }: { readonly validate?: ValidateOptions | undefined },
): readonly (T | Contract)[] {
  const { by, onRefusal = "fail" } = validate ?? {};
  return [target, ...(by === undefined ? [] : [by]), ...(onRefusal === "fail" ? [] : [onRefusal])];
}
