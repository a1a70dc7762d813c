/** @module An operator cancels a process: it ends after its compensation. Pure. */
import { wireFault } from "../faults.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import { advance } from "./advance.ts";
import { beginEnding } from "./compensation.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { endPause, goOn, tellActs } from "./pause.ts";

/** Begins to end the process. A process that ends already, or was cancelled, stays as it is. */
export function decideCancel(builder: ProcessBuilder, message: Message, body: BodyOf<"cancel">): void {
  const { state, context } = builder;
  if (state.phase === "ended") {
    if (state.outcome?.status !== "cancelled")
      builder.refuse(wireFault("process.ended", `the process has ended: ${state.outcome?.status ?? ""}`));
    return;
  }
  if (state.phase !== "open") return builder.refuse(wireFault("process.unknown", `there is no process ${state.id}`));
  // What an operator orders later counts: a cancellation ends a pause.
  endPause(builder, "by a cancellation");
  if (state.ending !== undefined) return state.paused === undefined ? undefined : goOn(builder);
  builder.emit({
    e: "acted",
    act: {
      what: "cancel",
      run: state.run,
      by: message.principal.subject,
      reason: body.reason,
      atMs: context.nowMs,
      sequence: context.sequence,
    },
  });
  beginEnding(builder, "cancelled", wireFault("process.cancelled", body.reason), state.progress?.stop ?? "");
  advance(builder);
  tellActs(builder);
}
