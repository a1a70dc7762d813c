/** @module The difference of two runs as text. */
import type { DiffLine, ForkReport, RunDiff } from "../../runtime/cassette/diff.ts";
import type { Json } from "../../runtime/faults.ts";
import { coloured, oneLine } from "./output.ts";
import { counted } from "../../runtime/units.ts";

const SHOWN_CHARS_MAX = 200;
const SIGNS = { same: " ", changed: "~", "only-a": "-", "only-b": "+" } as const;
const COLOURS = { same: "dim", changed: "yellow", "only-a": "red", "only-b": "green" } as const;

/** The lines of a difference. What is the same is named only where `all` is set. */
export function diffText(diff: RunDiff, all = false): string {
  const { a, b, lines, outcome, cost } = diff;
  const differ = lines.filter(({ how }) => how !== "same").length;
  const shown = lines.filter(({ how }) => all || how !== "same").flatMap(lineText);
  const figures = (["modelCalls", "toolCalls", "inputTokens", "outputTokens", "usd"] as const).map(
    (name) => `  ${NAMES[name].padEnd(NAME_COLUMNS)} ${cost.a[name]} -> ${cost.b[name]}`,
  );
  const head =
    differ === 0
      ? `${a} and ${b} did the same: ${counted(lines.length, "thing")}.`
      : `${differ} of ${counted(lines.length, "thing")} ${differ === 1 ? "differs" : "differ"}.`;
  return [
    `- ${oneLine(a)}: ${outcome.a}`,
    `+ ${oneLine(b)}: ${outcome.b}`,
    ...(shown.length === 0 ? [] : ["", ...shown]),
    "",
    head,
    ...figures,
  ].join("\n");
}

const NAMES = {
  modelCalls: "model calls",
  toolCalls: "tool calls",
  inputTokens: "input tokens",
  outputTokens: "output tokens",
  usd: "US dollars",
} as const;
const NAME_COLUMNS = 14;

/** A report of a fork, with what differs. */
export function forkText(report: ForkReport): string {
  const { id, at, status, unrecorded, output, code, modelCalls, usd, diff } = report;
  const why = code === undefined ? "" : ` (${code})`;
  return [
    `Forked ${oneLine(id)} at ${oneLine(at)}: ${status}${why}. ${counted(modelCalls, "model call")} for ${usd} US dollars.`,
    ...(unrecorded === undefined ? [] : stoppedText(unrecorded)),
    ...(output === undefined ? [] : [`Output: ${cut(output)}`]),
    "",
    diffText(diff),
  ].join("\n");
}

function stoppedText({ agent, what, name, input }: NonNullable<ForkReport["unrecorded"]>): readonly string[] {
  const by = agent === "" ? "" : ` of ${oneLine(agent)}`;
  return [`Stopped at ${what} ${oneLine(name)}${by}: it is not in the record, and was not made.`, `  ${cut(input ?? null)}`];
}

function lineText({ what, stop, agent, name, how, was, paths = [], a, b }: DiffLine): readonly string[] {
  const where = [stop, ...(agent === undefined || agent === name ? [] : [agent])].filter((part) => part !== "").join(", ");
  const title = `${SIGNS[how]} ${where === "" ? "" : `${where}: `}${what} ${was === undefined ? "" : `${was} -> `}${name}`;
  const contents = how === "changed" ? paths.flatMap((path) => [`    ${path}`, `      - ${at(a, path)}`, `      + ${at(b, path)}`]) : [];
  const content = how === "only-a" ? a : how === "only-b" ? b : undefined;
  return [
    coloured(COLOURS[how], oneLine(title)),
    ...contents.map(oneLine),
    ...(content === undefined || content === null ? [] : [`    ${cut(content)}`]),
  ];
}

/** The content at a path of a difference. */
function at(content: Json | undefined, path: string): string {
  let found: Json | undefined = content;
  for (const [, name, index, quoted] of path.matchAll(/\.([\w$]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)) {
    const opened = typeof found === "string" ? parsed(found) : found;
    if (typeof opened !== "object" || opened === null) return cut(found);
    const key = name ?? index ?? String(JSON.parse(quoted ?? '""'));
    found = (opened as Readonly<Record<string, Json>>)[key];
  }
  return cut(found);
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function cut(content: Json | undefined): string {
  if (content === undefined) return "(absent)";
  const text = JSON.stringify(content);
  return oneLine(text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}...`);
}
