/**
 * @module A digest as text: for a terminal, or as Markdown for a file, a mail or a chat. What there is to do comes first. Pure.
 *
 * Names and reasons come from users and models. In Markdown they are escaped, so that none becomes a link, an image or a heading.
 */
import { usdText } from "../budget.ts";
import { entryOf } from "../entries.ts";
import type { DigestView } from "../overview.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../units.ts";

/** How a digest is written. */
interface Style {
  title(text: string): readonly string[];
  heading(text: string): readonly string[];
  /** A line of a list, or of a list within it. */
  item(text: string, isInner?: boolean): string;
  strong(text: string): string;
  command(text: string): string;
  /** A text of others. */
  text(text: string): string;
}

const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");

const MARKDOWN: Style = {
  title: (text) => [`# ${text}`, ""],
  heading: (text) => ["", `## ${text}`, ""],
  item: (text, isInner = false) => `${isInner ? "  " : ""}- ${text}`,
  strong: (text) => `**${text}**`,
  command: (text) => `\`${plain(text).replaceAll("`", "'")}\``,
  text: (text) => plain(text).replaceAll(/[\\`*_{}[\]()<>#|!&~@:/]/g, (found) => `&#${found.charCodeAt(0)};`),
};

const TERMINAL: Style = {
  title: (text) => [text, ""],
  heading: (text) => ["", text.toUpperCase()],
  item: (text, isInner = false) => `${isInner ? "    " : "  "}${text}`,
  strong: (text) => text,
  command: plain,
  text: plain,
};

/** The digest as Markdown. */
export function digestMarkdown(view: DigestView): string {
  return textOf(view, MARKDOWN);
}

/** The digest for a terminal. */
export function digestText(view: DigestView): string {
  return textOf(view, TERMINAL);
}

function textOf(view: DigestView, style: Style): string {
  const todo = [...lettersLines(view, style), ...peopleLines(view, style), ...releaseLines(view, style), ...driftLines(view, style)];
  const sections = [
    ...style.title(`${style.text(view.system)}: ${minute(view.sinceMs)} to ${minute(view.untilMs)} UTC`),
    leadOf(view, style),
    ...(view.atLeast ? ["There is more than was counted: the numbers are lower bounds."] : []),
    ...(todo.length === 0 ? ["Nothing to do."] : [...style.heading("To do"), ...todo]),
    ...section("Cost", costLines(view, style), style),
    ...section("Slowest stops", slowLines(view, style), style),
    ...section("Routes", routeLines(view, style), style),
  ];
  return sections.join("\n");
}

function section(name: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : [...style.heading(name), ...lines];
}

function leadOf({ processes, usd }: DigestView, { strong }: Style): string {
  const sum = (of: "ended" | "failed" | "redriven"): number => processes.reduce((all, line) => all + line[of], 0);
  const [ended, failed] = [sum("ended"), sum("failed")];
  if (ended === 0) return "No process ended.";
  const share = failed === 0 ? "none failed" : `${strong(`${number(failed)} failed`)} (${percent(failed / ended)})`;
  const redriven = sum("redriven");
  const again = redriven === 0 ? "" : `, ${number(redriven)} after a redrive`;
  return `${counted(ended, "process", "processes")} ended, ${share}${again}, ${usdText(usd)} spent.`;
}

function lettersLines({ dead, deadLetters }: DigestView, style: Style): readonly string[] {
  if (dead === 0) return [];
  const shown = deadLetters.reduce((sum, { count }) => sum + count, 0);
  const fresh = deadLetters.reduce((sum, one) => sum + one.fresh, 0);
  const rest = dead > shown ? [style.item(`${number(dead - shown)} of other causes`, true)] : [];
  return [
    style.item(`${style.strong(`${counted(dead, "dead letter")} to decide`)}, ${fresh === 0 ? "none" : number(fresh)} new`),
    ...deadLetters.map(({ code, count, fresh: news, example, fix }) => {
      const counts = `${number(count)}${news === count || news === 0 ? "" : `, ${number(news)} new`}`;
      return style.item(`${style.command(code)} ${counts}: ${style.command(`troupe dead show ${example}`)}. ${style.text(fix)}`, true);
    }),
    ...rest,
  ];
}

function peopleLines({ waiting, people, untilMs }: DigestView, style: Style): readonly string[] {
  if (waiting === 0) return [];
  const rest =
    waiting > people.length ? [style.item(`${number(waiting - people.length)} more: ${style.command("troupe inbox")}`, true)] : [];
  return [
    style.item(style.strong(waiting === 1 ? "1 request waits for a person" : `${number(waiting)} requests wait for people`)),
    ...people.map(({ request, person, about, sinceMs, escalated }) => {
      const who = person === "" ? "all who may decide" : style.text(person);
      const since = `${spanText(untilMs - sinceMs)}${escalated ? ", escalated" : ""}`;
      return style.item(`${who}, ${since}: ${style.text(about)}: ${style.command(`troupe inbox ${request}`)}`, true);
    }),
    ...rest,
  ];
}

function releaseLines({ releases }: DigestView, style: Style): readonly string[] {
  return releases.map(({ agent, what, atMs, why }) => {
    const stopped = style.strong(`${style.text(agent)}: ${style.text(what)}`);
    return style.item(`${stopped} at ${minute(atMs)} UTC: ${style.text(why)}: ${style.command("troupe releases list")}`);
  });
}

const KINDS: Readonly<Record<string, string>> = { durationMs: "duration", usd: "cost", ungrounded: "ungrounded claims" };

function driftLines({ drift }: DigestView, style: Style): readonly string[] {
  if (drift.length === 0) return [];
  return [
    style.item(`${style.strong("Drift")}, means per process: ${style.command("troupe drift")}`),
    ...grouped(drift).map(([first, ...more]) => {
      const of = first.version === "" ? style.text(first.route) : `${style.text(first.route)} (${style.text(first.version)})`;
      const kinds = [first, ...more].map(
        ({ what, now, before }) => `${entryOf(KINDS, what) ?? what} ${rateText(what, now)}, before ${rateText(what, before)}`,
      );
      return style.item(`${of}: ${kinds.join("; ")}`, true);
    }),
  ];
}

type Drifted = DigestView["drift"][number];

/** The kinds of each route and version together. */
function grouped(drift: readonly Drifted[]): readonly (readonly [Drifted, ...Drifted[]])[] {
  const groups = new Map<string, [Drifted, ...Drifted[]]>();
  for (const one of drift) {
    const key = JSON.stringify([one.route, one.version]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function costLines({ dearest, processes }: DigestView, style: Style): readonly string[] {
  const routes = processes.filter(({ usd }) => usd > 0).sort((a, b) => b.usd - a.usd);
  if (routes.length === 0) return [];
  return [
    style.item(`by route: ${routes.map(({ route, usd }) => `${style.text(route)} ${usdText(usd)}`).join(", ")}`),
    style.item(`dearest: ${dearest.map(({ id, usd }) => `${style.command(id)} ${usdText(usd)}`).join(", ")}`),
  ];
}

function slowLines({ slowest }: DigestView, style: Style): readonly string[] {
  return slowest.map(({ route, stop, count, p50Ms, maxMs }) => {
    const times = `${number(count)} times, half over ${spanText(p50Ms)}, at most ${spanText(maxMs)}`;
    return style.item(`${style.text(route)} / ${style.text(stop)}: ${count === 1 ? spanText(maxMs) : times}`);
  });
}

function routeLines({ processes }: DigestView, style: Style): readonly string[] {
  return processes.map(({ route, ended, failed }) =>
    style.item(`${style.text(route)}: ${number(ended)} ended${failed === 0 ? "" : `, ${number(failed)} failed`}`),
  );
}

/** A mean of a kind as text. */
export function rateText(kind: string, value: number): string {
  if (kind === "durationMs") return spanText(value);
  if (kind === "usd") return usdText(value);
  return kind === "failed" ? percent(value) : value.toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const SPANS = [
  [DAY_MS, "d"],
  [HOUR_MS, "h"],
  [MINUTE_MS, "min"],
  [SECOND_MS, "s"],
] as const;
/** Below this many units a length of time has a decimal. */
const DECIMAL_UNITS_MAX = 10;

/** A length of time, with one decimal where it is a small number: `1.5 h`. */
function spanText(ms: number): string {
  for (const [unit, name] of SPANS) {
    const value = ms / unit;
    if (value >= 1) return `${value < DECIMAL_UNITS_MAX ? value.toFixed(1).replace(".0", "") : Math.round(value)} ${name}`;
  }
  return `${Math.round(ms)} ms`;
}

function minute(atMs: number): string {
  const { year, month, day } = dateOf(Math.floor(atMs / DAY_MS));
  const minutes = Math.floor((atMs % DAY_MS) / MINUTE_MS);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The date of a day since the epoch, in UTC. */
function dateOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  let [year, rest] = [1970, days];
  for (; rest >= (isLeap(year) ? 366 : 365); year += 1) rest -= isLeap(year) ? 366 : 365;
  let month = 0;
  const lengthOf = (at: number): number => (at === 1 && isLeap(year) ? 29 : (MONTH_DAYS[at] ?? 31));
  for (; rest >= lengthOf(month); month += 1) rest -= lengthOf(month);
  return { year, month: month + 1, day: rest + 1 };
}

function number(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
