/** @module The OpenAPI document: valid, complete, and consistent with the app. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openApiDocument } from "../../../actors/http/openapi.ts";
import { ALL_ROUTES } from "../../../actors/http/routes.ts";
import { FAULTS } from "../../../runtime/faults.ts";
import { startRig, type HttpRig } from "./rig.ts";

const Layers: z.ZodType<readonly Layer[]> = z.array(z.lazy(() => Layer));
const Layer = z.object({
  route: z.object({ path: z.union([z.string(), z.array(z.string())]), methods: z.record(z.string(), z.boolean()) }).optional(),
  handle: z.unknown(),
});
type Layer = z.infer<typeof Layer>;
const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ operationId: z.string(), responses: z.record(z.string(), z.object({ description: z.string() })) })),
  ),
});

/** Paths of Dapr's own protocols. */
const SIDECARS = /^\/(dapr|actors|topics)\//;

let rig: HttpRig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.host.drain());

function appRoutes(layers: unknown): string[] {
  return Layers.parse(layers).flatMap(({ route, handle }) => {
    if (route !== undefined) {
      const methods = Object.keys(route.methods).filter((method) => method !== "_all");
      return [route.path].flat().flatMap((path) => methods.map((method) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`));
    }
    const stack = typeof handle === "function" && "stack" in handle ? handle.stack : [];
    return appRoutes(stack);
  });
}

test("it is the answer of GET /openapi.json, and a validator accepts it", async () => {
  const answer = await rig.call("GET", "/openapi.json");
  expect(answer.json).toEqual(JSON.parse(JSON.stringify(openApiDocument("party"))));
  const validator = new Validator();
  expect(await validator.validate(structuredClone(answer.json) as Record<string, unknown>)).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

test("the validator detects errors", async () => {
  const broken = structuredClone(openApiDocument("party")) as { paths: Record<string, unknown> };
  broken.paths["/tasks"] = { post: { responses: { 200: { content: {} } } } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test("every route of the app is in it, and every one of its routes is in the app", () => {
  const { paths } = Document.parse(openApiDocument("party"));
  const documented = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  const served = appRoutes(rig.host.app.router.stack).filter((route) => !SIDECARS.test(route.split(" ")[1] ?? ""));
  expect(served.toSorted()).toEqual(documented.toSorted());
  expect(documented).toHaveLength(ALL_ROUTES.length);
});

test("every error that a route names is in it with its meaning and fix", () => {
  const { paths } = Document.parse(openApiDocument("party"));
  for (const [name, { path, method, faults }] of ALL_ROUTES) {
    const operation = paths[path]?.[method];
    expect(operation?.operationId).toBe(name);
    for (const code of faults) {
      const { httpStatus, meaning, fix } = FAULTS[code];
      const text = operation?.responses[String(httpStatus)]?.description ?? "";
      expect([name, code, text.includes(`\`${code}\`: ${meaning} ${fix}`)]).toEqual([name, code, true]);
    }
  }
});

test("numbers and booleans of a query are documented as such", () => {
  const text = JSON.stringify(openApiDocument("party"));
  expect(text).toContain(
    '{"name":"limit","in":"query","required":false,"description":"Entries on the page. Default ' +
      '50.","schema":{"type":"integer","minimum":1,"maximum":200}}',
  );
  expect(text).toMatch(/"name":"decided".*?"schema":\{"type":"boolean"\}/);
});
