/** @module The reference of the HTTP API, as a page, made of the OpenAPI document that a system serves. */
import { z } from "zod";
import { openApiDocument } from "../actors/http/openapi.ts";

const Parameter = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  description: z.string().optional(),
});
const Operation = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  description: z.string(),
  parameters: z.array(Parameter),
  requestBody: z.looseObject({ required: z.boolean(), content: z.unknown() }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string().optional() })),
});
const Document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

/** The page. */
export function httpReference(): string {
  const { paths } = Document.parse(openApiDocument("<system>"));
  const parts = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationText(method.toUpperCase(), path, operation)),
  );
  return [
    "# HTTP reference",
    "",
    "Made of the OpenAPI document that every system serves at `GET /openapi.json`. [The guide](/http.md) has examples.",
    "",
    ...parts,
  ].join("\n");
}

function operationText(method: string, path: string, operation: z.infer<typeof Operation>): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const rows = parameters.map(
    ({ name, in: place, required = false, description: what = "" }) =>
      `| \`${name}\` | ${place} | ${required ? "yes" : "no"} | ${cell(what)} |`,
  );
  const answers = Object.entries(responses).map(([status, { description: what = "" }]) => `| ${status} | ${cell(what)} |`);
  return [
    `## ${operationId}`,
    "",
    `\`${method} ${path}\``,
    "",
    `${summary}. ${description}`.replace("..", "."),
    "",
    ...(rows.length === 0 ? [] : ["| Parameter | In | Required | What it is |", "|---|---|---|---|", ...rows, ""]),
    ...(requestBody === undefined
      ? []
      : [
          `Body${requestBody.required ? "" : ", optional"}:`,
          "",
          "```json",
          JSON.stringify(schemaOf(requestBody.content), undefined, 2),
          "```",
          "",
        ]),
    "| Status | Answer |",
    "|---|---|",
    ...answers,
    "",
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
}

function schemaOf(content: unknown): unknown {
  return z.record(z.string(), z.looseObject({ schema: z.unknown() })).parse(content)["application/json"]?.schema;
}
