/** @module The names of the shapes in which real servers send replies and errors. Pure. */

/** Every shape. What each sends is in shapes.ts. */
export const SHAPE_NAMES = ["cut-stream", "rate-limited"] as const;
export type ShapeName = (typeof SHAPE_NAMES)[number];
