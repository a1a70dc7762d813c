/** @module The shapes in which real servers send replies and errors, each made of a valid reply. Pure. */
import type { ScriptedReply } from "./reply.ts";
import type { ShapeName } from "./shape-names.ts";
import { errorAnswer, streamedAnswer, type WireAnswer, type WireFacts } from "./wire.ts";

type Shape = (reply: ScriptedReply, facts: WireFacts) => WireAnswer;

const SHAPES: Readonly<Record<ShapeName, Shape>> = {
  "cut-stream": (reply, facts) => ({ ...streamedAnswer(reply, facts), end: "cut" }),
  "rate-limited": () => errorAnswer(429, "rate_limit_exceeded", "Too many requests.", { "retry-after": "1" }),
};

/** Sends a reply in a shape. */
export function inShape(name: ShapeName, reply: ScriptedReply, facts: WireFacts): WireAnswer {
  return SHAPES[name](reply, facts);
}
