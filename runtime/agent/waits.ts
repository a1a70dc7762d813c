/**
 * @module What handlers wait for: an answer, a time, a signal. The process manager owns each wait. Pure.
 */
import { entryOf } from "../entries.ts";
import { assertNever, wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { BodyOf, WaitFor } from "../protocol.ts";
import { onlyIn } from "./calls.ts";
import type { AgentBuilder, InputOf, WaitContent } from "./inputs.ts";
import { waitEffect } from "./messages.ts";
import { isSettled, startNext } from "./queue.ts";
import type { AgentWork, Wait } from "./state.ts";

/** A handler waits: its process is told, and the actor is free (A5). */
export function takeWait(builder: AgentBuilder, work: AgentWork, input: InputOf<"waits">): void {
  if (work.mode === "undo") return builder.refuse(wireFault("work.cancelled", `${work.id} is being undone`));
  const known = work.waits.find((one) => one.key === input.key);
  if (known !== undefined) return waitAgain(builder, work, known);
  if (work.waits.length >= LIMITS.asksPerWorkMax)
    return builder.refuse(wireFault("ask.too-many", `${LIMITS.asksPerWorkMax} asks and other waits are allowed in one work item`));
  const wait: Wait = {
    index: work.waits.length,
    key: input.key,
    for: packWait(builder, work, input.for),
    ...onlyIn(work),
  };
  builder.emit({ e: "parked", workId: work.id, wait });
  builder.order(waitEffect(work, wait, builder.context));
  startNext(builder);
}

/** What goes to the process belongs to it. */
function packWait(builder: AgentBuilder, work: AgentWork, content: WaitContent): WaitFor {
  switch (content.kind) {
    case "agent":
      return { ...content, input: builder.pack(content.input, work.processId) };
    case "timer":
      return content;
    case "signal":
      return { ...content, schema: builder.pack(content.schema, work.processId) };
    default:
      return assertNever(content);
  }
}

/** A handler that runs again came to a wait that is recorded: it finds the answer, or parks for it (A5). */
function waitAgain(builder: AgentBuilder, work: AgentWork, wait: Wait): void {
  if (wait.result !== undefined) return;
  if (work.status !== "parked") builder.emit({ e: "parked", workId: work.id, wait });
  builder.order(waitEffect(work, wait, builder.context));
  startNext(builder);
}

/** A5: a parked handler goes on when every wait is answered, so it never waits while it holds the actor. */
export function takeAnswer(builder: AgentBuilder, body: BodyOf<"answer">): void {
  const work = entryOf(builder.state.works, body.workId);
  const wait = work?.waits.find((one) => one.index === body.index);
  if (work === undefined || wait === undefined || wait.result !== undefined || isSettled(work) || work.mode === "undo") return;
  builder.emit({ e: "wait-answered", workId: work.id, index: body.index, result: body.result });
  const after = entryOf(builder.state.works, work.id);
  if (after?.status !== "parked" || after.waits.some((one) => one.result === undefined)) return;
  builder.emit({ e: "readied", workId: work.id, first: false });
  startNext(builder);
}
