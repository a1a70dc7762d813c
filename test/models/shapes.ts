/**
 * @module Every shape in which OpenAI-compatible servers answer, as one table: what the server sends, and the reply or fault that it is.
 *
 * The table runs at both ends: the parser reads each answer (shapes.test.ts), and a server sends each answer to the endpoint.
 */
import { expect } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import { BODIES, CALLS } from "./shape-bodies.ts";
import { ERRORS, WAITS } from "./shape-errors.ts";
import type { Shape } from "./shape-parts.ts";
import { STREAMED_CALLS, STREAMS } from "./shape-streams.ts";

export type { Sent, Shape, ShapeEnd } from "./shape-parts.ts";

/** The whole table. Names are unique. */
export const SHAPES: readonly Shape[] = [...BODIES, ...CALLS, ...STREAMS, ...STREAMED_CALLS, ...ERRORS, ...WAITS];

/** Checks what an answer was read as. */
export function expectEnd(shape: Shape, got: ChatReply | Fault): void {
  const { end } = shape;
  if ("fault" in end) {
    expect(got).toBeInstanceOf(Fault);
    expect(got).toMatchObject({ code: end.fault });
    expect((got as Fault).retryAfterMs).toBe(end.retryAfterMs);
  } else {
    expect(got).toMatchObject(end.reply);
    for (const key of end.without ?? []) expect(got).not.toHaveProperty(key);
  }
}
