/** @module The form of a route in the table of the HTTP API. */
import type { z } from "zod";
import type { FaultCode } from "../../runtime/faults.ts";
import type { ContentSpec } from "./contents.ts";
import type { Role } from "./tokens.ts";

/** One answer of a route that is not an error. Without a schema it has no JSON body. */
export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** For a body that is not JSON. */
  readonly contentType?: string;
}

/** One route. `P`, `Q` and `B` are the types of its path, query and body after the check. */
export interface RouteSpec<P = unknown, Q = unknown, B = unknown> {
  readonly method: "get" | "post";
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly summary: string;
  /** The required role. Undefined: every valid token has it. `open`: no token is needed. */
  readonly role: Role | "open" | undefined;
  /** A second role that is required, too. */
  readonly also?: Role | undefined;
  /** The contents in its answers, and who sees them. Absent: there are none. */
  readonly content?: ContentSpec | undefined;
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Whether the body may be omitted; it then counts as `{}`. */
  readonly bodyOptional?: boolean;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Faults beside those of every route. */
  readonly faults: readonly FaultCode[];
}

/** An answer with a JSON body. */
export const json = (schema: z.ZodType, description: string): AnswerSpec => ({ schema, description });

/** A route whose parts have the types of its schemas. */
export const spec = <P, Q, B>(one: RouteSpec<P, Q, B>): RouteSpec<P, Q, B> => one;
