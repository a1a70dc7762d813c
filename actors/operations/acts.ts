/** @module What operators do with open processes, and with many dead letters at once. */
import type { LettersDecided } from "../../runtime/answers.ts";
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { requireId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Body } from "../../runtime/protocol/bodies.ts";
import type { Ports } from "../engine/ports.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { ActOptions, BulkDecision, Caller, OperatorAct, TaskReceipt } from "./operations.ts";
import type { Requests } from "./requests.ts";

/** Pauses, resumes or terminates a process. A message that comes after its sender has given up is refused, so it undoes no later act. */
export async function actOn(
  { requests, ports }: { readonly requests: Requests; readonly ports: Ports },
  id: string,
  what: OperatorAct,
  { reason, tree = true }: ActOptions,
  caller: Caller,
): Promise<TaskReceipt> {
  const body: Body = what === "terminate" ? { kind: what, reason } : { kind: what, reason, tree };
  const expiresAtMs = ports.clock.nowMs() + LIMITS.clockDriftMsMax;
  const message = requests.message(requireId(id, "process id"), body, caller, expiresAtMs);
  const receipt = requests.receipt("", message, await requests.insist(message));
  const view = await requests.inspect(id);
  return "route" in view ? { ...receipt, route: view.route, run: view.run, traceId: view.traceId } : receipt;
}

/** Decides on many dead letters, one after the other, so that a large number of new runs does not begin at once. */
export async function decideLetters(
  letters: Pick<DeadLetters, "redrive" | "discard">,
  { ids, what, reason }: BulkDecision,
  caller: Caller,
): Promise<LettersDecided> {
  if (ids.length > LIMITS.lettersDecidedMax)
    throw new Fault("body.invalid", `${ids.length} dead letters are more than ${LIMITS.lettersDecidedMax}`, { path: "ids" });
  const results: LettersDecided["results"] = [];
  for (const id of new Set(ids)) {
    try {
      const run = what === "redrive" ? (await letters.redrive(id, { reason }, caller)).run : undefined;
      if (what === "discard") await letters.discard(id, reason, caller);
      results.push({ id, decided: true, ...(run === undefined ? {} : { run }) });
    } catch (error) {
      const { code, message } = faultFrom(error, "turn.failed");
      results.push({ id, decided: false, fault: { code, message } });
    }
  }
  return { decided: results.filter(({ decided }) => decided).length, results };
}
