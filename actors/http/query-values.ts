/** @module Values in queries, which are texts there, and how the document shows them. */
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";

/** Decimal digits of a number in a query: enough for every limit, too few to overflow. */
const WHOLE_NUMBER = /^\d{1,9}$/;
/** Decimal digits of a moment. */
const MOMENT = /^\d{1,15}$/;

/** How a schema whose values are texts in a query is shown in the document. */
export const SHOWN_AS = new WeakMap<object, Readonly<Record<string, Json>>>();

function shownAs<T extends z.ZodType>(schema: T, shown: Readonly<Record<string, Json>>): T {
  SHOWN_AS.set(schema, shown);
  return schema;
}

/** A whole number in a query. */
export function whole(min: number, max: number): z.ZodType<number> {
  const schema = z
    .string()
    .regex(WHOLE_NUMBER, `expected a whole number up to ${max}`)
    .transform(Number)
    .refine((value) => value <= max, `at most ${max} is allowed`)
    .refine((value) => value >= min, `at least ${min} is required`);
  return shownAs(schema, { type: "integer", minimum: min, maximum: max });
}

/** An amount of money in a query. */
export function amount(): z.ZodType<number> {
  return shownAs(
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,9})?$/, "expected a number of US dollars")
      .transform(Number),
    { type: "number", minimum: 0 },
  );
}

/** A moment in a query, in milliseconds since the epoch. */
export function moment(): z.ZodType<number> {
  return shownAs(z.string().regex(MOMENT, "expected milliseconds since the epoch").transform(Number), { type: "integer", minimum: 0 });
}

/** `true` or `false` in a query. */
export function yesOrNo(): z.ZodType<boolean> {
  return shownAs(
    z.enum(["true", "false"], "expected true or false").transform((text) => text === "true"),
    { type: "boolean" },
  );
}
