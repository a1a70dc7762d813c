/** @module A small Markdown parser for the checks: code lines, headings with anchors, links. */

/** A line of a document. Numbers count from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** A code block between fences. */
export interface Fence {
  readonly line: number;
  readonly language: string;
  readonly body: string;
  readonly closed: boolean;
}

/** A heading: `#` is level 1. */
export interface Heading {
  readonly line: number;
  readonly level: number;
  readonly text: string;
}

/** The parts of a document. */
export interface Parts {
  /** Lines outside of fences, with code and comments blanked. */
  readonly prose: readonly Line[];
  readonly fences: readonly Fence[];
  readonly headings: readonly Heading[];
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;

/** Splits a document into its parts. */
export function partsOf(text: string): Parts {
  const prose: Line[] = [];
  const fences: Fence[] = [];
  let open: { readonly mark: string; readonly line: number; readonly language: string; readonly body: string[] } | undefined;
  const rows = text.replaceAll(/<!--[\s\S]*?-->/g, (comment) => comment.replaceAll(/[^\n]/g, "")).split(/\r?\n/);
  for (const [index, row] of rows.entries()) {
    const mark = FENCE.exec(row);
    if (open !== undefined) {
      const closes = mark !== null && mark[2] === "" && (mark[1] ?? "").startsWith(open.mark);
      if (!closes) open.body.push(row);
      else {
        fences.push({ line: open.line, language: open.language, body: open.body.join("\n"), closed: true });
        open = undefined;
      }
    } else if (mark === null) prose.push({ number: index + 1, text: row });
    else open = { mark: mark[1] ?? "", line: index + 1, language: mark[2] ?? "", body: [] };
  }
  if (open !== undefined) fences.push({ line: open.line, language: open.language, body: open.body.join("\n"), closed: false });
  const headings = prose.flatMap(({ number, text: row }): readonly Heading[] => {
    const found = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(row);
    return found === null ? [] : [{ line: number, level: (found[1] ?? "").length, text: found[2] ?? "" }];
  });
  return {
    prose: prose.map(({ number, text: row }) => ({ number, text: row.replaceAll(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "``") })),
    fences,
    headings,
  };
}

/** Returns the anchors of a document's headings, made as GitHub makes them: a second heading of the same text gets `-1`, and so on. */
export function anchorsOf(headings: readonly Heading[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  return new Set(
    headings.map(({ text }) => {
      const plain = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
      const slug = plain
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-");
      const count = counts.get(slug) ?? 0;
      counts.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** A link in the text. */
export interface Link {
  readonly line: number;
  readonly text: string;
  readonly target: string;
}

/** Finds links and pictures of the form `[text](target)`. */
export function linksOf(prose: readonly Line[]): readonly Link[] {
  return prose.flatMap(({ number, text }) =>
    [...text.matchAll(/\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)/g)].map((found) => ({
      line: number,
      text: found[1] ?? "",
      target: found[2] ?? "",
    })),
  );
}
