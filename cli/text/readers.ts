/** @module The work that had read what is gone, for a terminal. Pure. */
import type { SyncAnswer } from "../../client/index.ts";

const READERS_SHOWN = 20;

/** A line for each process and agent, however many facts its work items had read. */
export function readerLines(readers: SyncAnswer["readers"]): readonly string[] {
  const lines = [...new Set(readers.map(({ processId, agent }) => `  ${processId} (${agent})`))];
  const more = lines.length - READERS_SHOWN;
  return more > 0 ? [...lines.slice(0, READERS_SHOWN), `  and ${more} more; see --json`] : lines;
}
