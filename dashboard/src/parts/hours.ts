/** @module The hours of a chart: each one of the window, also those in which nothing ended. Pure. */
import type { OverviewView } from "../../../runtime/overview.ts";

type Hour = OverviewView["perHour"][number];

const HOUR_MS = 3_600_000;
/** A longer window is not filled: its bars would be thinner than a pixel. */
const HOURS_MAX = 24 * 62;

/** The hours from the beginning of an overview to its moment, oldest first. */
export function hoursOf({ perHour, sinceMs, atMs }: Pick<OverviewView, "perHour" | "sinceMs" | "atMs">): readonly Hour[] {
  const first = Math.floor(Math.min(sinceMs, perHour[0]?.atMs ?? sinceMs) / HOUR_MS);
  const last = Math.floor(Math.max(atMs, perHour.at(-1)?.atMs ?? atMs) / HOUR_MS);
  if (last - first >= HOURS_MAX) return perHour;
  const known = new Map(perHour.map((hour) => [Math.floor(hour.atMs / HOUR_MS), hour]));
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const hour = first + index;
    return { ...(known.get(hour) ?? { ended: 0, failed: 0, usd: 0 }), atMs: hour * HOUR_MS };
  });
}

/** The label of a tick: the time on the 24-hour clock of the reader, or the day where one begins. */
export function tickText(atMs: number): string {
  const at = new Date(atMs);
  if (at.getHours() === 0 && at.getMinutes() === 0) return at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}
