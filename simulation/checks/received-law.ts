/**
 * @module Each execution of an attempt receives the same results in the same order. An execution that received them in another order than
 * the records say is found as soon as a later one is given them, also if no race was decided otherwise.
 */
import type { Handling } from "../world/handling.ts";
import type { Find } from "./shadow.ts";

/** What the longest execution of an attempt has received, in order, and how far each execution is. */
export class ReceivedLaw {
  readonly #find: Find;
  readonly #results = new Map<string, string[]>();
  readonly #counts = new WeakMap<Handling, number>();

  constructor(find: Find) {
    this.#find = find;
  }

  /** A handler has received a result. */
  received(handling: Handling, result: string): void {
    const { workId, attempt } = handling;
    const name = `${workId}:${attempt}`;
    const count = this.#counts.get(handling) ?? 0;
    this.#counts.set(handling, count + 1);
    const results = this.#results.get(name) ?? [];
    this.#results.set(name, results);
    const known = results[count];
    if (known === undefined) results.push(result);
    else if (known !== result)
      this.#find(
        "each execution of an attempt is told the same",
        `${workId}, attempt ${attempt}: result ${count + 1} was ${known}, and in another execution it is ${result}`,
      );
  }
}
