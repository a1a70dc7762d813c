/** @module Each named shape of the scripted model is read as the table says, from a stream and from one document. */
import { describe, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { inShape, SHAPE_NAMES } from "../../testing/scripted/shapes.ts";
import { answerOf, draftOf } from "../../testing/scripted/draft.ts";
import { expectNamedEnd, NAMED_ENDS } from "./named-shapes.ts";
import { FACTS, readAnswer, VALID } from "./reading.ts";

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
    expectNamedEnd(NAMED_ENDS[name][form], readAnswer(inShape(name, VALID[kind], facts), facts.isStreamed), valid);
  });
});
