/**
 * @module Validators: an output of a stop counts when a rule holds for it and an agent has accepted it. Pure.
 *
 * An output that is not accepted is sent back: its work items are compensated like those of a loser, then the call is made again with the
 * reasons. After the last round the call fails with `stop.refused`, or a person decides.
 */
import { plainJson } from "../canonical.ts";
import { z } from "zod";
import { holds } from "../condition/condition.ts";
import { guardHops } from "../cycle-guard.ts";
import { entryOf } from "../entries.ts";
import { boundedFault, isFault, type Json, wireFault, type WireFault } from "../faults.ts";
import { checkWorkId, isBranchPath, placeOf, stopWorkId } from "../ids.ts";
import { joined, type Label, labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import { readAll, readOne } from "../machine.ts";
import { Verdict } from "../people/request.ts";
import { RETRY_DEFAULT, type Validation } from "../slip.ts";
import { type Value, valueHash } from "../value.ts";
import { callAt, inputAt } from "./advance.ts";
import { addressOf, askWork, defaultTimeoutMs } from "./ask-work.ts";
import { askPerson, beginRequest, packContent, personOf } from "./begin-request.ts";
import { pumpUndo } from "./compensation.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import type { WaitResult } from "./wait.ts";
import { undoPlaces } from "./join.ts";
import type { PersonWait } from "./wait.ts";
import { type Check, firstAttempt, type Work } from "./work.ts";
import { counted } from "../units.ts";

/** What a validator answers. */
const Judgement = z.object({ accepted: z.boolean(), reasons: z.array(z.string()) });

type Place = Pick<Check, "stop" | "item">;

/** Whether the output of a work item or of a person at a stop is judged before it counts. */
export function isJudged(
  builder: ProcessBuilder,
  work: Place & { readonly kind?: Work["kind"]; readonly asker?: unknown; readonly aside?: true | undefined },
): boolean {
  if (work.asker !== undefined || work.aside !== undefined || (work.kind ?? "do") !== "do") return false;
  return callAt(builder, work.stop)?.validate !== undefined;
}

/** Judges an output that has just come: by the rule at once, then by the validator. The caller advances the slip. */
export function judgeOutput(builder: ProcessBuilder, place: Place): void {
  const [check, validate] = [checkAt(builder, place), callAt(builder, place.stop)?.validate];
  if (check === undefined || validate === undefined) return;
  orFails(builder, check, () => {
    const about = aboutOf(builder, check);
    if (validate.rule !== undefined && !holds(validate.rule, about))
      return notAccepted(builder, check, validate, { reasons: [`the rule ${validate.rule} does not hold`], label: undefined });
    if (validate.by === undefined) return accept(builder, check, check.output);
    askValidator(builder, check, validate.by, about);
  });
}

/** Takes what a validator says, with its label, or its fault: then the call fails with that fault. */
export function takeJudgement(builder: ProcessBuilder, place: Place, result: WaitResult, label?: Label): void {
  const [check, validate] = [checkAt(builder, place), callAt(builder, place.stop)?.validate];
  if (check?.state !== "judging" || validate === undefined) return;
  if ("fault" in result) return fail(builder, check, result.fault);
  const said = Judgement.safeParse(readOne(result.output, builder.context));
  if (!said.success) return fail(builder, check, wireFault("schema.output", `${validate.by ?? "the validator"} answered no judgement`));
  if (said.data.accepted) return accept(builder, check, check.output);
  const reasons = said.data.reasons.slice(0, LIMITS.validationReasonsMax).map(cut);
  orFails(builder, check, () => notAccepted(builder, check, validate, { reasons, label }));
}

/** Takes the decision of a person on an output that no validator accepted. */
export function takeRefusalDecision(builder: ProcessBuilder, wait: PersonWait, result: WaitResult, label?: Label): void {
  const check = checkAt(builder, wait);
  if (check === undefined) return;
  if ("fault" in result) return fail(builder, check, result.fault);
  const verdict = Verdict.safeParse(readOne(result.output, builder.context));
  if (!verdict.success || verdict.data.verdict === "denied") {
    const { by, reason = "" } = verdict.data ?? {};
    return fail(
      builder,
      check,
      refusedFault(check, [...check.reasons, `${by ?? "silence"} denied it${reason === "" ? "" : `: ${reason}`}`]),
    );
  }
  const { input } = verdict.data;
  accept(builder, { ...check, ...labelField(joined(check.label, label)) }, input === undefined ? check.output : builder.pack(input));
}

function checkAt({ state }: ProcessBuilder, { stop, item }: Place): Check | undefined {
  return state.checks === undefined ? undefined : entryOf(state.checks, placeOf(stop, item));
}

/** A fault of a rule, or of who should judge, fails the call. */
function orFails(builder: ProcessBuilder, check: Check, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isFault(error)) throw error;
    fail(builder, check, error.toWire());
  }
}

