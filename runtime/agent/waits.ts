/**
 * @module What handlers wait for: an answer, a timer, a signal. The process manager owns each wait. Pure.
 */
import { entryOf } from "../entries.ts";
import { assertNever, wireFault } from "../faults.ts";
import { labelField } from "../label.ts";
import { LIMITS } from "../limits.ts";
import type { BodyOf, WaitFor } from "../protocol/bodies.ts";
import { onlyIn } from "./calls.ts";
import type { AgentBuilder, InputOf, WaitContent } from "./inputs.ts";
import { waitEffect } from "./messages.ts";
import { isSettled, packSent, recordedValue, startNext } from "./queue.ts";
import type { AgentWork, Wait } from "./state.ts";

/** Tells the process about a wait of a handler, and frees the actor if the handler does nothing but wait (A5). */
export function takeWait(builder: AgentBuilder, work: AgentWork, input: InputOf<"waits">): void {
  if (work.mode === "undo") return builder.refuse(wireFault("work.cancelled", `${work.id} is being compensated`));
  const known = work.waits.find((one) => one.key === input.key);
  if (known !== undefined) return waitAgain(builder, work, known, input.answers);
  if (work.waits.length >= LIMITS.asksPerWorkMax)
    return builder.refuse(
      wireFault(
        "ask.too-many",
        `${LIMITS.asksPerWorkMax} asks and other waits are allowed in one work item; split the work over several stops`,
      ),
    );
  const wait: Wait = {
    index: work.waits.length,
    key: input.key,
    for: packWait(builder, work, input.for),
    ...labelField(input.label),
    // A later attempt has a grant of its own.
    ...(input.for.kind === "budget" ? { onlyIn: work.attempt } : onlyIn(work)),
  };
  builder.emit({ e: "wait-made", workId: work.id, wait });
  builder.order(waitEffect(work, wait, builder.context));
  park(builder, work, input.answers);
}

/** Frees the actor: the handler received an answer, and does nothing but wait for others. */
export function takeRest(builder: AgentBuilder, work: AgentWork, { answers }: InputOf<"rests">): void {
  if (work.mode === "do") park(builder, work, answers);
}

/** A handler that has not received all its answers is about to continue, so it keeps the actor. */
function park(builder: AgentBuilder, work: AgentWork, answers: number | undefined): void {
  if (work.status !== "running" || answers !== work.waits.filter(({ order }) => order !== undefined).length) return;
  builder.emit({ e: "parked", workId: work.id });
  startNext(builder);
}

/** Values that are sent to the process are stored in its scope. */
function packWait(builder: AgentBuilder, work: AgentWork, content: WaitContent): WaitFor {
  switch (content.kind) {
    case "agent":
      return { ...content, input: packSent(builder, work, content.input) };
    case "timer":
    case "budget":
      return content;
    case "signal":
      return { ...content, schema: packSent(builder, work, content.schema) };
    case "person": {
      const { kind, content: asked, ...ask } = content;
      return { kind, ask: { ...ask, content: packSent(builder, work, asked) } };
    }
    default:
      return assertNever(content);
  }
}

/** A handler that runs again has reached a recorded wait: it receives the answer, or waits for it (A5). */
function waitAgain(builder: AgentBuilder, work: AgentWork, wait: Wait, answers: number | undefined): void {
  if (wait.result !== undefined) return;
  builder.order(waitEffect(work, wait, builder.context));
  park(builder, work, answers);
}

/** A5: a parked handler continues when it has its actor again, so it never acts while another work item runs. */
export function takeAnswer(builder: AgentBuilder, body: BodyOf<"answer">): void {
  const work = entryOf(builder.state.works, body.workId);
  const wait = work?.waits.find((one) => one.index === body.index);
  if (work === undefined || wait === undefined || wait.result !== undefined || isSettled(work) || work.mode === "undo") return;
  const { result } = body;
  const recorded = "output" in result ? { output: recordedValue(builder, work, result.output) } : result;
  builder.emit({ e: "wait-answered", workId: work.id, index: body.index, result: recorded, ...labelField(body.label) });
  if (work.status === "running" && work.holder === builder.context.incarnation)
    builder.order({ kind: "run", workId: work.id, token: work.token });
  if (work.status !== "parked") return;
  builder.emit({ e: "readied", workId: work.id, first: false });
  startNext(builder);
}
