/** @module The parent of a nested route requests its compensation as a whole. Pure. */
import { wireFault } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { advance } from "./advance.ts";
import { beginEnding } from "./compensation.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { endPause, goOn, takeTree } from "./pause.ts";
import { undoReply } from "./parent-messages.ts";

/** The parent requests the compensation of this process. If its task has not arrived, it will be refused. */
export function decideUndo(builder: ProcessBuilder, message: Message, body: BodyOf<"undo">): void {
  takeTree(builder, body.tree);
  if (body.tree?.paused !== true && builder.state.paused !== undefined) {
    endPause(builder, "by the compensation of its parent");
    goOn(builder);
  }
  const { state, context } = builder;
  if (state.undo !== undefined) return repeatUndo(builder, body);
  const request = { undoId: body.undoId, workId: body.workId, attempt: body.attempt };
  if (state.phase === "new" || state.phase === "void") {
    if (message.expiresAtMs + LIMITS.clockDriftMsMax <= context.nowMs)
      return builder.refuse(wireFault("message.expired", `${message.id} expired`));
    builder.emit({ e: "refused-for-ever", ...request, retainUntilMs: body.retainUntilMs });
    for (const effect of undoReply(builder.state, context)) builder.order(effect);
    return;
  }
  builder.emit({ e: "undo-requested", ...request });
  if (state.phase === "ended" && state.asked.length === 0 && state.sealed === undefined) {
    builder.emit({ e: "undo-finished" });
    for (const effect of undoReply(builder.state, context)) builder.order(effect);
    return;
  }
  beginEnding(builder, "cancelled", wireFault("process.cancelled", "the parent process was undone"), state.progress?.stop ?? "");
  advance(builder);
}

/** Repeats the answer. A failed compensation answers the attempt that asks; a success counts for any attempt. */
function repeatUndo(builder: ProcessBuilder, body: BodyOf<"undo">): void {
  const { undo, undoFault } = builder.state;
  if (undo === undefined) return;
  if (body.attempt > undo.attempt && (!undo.done || undoFault !== undefined)) {
    builder.emit({ e: "undo-requested", undoId: body.undoId, workId: body.workId, attempt: body.attempt });
    if (undo.done) builder.emit({ e: "undo-finished" });
  }
  for (const effect of undoReply(builder.state, builder.context)) builder.order(effect);
}