/** The contents that a judgement is about. */
function aboutOf(builder: ProcessBuilder, check: Check): { readonly input: Json; readonly output: Json } {
  const [input = null, output = null] = readAll([inputOf(builder, check), check.output], builder.context);
  return { input, output };
}

function inputOf(builder: ProcessBuilder, check: Check): Value {
  const call = callAt(builder, check.stop);
  return call === undefined ? { json: null } : inputAt(builder, check, call);
}

function accept(builder: ProcessBuilder, { stop, item, label }: Check, output: Value): void {
  const { nowMs } = builder.context;
  builder.emit({ e: "judged", stop, item, result: { output }, atMs: nowMs, tolerated: false, ...labelField(label) });
}

function fail(builder: ProcessBuilder, { stop, item, optional }: Check, fault: WireFault): void {
  const tolerated = optional && !isBranchPath(stop);
  builder.emit({ e: "judged", stop, item, result: { fault: boundedFault(fault) }, atMs: builder.context.nowMs, tolerated });
}

function cut(reason: string): string {
  return reason.slice(0, LIMITS.requestReasonCharsMax);
}

function refusedFault({ stop, round }: Check, reasons: readonly string[]): WireFault {
  const rounds = round === 0 ? "" : ` after ${counted(round, "round")}`;
  return wireFault("stop.refused", `no output of ${stop} was accepted${rounds}: ${reasons.join("; ")}`, {
    reasons: [...reasons],
    rounds: round,
  });
}

/** Why an output was not accepted. */
interface Refusal {
  readonly reasons: readonly string[];
  readonly label: Label | undefined;
}

function notAccepted(builder: ProcessBuilder, check: Check, validate: Validation, { reasons, label }: Refusal): void {
  const { stop, item, round } = check;
  if (round < validate.roundsMax) {
    builder.emit({ e: "sent-back", stop, item, reasons: [...reasons], atMs: builder.context.nowMs, ...labelField(label) });
    undoPlaces(builder, [placeOf(stop, item)]);
    pumpUndo(builder);
    return;
  }
  if (validate.onRefusal === "fail") return fail(builder, check, refusedFault(check, reasons));
  const { ask, schema = {} } = validate.onRefusal;
  const reason = `the output of stop ${stop} was not accepted: ${reasons.join("; ")}`;
  const parts = {
    kind: "validation",
    input: readOne(check.output, builder.context),
    reason,
    rule: "validate",
    inputSchema: schema,
  } as const;
  const content = packContent(builder, { ...parts, ...labelField(joined(check.label, label)) });
  const place = { id: checkWorkId(workIdOf(builder, check), "person"), stop, item, optional: false, aside: true } as const;
  beginRequest(builder, place, { person: ask, content, hash: valueHash(check.output) });
}

function workIdOf({ state }: ProcessBuilder, { stop, item, visit }: Check): string {
  return stopWorkId(state.id, state.run, stop, item, visit);
}

function askValidator(builder: ProcessBuilder, check: Check, by: string, about: { readonly input: Json; readonly output: Json }): void {
  const { stop, item, label } = check;
  const id = checkWorkId(workIdOf(builder, check), "validator");
  const input = builder.pack(plainJson(about));
  const target = { kind: "agent", agent: by } as const;
  const both = joined(check.work?.label, label);
  if (personOf(builder, target) !== undefined) {
    const place = { id, stop, item, optional: false, aside: true } as const;
    askPerson(builder, place, { person: by, input, label: both, by: `stop ${stop}` });
    return;
  }
  guardHops(builder.state.hops);
  const { nowMs } = builder.context;
  const timeoutMs = defaultTimeoutMs(builder, target);
  askWork(builder, {
    id,
    kind: "check",
    order: builder.state.order + 1,
    stop,
    item,
    visit: 1,
    target,
    ...addressOf(builder, target, input, id),
    input,
    ...labelField(both),
    ...firstAttempt(nowMs, timeoutMs),
    retry: RETRY_DEFAULT,
    optional: false,
    chain: [{ agent: by, input: valueHash(input) }],
    ancestors: [],
  });
}
