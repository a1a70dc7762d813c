/** @module Tables and colours for a terminal. In a pipe nothing is coloured or cut; NO_COLOR turns colours off. */
import { entryOf } from "../../runtime/entries.ts";
import { coloured, oneLine } from "./output.ts";

/** A text and its colour on a terminal. */
export interface Painted {
  readonly text: string;
  readonly colour: Colour;
}

type Colour = "green" | "yellow" | "red" | "dim" | "bold";
type Cell = string | Painted;

const GAP = "  ";
const LAST_COLUMN_MIN = 10;
const STATUS_COLOUR: Readonly<Record<string, Colour>> = {
  completed: "green",
  partial: "yellow",
  open: "yellow",
  paused: "yellow",
  failed: "red",
  cancelled: "yellow",
  expired: "red",
};

/** A status in its colour. */
export function statusCell(status: string): Cell {
  const colour = entryOf(STATUS_COLOUR, status);
  return colour === undefined ? status : { text: status, colour };
}

/** A text in a colour, where the output shows colours. */
export function paint(cell: Cell): string {
  return typeof cell === "string" ? oneLine(cell) : coloured(cell.colour, oneLine(cell.text));
}

/** A table with a head. The last column is cut at the edge of the terminal; trailing empty cells are left out. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const all: readonly (readonly Cell[])[] = [head.map((text) => ({ text, colour: "dim" as const })), ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) => rowText(row, widths)).join("\n");
}

/** The text, cut to fit the terminal. */
export function cut(text: string, used = 0): string {
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  if (columns === undefined) return text;
  const room = Math.max(LAST_COLUMN_MIN, columns - used);
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

function rowText(row: readonly Cell[], widths: readonly number[]): string {
  const last = row.findLastIndex((cell) => textOf(cell) !== "");
  let used = 0;
  return row
    .slice(0, last + 1)
    .map((cell, column) => {
      const text = column === last ? cut(textOf(cell), used) : textOf(cell);
      const gap = column === last ? "" : " ".repeat((widths[column] ?? 0) - text.length) + GAP;
      used += text.length + gap.length;
      return (typeof cell === "string" ? text : paint({ ...cell, text })) + gap;
    })
    .join("");
}

function textOf(cell: Cell | undefined): string {
  return oneLine(typeof cell === "string" ? cell : (cell?.text ?? ""));
}
