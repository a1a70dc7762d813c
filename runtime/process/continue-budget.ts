/**
 * @module The end of a budget asks a person: to raise the budget of the route by what is needed, or more. Pure.
 *
 * One request at a time for a process; all work items that need more wait for it. After a no the run asks no person again.
 */
import { addUsed, beyond, type Grant, grantAfter, grantText, MICROS_PER_USD } from "../budget.ts";
import { z } from "zod";
import { hashJson, plainJson } from "../canonical.ts";
import { entryOf } from "../entries.ts";
import { isFault, type Json } from "../faults.ts";
import { requestId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { readOne } from "../machine.ts";
import { Verdict } from "../people/request.ts";
import { doerName } from "../slip.ts";
import { ownBudgetOf, reservedOf, usedInRun } from "./account.ts";
import { beginRequest, packContent } from "./begin-request.ts";
import { type ProcessBuilder, slipOf, taskOf } from "./decision-builder.ts";
import type { WaitResult } from "./wait.ts";
import { openRequests } from "./people.ts";
import type { ProcessState } from "./state.ts";
import type { PersonWait } from "./wait.ts";
import { endWait } from "./waits.ts";
import type { Work } from "./work.ts";

/** How a budget is raised, in the units that people use. */
const Raise = z.strictObject({
  tokens: z.int().nonnegative().optional(),
  usd: z.number().nonnegative().optional(),
  modelCalls: z.int().nonnegative().optional(),
  toolCalls: z.int().nonnegative().optional(),
});

/** By how much a person must raise the budget of the route, so that `missing` can be granted. Undefined: no person is asked. */
export function raiseFor({ state, context }: ProcessBuilder, missing: Grant): Grant | undefined {
  const { budget, slip, route } = taskOf(state);
  if (budget === undefined || state.ending !== undefined || state.account?.refused !== undefined) return undefined;
  if (asksOf({ slip, route }, context) === undefined || openRequests(state).length >= LIMITS.personRequestsMax) return undefined;
  return beyond(grantAfter(addUsed(usedInRun(state), reservedOf(state)), missing), ownBudgetOf(state) ?? budget);
}

function asksOf(
  { slip, route }: Pick<ReturnType<typeof taskOf>, "slip" | "route">,
  context: ProcessBuilder["context"],
): string | undefined {
  try {
    const { routes, agents } = slipOf(slip, context);
    const name = entryOf(routes, route)?.budgetAsks;
    return name !== undefined && entryOf(agents, name)?.person !== undefined ? name : undefined;
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}

/** Asks the person of the route to raise its budget, unless a request is open. */
export function askForMore(builder: ProcessBuilder, asker: Work, raise: Grant): void {
  const { state, context } = builder;
  const { slip, route } = taskOf(state);
  const person = asksOf({ slip, route }, context);
  if (person === undefined || budgetRequest(state) !== undefined) return;
  const agent = doerName(asker.target);
  const input = inputOf(raise);
  const content = packContent(builder, {
    kind: "budget",
    agent,
    input,
    reason: `the budget of route ${route} ends; the next call of ${agent} needs ${grantText(raise)} more`,
    rule: `budget of route ${route}`,
    inputSchema: schemaOf(raise),
  });
  const id = requestId(state.id, (state.people?.count ?? 0) + 1);
  beginRequest(builder, { id, stop: "", item: 0, optional: false, aside: true }, { person, content, hash: hashJson(input) });
}

function budgetRequest(state: ProcessState): PersonWait | undefined {
  return openRequests(state).find((wait) => wait.for.about === "budget");
}

function inputOf({ costMicros, ...counts }: Grant): Json {
  return plainJson({ ...counts, ...(costMicros === undefined ? {} : { usd: costMicros / MICROS_PER_USD }) });
}

function schemaOf({ costMicros, ...counts }: Grant): { readonly [key: string]: Json } {
  const amount = (type: "integer" | "number", maximum: number): Json => ({ type, minimum: 0, maximum });
  return {
    type: "object",
    properties: {
      ...Object.fromEntries(Object.keys(counts).map((name) => [name, amount("integer", LIMITS.budgetCountMax)])),
      ...(costMicros === undefined ? {} : { usd: amount("number", LIMITS.budgetCountMax / MICROS_PER_USD) }),
    },
    additionalProperties: false,
  };
}

/** Takes the decision: the budget is raised, or no person is asked again in this run. The caller serves what waits. */
export function takeBudgetDecision(builder: ProcessBuilder, wait: PersonWait, result: WaitResult): void {
  const { context } = builder;
  const verdict = "output" in result ? Verdict.safeParse(readOne(result.output, context)).data : undefined;
  if (verdict === undefined || verdict.verdict === "denied") {
    builder.emit({ e: "budget-refused", by: verdict?.by ?? "silence" });
    return;
  }
  const raise = Raise.safeParse(verdict.input ?? requestInput(builder, wait));
  const { usd, ...counts } = raise.data ?? {};
  const costMicros = usd === undefined ? {} : { costMicros: Math.ceil(usd * MICROS_PER_USD - 1e-3) };
  builder.emit({ e: "budget-raised", by: verdict.by ?? "", more: { ...counts, ...costMicros } });
}

function requestInput({ context }: ProcessBuilder, { for: { content } }: PersonWait): unknown {
  return z.object({ input: z.unknown() }).parse(readOne(content, context)).input;
}

/** Closes the request if no work item still waits for a larger grant. */
export function closeIdleRequest(builder: ProcessBuilder): void {
  const open = budgetRequest(builder.state);
  if (open === undefined || Object.values(builder.state.waits ?? {}).some((wait) => wait.for.kind === "budget")) return;
  endWait(builder, open, { output: { json: null } }, { request: { state: "closed", reason: "" } });
}
