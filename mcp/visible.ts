/** @module Texts of strangers as people can read them: characters that have no form of their own are written as escapes. */

/** Control, format, private, unassigned and surrogate characters, and separators of lines: direction marks and tags are among them. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
const LINES = /[\n\t]/;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A text in which hidden characters are escapes such as `\u{202e}`. Line breaks and tabs stay. */
export function visibleText(text: string): string {
  return text.toWellFormed().replaceAll(HIDDEN, (character) => (LINES.test(character) ? character : escaped(character)));
}

/** As {@link visibleText}, in one line of at most `lengthMax` characters: for logs and messages. */
export function visibleLine(text: string, lengthMax: number): string {
  const line = text
    .slice(0, lengthMax + 1)
    .toWellFormed()
    .replaceAll(HIDDEN, (character) => (character === "\n" ? "\\n" : character === "\t" ? " " : escaped(character)));
  return line.length > lengthMax ? `${line.slice(0, lengthMax)}...` : line;
}

/** JSON text, indented, in which hidden characters are escapes; it is read as the same value. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll(HIDDEN, (character) =>
    character === "\n"
      ? character
      : character
          .split("")
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
          .join(""),
  );
}
