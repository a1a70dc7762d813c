/**
 * @module Every shape in which OpenAI-compatible servers answer, as one table: what the server sends, and the reply or fault that it is.
 *
 * The table runs at both ends: the parser reads each answer (shapes.test.ts), and a server sends each answer to the endpoint.
 */
import { BODIES, CALLS } from "./shape-bodies.ts";
import { ERRORS, WAITS } from "./shape-errors.ts";
import type { Shape } from "./shape-parts.ts";
import { STREAMED_CALLS, STREAMS } from "./shape-streams.ts";

export type { Sent, Shape, ShapeEnd } from "./shape-parts.ts";

/** The whole table. Names are unique. */
export const SHAPES: readonly Shape[] = [...BODIES, ...CALLS, ...STREAMS, ...STREAMED_CALLS, ...ERRORS, ...WAITS];
