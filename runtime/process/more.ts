/**
 * @module Work items that need a larger grant. Pure.
 *
 * A request is answered at once with the whole new grant, or with `budget.exhausted`. It waits in few cases only. Where work items that are
 * being compensated hold enough, it waits for what comes back from them. Where the grant of a parent is the limit, it waits until the
 * parent has answered; so a request goes up the tree of nested routes as far as it must. Where the budget of the route is the limit and the
 * route names a person, it waits for the person's decision.
 */
import { addUsed, amountsOf, beyond, Grant, grantAfter, grantText, isWithin, maxGrant, minGrant, shareOf } from "../budget.ts";
import { entryOf } from "../entries.ts";
import { plainJson } from "../canonical.ts";
import { type WireFault, wireFault } from "../faults.ts";
import { askWorkId } from "../ids.ts";
import { readOne } from "../machine.ts";
import type { BodyOf, Result } from "../protocol/bodies.ts";
import { doerName } from "../slip.ts";
import { holdingOf, leftOf, ownBudgetOf, reservedOf, returning, usedInRun } from "./account.ts";
import { askForMore, closeIdleRequest, raiseFor } from "./continue-budget.ts";
import { type ProcessBuilder, taskOf } from "./decision-builder.ts";
import { needCapOf, placesBeside } from "./grants.ts";
import { answerEffect } from "./messages.ts";
import { moreEffects } from "./parent-messages.ts";
import { beginWait, endWait } from "./waits.ts";
import type { Work } from "./work.ts";

type Verdict =
  | { readonly grant: Grant }
  | { readonly fault: WireFault }
  /** Enough will come back from compensations. */
  | { readonly wait: true }
  /** The parent may give more: what the process needs in all. */
  | { readonly request: Grant }
  /** A person may raise the budget by that. */
  | { readonly raise: Grant };

type Settled = Extract<Verdict, { grant: Grant } | { fault: WireFault }>;

/** Takes the request of a work item for a larger grant. `need`: what it must be allowed to spend in all. */
export function takeNeed(builder: ProcessBuilder, asker: Work, index: number, need: Grant): void {
  const verdict = judgeNeed(builder, asker, need);
  if (!isSettled(verdict)) {
    const { nowMs } = builder.context;
    const { id, stop, item } = asker;
    const wait = { id: askWorkId(id, index, 1), stop, item, asker: { workId: id, index }, optional: false, begunAtMs: nowMs };
    beginWait(builder, { ...wait, for: { kind: "budget", need } });
    requestMore(builder, asker, verdict);
    return;
  }
  const result = resultOf(builder, asker, verdict);
  builder.emit({ e: "wait-answered", workId: asker.id, index, result, atMs: builder.context.nowMs });
  builder.order(answerEffect(builder.state, asker, index, result, builder.context));
}

/** Takes the answer of the parent. Handlers that waited for it get their grants, or learn that there is no more. */
export function takeMore(builder: ProcessBuilder, body: BodyOf<"answer">): void {
  if (builder.state.account?.request?.index !== body.index) return;
  const { result } = body;
  const raised = "output" in result ? Grant.safeParse(readOne(result.output, builder.context)) : undefined;
  builder.emit({ e: "more-answered", index: body.index, ...(raised?.success === true ? { grant: raised.data } : {}) });
  serveNeeds(builder, "fault" in result ? result.fault : undefined);
}

/**
 * Answers the handlers that wait for a larger grant, as far as what is left now decides. `refused`: the parent gives no more. Called when
 * something came back.
 */
export function serveNeeds(builder: ProcessBuilder, refused?: WireFault): void {
  if (builder.state.waits === undefined) return;
  for (const wait of Object.values(builder.state.waits)) {
    const asker = wait.asker === undefined ? undefined : entryOf(builder.state.works, wait.asker.workId);
    if (wait.for.kind !== "budget" || asker === undefined) continue;
    const verdict = judgeNeed(builder, asker, wait.for.need);
    if (isSettled(verdict)) endWait(builder, wait, resultOf(builder, asker, verdict));
    else if ("request" in verdict && refused !== undefined) endWait(builder, wait, { fault: refused });
    else requestMore(builder, asker, verdict);
  }
  closeIdleRequest(builder);
}

function isSettled(verdict: Verdict): verdict is Settled {
  return "grant" in verdict || "fault" in verdict;
}

