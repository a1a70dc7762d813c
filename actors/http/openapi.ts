/** @module The OpenAPI 3.1 document, generated from the table of routes and the schemas that check them. */
import { z } from "zod";
import { FAULTS, type FaultCode, type Json } from "../../runtime/faults.ts";
import { faultsByStatus } from "./route-faults.ts";
import type { RouteSpec } from "./route-spec.ts";
import { ALL_ROUTES } from "./routes.ts";
import { COMPONENTS } from "./components.ts";
import { SHOWN_AS } from "./query-values.ts";
import { ROLES } from "./tokens.ts";

type Shown = Record<string, Json>;
/** Statuses whose answers carry Retry-After. */
const RETRY_AFTER: ReadonlySet<number> = new Set([429, 503]);

const registry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
const uri = (id: string): string => `#/components/schemas/${id}`;

/** The plain JSON of a generated schema, without the functions and names that zod leaves on its result. */
function plain(made: unknown): Shown {
  const { $schema: _dialect, $id: _id, ...rest } = JSON.parse(JSON.stringify(made)) as Shown;
  return rest;
}

/** Shows a query parameter's number or boolean as such, although it is text in the query. */
function override({ zodSchema, jsonSchema }: { readonly zodSchema: z.core.$ZodTypes; readonly jsonSchema: object }): void {
  const shown = SHOWN_AS.get(zodSchema);
  if (shown === undefined) return;
  const made = jsonSchema as Record<string, unknown>;
  for (const key of Object.keys(made)) if (key !== "description") delete made[key];
  Object.assign(made, { ...shown, ...(made["description"] === undefined ? {} : { description: made["description"] }) });
}

function schemas(): Shown {
  const made = z.toJSONSchema(registry, { uri, io: "input", unrepresentable: "any", override });
  return Object.fromEntries(
    Object.entries(made.schemas)
      .filter(([id]) => Object.hasOwn(COMPONENTS, id))
      .map(([id, schema]) => [id, plain(schema)]),
  );
}

function schemaOf(schema: z.ZodType): Shown {
  const id = registry.get(schema)?.id;
  return id === undefined ? plain(z.toJSONSchema(schema, { io: "input", unrepresentable: "any", override })) : { $ref: uri(id) };
}

function parameters({ params, query }: RouteSpec): Json[] {
  return (
    [
      ["path", params],
      ["query", query],
    ] as const
  ).flatMap(([where, schema]) => {
    const { properties = {}, required = [] } = schemaOf(schema) as {
      readonly properties?: Readonly<Record<string, Shown>>;
      readonly required?: readonly string[];
    };
    return Object.entries(properties).map(([name, { description, ...shown }]): Json => ({
      name,
      in: where,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: shown,
    }));
  });
}

function faultText(code: FaultCode): string {
  return `- \`${code}\`: ${FAULTS[code].meaning} ${FAULTS[code].fix}`;
}

function faultAnswer(status: number, codes: readonly FaultCode[]): Json {
  const example = (code: FaultCode): Json => ({
    value: { error: { code, message: FAULTS[code].meaning, fix: FAULTS[code].fix }, traceId: "0af7651916cd43dd8448eb211c80319c" },
  });
  return {
    description: codes.map(faultText).join("\n"),
    ...(RETRY_AFTER.has(status)
      ? { headers: { "Retry-After": { description: "Seconds after which to try again.", schema: { type: "integer" } } } }
      : {}),
    content: {
      "application/json": { schema: { $ref: uri("Error") }, examples: Object.fromEntries(codes.map((code) => [code, example(code)])) },
    },
  };
}

function responses(one: RouteSpec): Shown {
  const made: Shown = {};
  for (const [status, { description, schema, contentType }] of Object.entries(one.answers)) {
    const content =
      schema !== undefined
        ? { "application/json": { schema: schemaOf(schema) } }
        : contentType !== undefined
          ? { [contentType]: { schema: { type: "string" } } }
          : undefined;
    made[status] = { description, ...(content === undefined ? {} : { content }) };
  }
  for (const [status, codes] of faultsByStatus(one)) made[status] = faultAnswer(status, codes);
  return made;
}

function operation(name: string, one: RouteSpec): Shown {
  const { body, bodyOptional = false, role, also } = one;
  const needs =
    role === "open"
      ? "Requires no token."
      : role === undefined
        ? "Requires a token of any role, where tokens are configured."
        : `Requires the role \`${role}\`${also === undefined ? "" : ` and the role \`${also}\``}, where tokens are configured.`;
  return {
    operationId: name,
    summary: one.summary,
    description: needs,
    ...(role === "open" ? { security: [] } : {}),
    parameters: name === "followProcess" ? [...parameters(one), LAST_EVENT_ID] : parameters(one),
    ...(body === undefined
      ? {}
      : { requestBody: { required: !bodyOptional, content: { "application/json": { schema: schemaOf(body) } } } }),
    responses: responses(one),
  };
}

const LAST_EVENT_ID: Json = {
  name: "Last-Event-ID",
  in: "header",
  required: false,
  description: "The `id` of the last event that was received.",
  schema: { type: "string" },
};

/** Generates the document. `version` is the version of the system's software. */
export function openApiDocument(system: string): Readonly<Record<string, Json>> {
  const paths = new Map<string, Shown>();
  for (const [name, one] of ALL_ROUTES) paths.set(one.path, { ...paths.get(one.path), [one.method]: operation(name, one) });
  return {
    openapi: "3.1.0",
    info: {
      title: `${system}: tasks, processes and dead letters`,
      version: "1",
      description:
        `HTTP API of the system \`${system}\`. Every error is \`{ error: { code, message, details?, fix }, ` +
        `traceId }\`. Roles of a token: ${ROLES.join(", ")}.`,
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths: Object.fromEntries(paths),
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } }, schemas: schemas() },
  };
}
