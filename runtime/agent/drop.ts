/**
 * @module The process of a work item was terminated: its handler is cancelled, and nothing is undone. Pure.
 *
 * A compensation that runs already ends by itself. The process has ended and waits for no reply.
 */
import { entryOf } from "../entries.ts";
import { undoWorkId } from "../ids.ts";
import type { Message } from "../protocol.ts";
import type { BodyOf } from "../protocol/bodies.ts";
import type { AgentBuilder } from "./inputs.ts";
import { hasFailed, isSettled } from "./queue.ts";
import { settleDropped, watchIfForeign, writeTombstone } from "./undo.ts";

/**
 * Cancels a work item. An unknown one gets a tombstone. A settled one stays as it is, unless the request of its next attempt may be on its
 * way: another host may have it already.
 */
export function takeDrop(builder: AgentBuilder, message: Message, { workId, agent, retainUntilMs }: BodyOf<"drop">): void {
  const work = entryOf(builder.state.works, workId);
  const undoId = undoWorkId(workId);
  if (work === undefined || (work.mode === "do" && !work.begun))
    return writeTombstone(builder, message, { workId, undoId, attempt: 1, agent, retainUntilMs });
  const isOver = isSettled(work);
  if (isOver && !hasFailed(work)) return;
  if (work.undo?.dropped !== true) builder.emit({ e: "dropped", workId, undoId });
  if (work.mode === "do" && work.status !== "ready" && !isOver) builder.order({ kind: "stop", workId, token: work.token });
  // Its calls settle first, so that nothing of the next work item overlaps them.
  if (work.status === "running") return watchIfForeign(builder, work);
  settleDropped(builder, work);
}
