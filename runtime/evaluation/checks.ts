/** @module The checks of an evaluation, as a file beside the dataset says them. Pure. */
import { z } from "zod";
import { JsonContent } from "../value.ts";
import { OUTCOMES } from "../protocol.ts";

const Path = z.string().regex(/^\$/, "a path such as $.items[0].price");
const Count = z.int().nonnegative();

/** One check of a run, by what it looks at. */
export const Check = z.discriminatedUnion("check", [
  /** The outcome. */
  z.strictObject({ check: z.literal("outcome"), is: z.enum(OUTCOMES) }),
  /** The output fits the route's schema. The run completed. */
  z.strictObject({ check: z.literal("schema") }),
  /** A tool or agent was called: that often, with arguments that have these fields. */
  z.strictObject({
    check: z.literal("called"),
    name: z.string(),
    min: z.int().positive().default(1),
    max: z.int().positive().optional(),
    with: JsonContent.optional(),
  }),
  z.strictObject({ check: z.literal("not-called"), name: z.string(), with: JsonContent.optional() }),
  /** Tools or agents were called in this order; others may come between. */
  z.strictObject({ check: z.literal("order"), names: z.array(z.string()).min(2) }),
  /** No more calls than this. */
  z.strictObject({ check: z.literal("calls-max"), models: Count.optional(), tools: Count.optional() }),
  /** What the run cost: all of it, also what is recorded. */
  z.strictObject({ check: z.literal("budget"), usd: z.number().nonnegative().optional(), tokens: Count.optional() }),
  /** A part of the output. `matches`: a regular expression, for a text. */
  z.strictObject({ check: z.literal("path"), at: Path, equals: JsonContent.optional(), matches: z.string().optional() }),
  /** No claim of the answers of model agents was without evidence, as their option `grounding` counts. Unscored where none was checked. */
  z.strictObject({ check: z.literal("grounded") }),
]);
/** One check of a run. */
export type Check = z.infer<typeof Check>;

/** A model that judges outputs by a rubric. It is no gate unless a mean is required. */
export const Judge = z.strictObject({
  name: z.string().min(1),
  /** A model of the system. */
  model: z.string().min(1),
  /** What is good, in words. The judge gives from 0 to 1. */
  rubric: z.string().min(1),
  /** How often each output is judged. */
  runs: z.int().min(1).max(100).default(3),
  /** Absent: it is no gate. */
  meanMin: z.number().min(0).max(1).optional(),
});
/** A model that judges outputs by a rubric. */
export type Judge = z.infer<typeof Judge>;

/** The checks of a dataset: gates of all items, further ones of single items, and judges. */
export const Checks = z.strictObject({
  gates: z.array(Check).default([]),
  items: z.record(z.string(), z.array(Check)).default({}),
  judges: z.array(Judge).default([]),
});
/** The checks of a dataset. */
export type Checks = z.infer<typeof Checks>;

/** Without a file: the run completes. */
export const CHECKS_DEFAULT: Checks = { gates: [{ check: "outcome", is: "completed" }], items: {}, judges: [] };
