/**
 * @module A person: an agent whose work items are requests that people decide. It has no handler.
 *
 * A person is a contract, so it stands where an agent may: as the target of a stop, in `asks`, in `handsOffTo`, as the approver of a
 * tool, as a validator, and at the end of a budget.
 */
import { z } from "zod";
import { LIMITS } from "../runtime/limits.ts";
import { type Escalation, type OnExpiry, type PersonData, PersonRole, Verdict } from "../runtime/people/request.ts";
import { type Contract, contract } from "./contract.ts";
import { invalid, requireInt, requireKeys, requireName } from "./definition.ts";

/** The contract of a person. Without an option `output` its output is a {@link Verdict}. */
export interface Person<Name extends string = string, Input = unknown, Output = unknown> extends Contract<Name, Input, Output> {
  readonly person: PersonData;
}

/** Options of {@link person}. */
export interface PersonOptions<I extends z.ZodType, O extends z.ZodType> {
  /** What this person decides, for other people and for models that may ask. */
  readonly about?: string | undefined;
  /** Schema of what the person is asked. @default any JSON value */
  readonly input?: I | undefined;
  /** Schema of the answer. Without it the person approves, edits or denies, and the output is a `Verdict`. */
  readonly output?: O | undefined;
  /** Who may decide: people whose token has one of these roles. @default all who may decide */
  readonly roles?: readonly string[] | undefined;
  /** Time for a decision in milliseconds, at most 365 days. @default as long as the process may run */
  readonly deadlineMs?: number | undefined;
  /** Pause between reminders in milliseconds, at least a minute. @default no reminders */
  readonly remindMs?: number | undefined;
  /** From each time on people of further roles may decide too. Earliest first. */
  readonly escalate?: readonly { readonly afterMs: number; readonly roles: readonly string[] }[] | undefined;
  /**
   * What silence means when the deadline has passed: `"deny"` is a no (`person.denied`), `"fail"` fails with `person.expired`, `{ answer }`
   * is the answer. @default "deny"
   */
  readonly onExpiry?: "deny" | "fail" | { readonly answer: NoInfer<z.infer<O>> } | undefined;
  /** Principals that are agents or peers may decide. @default false */
  readonly agentsDecide?: boolean | undefined;
}

const OPTIONS = ["about", "input", "output", "roles", "deadlineMs", "remindMs", "escalate", "onExpiry", "agentsDecide"];

/**
 * Declares a person. It stands in `agents` of the system.
 * @throws `definition.invalid`, which names the person and the option
 */
export function person<const Name extends string, I extends z.ZodType = z.ZodUnknown, O extends z.ZodType = typeof Verdict>(
  name: Name,
  options: PersonOptions<I, O> = {},
): Person<Name, z.infer<I>, z.infer<O>> {
  const where = `person ${JSON.stringify(name)}`;
  requireName(name, "person");
  requireKeys(options, where, OPTIONS);
  const { about, input = z.unknown(), output, agentsDecide } = options;
  const made = contract(name, 1, { about, input, output: output ?? Verdict });
  if (agentsDecide !== undefined && typeof agentsDecide !== "boolean") throw invalid(where, "agentsDecide must be true or false");
  const times = timesOf(options, where);
  const data: PersonData = {
    roles: rolesOf(options.roles ?? [], where, "roles"),
    ...times,
    escalate: escalationOf(options.escalate ?? [], options, where),
    onExpiry: expiryOf(options.onExpiry ?? "deny", options, made, where),
    ...(agentsDecide === true ? { agentsDecide } : {}),
    ...(options.input === undefined ? {} : { input: made.inputJsonSchema }),
    ...(output === undefined ? {} : { output: made.outputJsonSchema }),
  };
  // The defaults above stand for the types of the schemas that are left out.
  return Object.freeze({ ...(made as unknown as Contract<Name, z.infer<I>, z.infer<O>>), person: data });
}

/** Whether a contract is that of a person. */
export function isPerson(target: object): target is Person {
  return "person" in target && target.person !== undefined;
}

