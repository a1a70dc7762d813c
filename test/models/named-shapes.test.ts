/** @module Each named shape of the scripted model is read as the table says, from a stream and from one document. */
import { describe, expect, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import { inShape, SHAPE_NAMES } from "../../testing/scripted/shapes.ts";
import { answerOf, draftOf } from "../../testing/scripted/draft.ts";
import { NAMED_ENDS, type ShapeEnd } from "./named-shapes.ts";
import { FACTS, readAnswer, VALID } from "./reading.ts";

function expectEnd(end: ShapeEnd, got: ChatReply | Fault, valid: ChatReply): void {
  if (end !== "same" && "fault" in end) {
    expect(got).toBeInstanceOf(Fault);
    expect(got).toMatchObject({ code: end.fault });
    if (got instanceof Fault) expect(got.retryAfterMs).toBe(end.retryAfterMs);
  } else expect(got).toEqual({ ...valid, ...(end === "same" ? {} : end.reply(valid)) });
}

const rows = SHAPE_NAMES.flatMap((name) =>
  (["text", "calls"] as const).flatMap((kind) =>
    (["streamed", "whole"] as const).map((form) => ({ name, kind, form, title: `${name}: ${kind}, ${form}` })),
  ),
);

describe("named shapes", () => {
  it.each(rows)("$title", ({ name, kind, form }) => {
    const facts = { ...FACTS, isStreamed: form === "streamed" };
    const valid = readAnswer(answerOf(draftOf(VALID[kind]), VALID[kind], facts), facts.isStreamed);
    if (valid instanceof Fault) throw valid;
    expectEnd(NAMED_ENDS[name][form], readAnswer(inShape(name, VALID[kind], facts), facts.isStreamed), valid);
  });
});
