/** @module What a submission says of its task besides route and input: what it is given, and where its input comes from. */
import { Fault } from "../../runtime/faults.ts";
import { inputOrigin, labelField } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";
import type { Submission } from "./operations.ts";

/**
 * The principal of a task that is given only some of the caller's permissions.
 * @throws `permission.missing`
 */
export function narrowed(principal: Principal, { permissions }: Submission): Principal {
  if (permissions === undefined) return principal;
  const missing = permissions.filter((permission) => !principal.permissions.includes(permission));
  if (missing.length === 0) return { ...principal, given: [...new Set(permissions)] };
  throw new Fault("permission.missing", `${principal.subject} does not have ${missing.join(", ")}, so it cannot give that to a task`, {
    missing,
  });
}

/** The label of the input of a task. */
export function labelOf({ untrusted }: Submission): { readonly label?: string[] } {
  return untrusted === undefined ? {} : labelField([inputOrigin(untrusted)]);
}

/**
 * The lifetime of the task.
 * @throws `body.invalid`
 */
export function timeoutMsOf({ timeoutMs = LIMITS.taskTimeoutMsDefault }: Submission): number {
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < LIMITS.taskTimeoutMsMin || timeoutMs > LIMITS.taskTimeoutMsMax) {
    throw new Fault(
      "body.invalid",
      `timeoutMs is ${timeoutMs}, but must be a whole number from ${LIMITS.taskTimeoutMsMin} to ${LIMITS.taskTimeoutMsMax}`,
      { path: "timeoutMs" },
    );
  }
  return timeoutMs;
}
