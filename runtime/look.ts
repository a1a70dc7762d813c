/** @module What the command and the dashboard say alike of looks and of histories. Without imports: the dashboard loads it. Pure. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ["deadletter", "dead letter"],
  ["request", "request to people"],
]);

/** What was done, as a line of the audit says it. `kind`: of a look, what was looked at. */
export function doneText({ what, kind }: { readonly what: string; readonly kind?: string | undefined }): string {
  return kind === undefined ? what : `${what} of a ${WORDS.get(kind) ?? kind}`;
}

/** The stops that the last run of a history undid, each once: its lines are those after the last redrive. */
export function undoneStops(history: readonly { readonly what: string; readonly stop: string }[]): readonly string[] {
  const run = history.slice(history.findLastIndex(({ what }) => what === "redriven") + 1);
  return [...new Set(run.flatMap(({ what, stop }) => (what === "undone" ? [stop] : [])))];
}
