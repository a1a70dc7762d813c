/** @module Replies of models while they are received: each piece is printed behind the head of its stop and agent. */
import type { FollowedDelta } from "../../client/index.ts";
import { oneLine } from "./output.ts";
import { REPLY_MARGIN, replyHead } from "./progress.ts";

const RESTARTED = "(the call is made again; what came of it before is void)";
const SKIPPED = "(the beginning was not kept) ";

/** Longest time for which a piece waits for the step that it belongs to. */
const HELD_MS_MAX = 1_000;

/**
 * Turns pieces of replies into text. Every line of a reply stands behind a margin, so that none can pass for a step of the process. Steps
 * come later than pieces, so a piece waits a short time until the step is printed in which its agent was asked.
 */
export class ReplyText {
  readonly #print: (part: string) => void;
  readonly #nowMs: () => number;
  /** Stops and agents of which a step was printed. */
  readonly #told = new Set<string>();
  #held: FollowedDelta[] = [];
  #heldSinceMs = 0;
  /** The call whose line is not ended. */
  #open: string | undefined;
  /** Calls that have printed something. */
  readonly #begun = new Set<string>();

  constructor(print: (part: string) => void, nowMs: () => number = Date.now) {
    this.#print = print;
    this.#nowMs = nowMs;
  }

  /** Prints a piece, or keeps it until its step was printed. Reasoning is not shown. */
  piece(delta: FollowedDelta): void {
    if (this.#held.length === 0) this.#heldSinceMs = this.#nowMs();
    this.#held.push(delta);
    if (this.#nowMs() - this.#heldSinceMs >= HELD_MS_MAX) this.#flush(() => true);
    else this.#flush((one) => this.#told.has(placeOf(one)));
  }

  /** A step was printed: the pieces of its agent follow. */
  told(line: { readonly stop: string; readonly agent: string }): void {
    this.#told.add(placeOf(line));
    this.#flush((one) => this.#told.has(placeOf(one)));
  }

  /** Prints what is left, and ends the line. */
  end(): void {
    this.#flush(() => true);
    this.endLine();
  }

  #flush(isDue: (delta: FollowedDelta) => boolean): void {
    const due = this.#held.filter(isDue);
    this.#held = this.#held.filter((delta) => !due.includes(delta));
    for (const delta of due) this.#show(delta);
  }

  #show(delta: FollowedDelta): void {
    const { work, call, text = "", tool, restarted, skipped, ended } = delta;
    const key = `${work}/${call}`;
    const isAgain = restarted === true && this.#begun.has(key);
    if (isAgain) this.endLine();
    const part = [
      ...(isAgain ? [`${RESTARTED}\n`] : []),
      ...(skipped ? [SKIPPED] : []),
      text,
      ...(tool === undefined ? [] : [`[calls ${oneLine(tool)}]`]),
    ].join("");
    if (part !== "") {
      if (this.#open !== key) this.#begin(key, delta);
      this.#print(part.replaceAll("\n", `\n${REPLY_MARGIN}`));
    }
    if (ended !== undefined) this.endLine();
    if (ended === "reply") this.#begun.delete(key);
  }

  /** Ends the line of a reply, before something else is printed. */
  endLine(): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#print("\n");
  }

  #begin(key: string, delta: FollowedDelta): void {
    this.endLine();
    this.#print(replyHead(delta));
    this.#open = key;
    this.#begun.add(key);
  }
}

function placeOf({ stop, agent }: { readonly stop: string; readonly agent: string }): string {
  return `${stop}/${agent}`;
}