/** Returns a person, or throws `definition.invalid` naming the field. */
export function requirePerson(target: Contract, where: string, field: string): Person {
  if (target?.kind !== "contract" || !isPerson(target)) throw invalid(where, `${field} must be a person; make one with person()`);
  return target;
}

type Times = Pick<PersonOptions<z.ZodType, z.ZodType>, "deadlineMs" | "remindMs">;

function timesOf({ deadlineMs, remindMs }: Times, where: string): Pick<PersonData, "deadlineMs" | "remindMs"> {
  if (deadlineMs !== undefined) requireInt(deadlineMs, where, "deadlineMs", 1, LIMITS.personDeadlineMsMax);
  if (remindMs !== undefined) requireInt(remindMs, where, "remindMs", LIMITS.personRemindMsMin, LIMITS.personDeadlineMsMax);
  if (deadlineMs !== undefined && remindMs !== undefined && remindMs >= deadlineMs)
    throw invalid(where, `remindMs is ${remindMs}, but the deadline is after ${deadlineMs} ms; remind earlier, or leave it out`);
  return { ...(deadlineMs === undefined ? {} : { deadlineMs }), ...(remindMs === undefined ? {} : { remindMs }) };
}

function rolesOf(roles: readonly string[], where: string, field: string): string[] {
  if (!Array.isArray(roles) || roles.length > LIMITS.personRolesMax)
    throw invalid(where, `${field} must be a list of at most ${LIMITS.personRolesMax} names of roles`);
  const wrong = roles.find((role) => !PersonRole.safeParse(role).success);
  if (wrong !== undefined)
    throw invalid(where, `${field}: ${JSON.stringify(wrong)} is no role: 1 to ${LIMITS.personRoleLengthMax} characters, no white space`);
  return [...new Set(roles)];
}

function escalationOf(steps: NonNullable<PersonOptions<z.ZodType, z.ZodType>["escalate"]>, times: Times, where: string): Escalation[] {
  if (!Array.isArray(steps) || steps.length > LIMITS.personEscalationsMax)
    throw invalid(where, `escalate must be a list of at most ${LIMITS.personEscalationsMax} steps`);
  let before = 0;
  return steps.map((step: NonNullable<typeof steps>[number], index) => {
    const field = `escalate[${index}]`;
    requireKeys(step, `${where}, ${field}`, ["afterMs", "roles"]);
    const afterMs = requireInt(step.afterMs, where, `${field}.afterMs`, 1, LIMITS.personDeadlineMsMax);
    if (afterMs <= before) throw invalid(where, `${field}.afterMs is ${afterMs}, but the step before begins after ${before} ms`);
    if (times.deadlineMs !== undefined && afterMs >= times.deadlineMs)
      throw invalid(where, `${field}.afterMs is ${afterMs}, but the deadline is after ${times.deadlineMs} ms; escalate earlier`);
    before = afterMs;
    const roles = rolesOf(step.roles, where, `${field}.roles`);
    if (roles.length === 0) throw invalid(where, `${field}.roles is empty; name who may decide from then on`);
    return { afterMs, roles };
  });
}

function expiryOf(
  onExpiry: "deny" | "fail" | { readonly answer: unknown },
  { deadlineMs, output }: Times & { readonly output?: z.ZodType | undefined },
  made: Contract,
  where: string,
): OnExpiry {
  if (onExpiry === "deny" || onExpiry === "fail") return onExpiry;
  if (typeof onExpiry !== "object" || onExpiry === null) throw invalid(where, 'onExpiry must be "deny", "fail" or { answer }');
  requireKeys(onExpiry, `${where}, onExpiry`, ["answer"]);
  if (output === undefined) throw invalid(where, 'onExpiry: a person without an output gives no answer; use "deny" or "fail"');
  if (deadlineMs === undefined) throw invalid(where, "onExpiry has an answer for silence, but there is no deadlineMs");
  try {
    return { answer: made.checkOutput(onExpiry.answer) };
  } catch (error) {
    throw invalid(where, `onExpiry.answer does not fit the output: ${error instanceof Error ? error.message : "no error"}`);
  }
}
