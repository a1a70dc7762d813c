/** @module The `troupe` command of each act of the page, ready for a POSIX shell. Pure. */
import type { Json } from "../../../runtime/faults.ts";

/** Characters that a shell takes as they are. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** An argument of a command. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Options of a command: a value, `true` for a flag; what is absent, false or empty is left out. */
type Options = Readonly<Record<string, string | number | boolean | undefined>>;

/** A command with its arguments and options. */
export function command(words: readonly string[], options: Options = {}): string {
  const given = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false || value === "") return [];
    return value === true ? [`--${name}`] : [`--${name}`, shellWord(String(value))];
  });
  return ["troupe", ...words.map(shellWord), ...given].join(" ");
}

/** Submits a task. */
export function submitCommand(route: string, input: Json, options: { readonly id?: string; readonly untrusted?: string } = {}): string {
  return command(["submit", route, JSON.stringify(input)], { id: options.id, untrusted: options.untrusted });
}

/** Redrives a dead letter. */
export function redriveCommand(id: string, input: Json | undefined, reason: string, undoneByHand: boolean): string {
  const edited = input === undefined ? undefined : JSON.stringify(input);
  return command(["dead", "redrive", id], { input: edited, reason, "undone-by-hand": undoneByHand });
}

/** Discards a dead letter. */
export function discardCommand(id: string, reason: string): string {
  return command(["dead", "discard", id], { reason });
}

/** A decision of a person as the page makes it. */
export type Decided =
  /** `always`: the index of a rule that the request offers. */
  | { readonly do: "approve"; readonly reason: string; readonly always?: number | undefined }
  | { readonly do: "edit"; readonly input: Json; readonly reason: string }
  | { readonly do: "deny"; readonly reason: string }
  | { readonly do: "answer"; readonly output: Json; readonly reason: string };

/** Decides on a request, under the hash that was shown. */
export function decideCommand(id: string, hash: string, decided: Decided): string {
  const { reason } = decided;
  switch (decided.do) {
    case "approve":
      return command(["approve", id], { hash, always: decided.always === undefined ? undefined : decided.always + 1, reason });
    case "edit":
      return command(["edit", id, JSON.stringify(decided.input)], { hash, reason });
    case "deny":
      return command(["deny", id], { hash, reason });
    case "answer":
      return command(["answer", id, JSON.stringify(decided.output)], { hash, reason });
  }
}

/** What a fork changes. */
export interface ForkChange {
  readonly at: string;
  readonly model: string;
  readonly prompt: string;
  readonly input: Json | undefined;
}

/** Forks a process at a call. */
export function forkCommand(id: string, { at, model, prompt, input }: ForkChange): string {
  return command(["fork", id], { at, model, prompt, input: input === undefined ? undefined : JSON.stringify(input) });
}
