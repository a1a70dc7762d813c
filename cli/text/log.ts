/** @module A line of an app's JSON log as a person reads it. Pure. */
import { z } from "zod";

/** What pino writes in every line; the rest is what the line is about. */
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

/** The line in short: time of day, level where it is a warning or worse, message, fields. Other lines stay as they are. */
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
  return `${time}${level} ${parsed.msg ?? ""}${error}${fields.join("")}`;
}

function parse(line: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(line)).data;
  } catch {
    // A line that only begins like JSON.
    return undefined;
  }
}
