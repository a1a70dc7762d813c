/** @module Formats a line of an app's JSON log for people. Pure. */
import { z } from "zod";
import { oneLine } from "./output.ts";

/** The fields that pino writes in every line; all others belong to the message. */
const Line = z.looseObject({
  level: z.int(),
  time: z.int(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string().optional() }).optional(),
});
const LEFT_OUT: ReadonlySet<string> = new Set(["level", "time", "msg", "app", "err", "pid", "hostname"]);
/** pino's numbers for the levels that are shown. */
const LEVELS: readonly (readonly [from: number, name: string])[] = [
  [50, " ERROR"],
  [40, " WARN"],
];
/** The time of day within an ISO moment. */
const CLOCK = /\d\d:\d\d:\d\d/;

/** Time of day, level from warning up, message and fields. A line that is not JSON stays as it is. */
export function logText(line: string): string {
  if (!line.startsWith("{")) return line;
  const parsed = parse(line);
  if (parsed === undefined) return line;
  const time = CLOCK.exec(new Date(parsed.time).toISOString())?.[0] ?? "";
  const level = LEVELS.find(([from]) => parsed.level >= from)?.[1] ?? "";
  const fields = Object.entries(parsed)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const error = parsed.err?.message === undefined ? "" : `: ${parsed.err.message}`;
  return oneLine(`${time}${level} ${parsed.msg ?? ""}${error}${fields.join("")}`);
}

function parse(line: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(line)).data;
  } catch {
    // The line begins like JSON and is not.
    return undefined;
  }
}
