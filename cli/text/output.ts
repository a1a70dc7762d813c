/**
 * @module The command's output. Texts of others (messages, names, contents) may contain characters that command a terminal: clear it, set
 * its title or clipboard, turn the order of letters round. They are shown as escapes such as `\u001b`, and never sent. In JSON they mean
 * the same.
 */
import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import { relative } from "node:path";
import { styleText } from "node:util";

/** Control characters but line feed and tab, marks of text direction, and other separators of lines. */
const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Stands for the escape character of the command's own colours. No text of others contains it. */
const OWN_ESCAPE = `\u0000${randomUUID()}`;
const ESCAPE = "\u001b";

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

/** Prints a part of a line. */
export function sayPart(text: string): void {
  process.stdout.write(printable(text));
}

/** Prints a line of an error. */
export function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** A text as it may be sent to a terminal: its own colours, and everything else as characters that are only shown. */
export function printable(text: string): string {
  return text.split(OWN_ESCAPE).map(escaped).join(ESCAPE);
}

/** A text of others as a part of a line: it cannot begin a line of its own. */
export function oneLine(text: string): string {
  return escaped(text).replaceAll("\n", "\\n");
}

function escaped(text: string): string {
  return text.replace(COMMANDS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text in a colour, where the output shows colours. Only {@link say} and {@link complain} print it. */
export function coloured(colour: Parameters<typeof styleText>[0], text: string): string {
  return styleText(colour, text, { stream: process.stdout }).replaceAll(ESCAPE, OWN_ESCAPE);
}

/** A path as a person would write it: from the working folder, or from the home folder. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  if (short !== "" && !short.startsWith("..")) return oneLine(short);
  return oneLine(path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path);
}