/** Requests more of the parent or of a person, if that was decided and no request is open. */
function requestMore(builder: ProcessBuilder, asker: Work, verdict: Exclude<Verdict, Settled>): void {
  const { state, context } = builder;
  if ("raise" in verdict) return askForMore(builder, asker, verdict.raise);
  if (!("request" in verdict) || state.account?.request !== undefined) return;
  builder.emit({ e: "more-requested", index: state.account?.requests ?? 0, need: verdict.request, atMs: context.nowMs });
  for (const effect of moreEffects(builder.state, context)) builder.order(effect);
}

function resultOf(builder: ProcessBuilder, { id }: Work, verdict: Settled): Exclude<Result, { handOff: unknown }> {
  if ("fault" in verdict) return { fault: verdict.fault };
  const { grant } = verdict;
  if (holdingOf(builder.state, id)?.grant !== undefined) builder.emit({ e: "granted", workId: id, grant });
  return { output: { json: plainJson(grant) } };
}

function judgeNeed(builder: ProcessBuilder, asker: Work, need: Grant): Verdict {
  const { state } = builder;
  const current = holdingOf(state, asker.id)?.grant;
  if (current === undefined) return { grant: {} };
  if (isWithin(need, current)) return { grant: current };
  const cap = needCapOf(builder, asker);
  if (!isWithin(need, cap)) return { fault: capFault(asker, cap ?? {}, need) };
  const left = leftOf(state);
  const missing = beyond(need, current);
  if (left === undefined) return { grant: minGrant(cap, grantAfter(amountsOf(current), missing)) ?? current };
  if (!isWithin(missing, left)) {
    if (isWithin(missing, grantAfter(returning(state), left))) return { wait: true };
    const raise = raiseFor(builder, missing);
    const asked = fromParent(builder, missing) ?? (raise === undefined ? undefined : { raise });
    return asked ?? { fault: exhaustedFault(builder, asker, left, missing) };
  }
  const more = minGrant(maxGrant(missing, shareOf(left, placesBeside(builder))), left) ?? missing;
  return { grant: minGrant(cap, grantAfter(amountsOf(current), more)) ?? current };
}

/** What to request of the parent, if only its grant is too small and not the budget of the route itself. */
function fromParent({ state }: ProcessBuilder, missing: Grant): Verdict | undefined {
  const { parent, grant } = taskOf(state);
  if (parent === undefined || grant === undefined) return undefined;
  const need = grantAfter(addUsed(usedInRun(state), reservedOf(state)), missing);
  if (!isWithin(need, ownBudgetOf(state))) return undefined;
  return { request: only(need, grant) };
}

/** The limits of a need that a grant has. */
function only(need: Grant, grant: Grant): Grant {
  return Object.fromEntries(Object.entries(need).filter(([name]) => name in grant));
}

function capFault({ target }: Work, cap: Grant, need: Grant): WireFault {
  const [over, of] = exceeded(need, cap);
  const message = `a work item of ${doerName(target)} may spend ${grantText(of)}; with its next call it could spend ${grantText(over)}`;
  return wireFault("budget.exhausted", message, { agent: doerName(target), budget: plainJson(of), need: plainJson(over) });
}

function exhaustedFault({ state }: ProcessBuilder, { target }: Work, left: Grant, missing: Grant): WireFault {
  const [over, of] = exceeded(missing, left);
  const agent = doerName(target);
  const refused = state.account?.refused === undefined ? "" : `; ${state.account.refused} did not raise the budget`;
  const message = `process ${state.id} has ${grantText(of)} left to give; the next call of ${agent} needs ${grantText(over)} more`;
  return wireFault("budget.exhausted", `${message}${refused}`, {
    process: state.id,
    agent,
    left: plainJson(of),
    need: plainJson(over),
    reserved: plainJson(reservedOf(state)),
  });
}

/** The limits in which a need exceeds a grant: of the need, and of the grant. */
function exceeded(need: Grant, grant: Grant): readonly [Grant, Grant] {
  const names = (Object.keys(grant) as (keyof Grant)[]).filter((name) => !isWithin({ [name]: need[name] }, { [name]: grant[name] }));
  const part = (whole: Grant): Grant => Object.fromEntries(names.map((name) => [name, whole[name]]));
  return [part(need), part(grant)];
}
