/** @module Looks at contents, in words. Without imports: the dashboard loads it. Pure. */

const WORDS: ReadonlyMap<string, string> = new Map([
  ["deadletter", "dead letter"],
  ["request", "request to people"],
]);

/** What was done, as a line of the audit says it. `kind`: of a look, what was looked at. */
export function doneText({ what, kind }: { readonly what: string; readonly kind?: string | undefined }): string {
  return kind === undefined ? what : `${what} of a ${WORDS.get(kind) ?? kind}`;
}
