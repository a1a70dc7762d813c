/** @module Replies of models while they are received: each piece is printed behind the head of its stop and agent. */
import type { FollowedDelta } from "../../client/index.ts";
import { oneLine } from "./output.ts";
import { REPLY_MARGIN, replyHead } from "./progress.ts";

const RESTARTED = "(the call is made again; what came of it before is void)";
const SKIPPED = "(the beginning was not kept) ";

/** Turns pieces of replies into text. Every line of a reply stands behind a margin, so that none can pass for a step of the process. */
export class ReplyText {
  readonly #print: (part: string) => void;
  /** The call whose line is not ended. */
  #open: string | undefined;
  /** Calls that have printed something. */
  readonly #begun = new Set<string>();

  constructor(print: (part: string) => void) {
    this.#print = print;
  }

  /** Prints a piece. Reasoning is not shown. */
  piece(delta: FollowedDelta): void {
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
