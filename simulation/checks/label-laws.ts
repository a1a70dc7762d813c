/**
 * @module The laws of labels: what holds the mark of an origin is under a label with that origin, on each way that it goes.
 *
 * Marks are words of the contents themselves, so this reference knows nothing of how labels are joined and passed on.
 */
import type { Json } from "../../runtime/faults.ts";
import { type Label, MANY_ORIGINS, principalOrigin } from "../../runtime/label.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { Verdict } from "../../runtime/people/request.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { Body, Result } from "../../runtime/protocol/bodies.ts";
import type { Value } from "../../runtime/value.ts";
import type { World } from "../world/world.ts";
import { contentOf } from "./contents.ts";
import type { Find } from "./shadow.ts";

const LAW = "labels never shrink";

/** Holds the laws of labels at each message. */
export class LabelLaws {
  readonly #world: World;
  readonly #find: Find;

  constructor(world: World, find: Find) {
    this.#world = world;
    this.#find = find;
  }

  /** A host sends a message. */
  sent({ id, body, principal }: Message): void {
    const own = principalOrigin(principal);
    for (const content of this.#carriedBy(body)) this.requires(content, "label" in body ? body.label : undefined, own, `message ${id}`);
  }

  /** A request reaches the provider of a model: no text of a stranger stands among its instructions. */
  prompted(workId: string, { messages }: ModelRequest): void {
    for (const { role, text } of messages)
      if (role === "system" && this.#world.outside.marks.in(text).length > 0)
        this.#find("texts of strangers stand apart from instructions", `the instructions of ${workId} are: ${text}`);
  }

  /** A content stands somewhere under a label. `own`: an origin that is none here. */
  requires(content: Json | undefined, label: Label | undefined, own: string | undefined, where: string): void {
    if (content === undefined || label?.includes(MANY_ORIGINS) === true) return;
    for (const origin of this.#world.outside.marks.originsIn(JSON.stringify(content)))
      if (origin !== own && label?.includes(origin) !== true)
        this.#find(
          LAW,
          `${where} holds what is from ${origin}, and its label is ${label?.join(", ") ?? "empty"}: ${JSON.stringify(content)}`,
        );
  }

  #carriedBy(body: Body): readonly (Json | undefined)[] {
    switch (body.kind) {
      case "task":
      case "work":
        return [this.#content(body.input)];
      case "result":
        return this.#ofResult(body.result);
      case "answer":
        return this.#ofResult(body.result);
      case "wait":
        return body.for.kind === "agent" ? [this.#content(body.for.input)] : [];
      default:
        return [];
    }
  }

  #ofResult(result: Result): readonly (Json | undefined)[] {
    if ("fault" in result) return [];
    const content = this.#content("output" in result ? result.output : result.handOff.input);
    // What a person has approved or written was declassified by that.
    return Verdict.safeParse(content).success ? [] : [content];
  }

  #content(value: Value): Json | undefined {
    return contentOf(this.#world, value);
  }
}
