/** @module The models of a system: names with endpoints, and the check that each model agent finds its own. */
import { entryOf } from "../../runtime/entries.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { AgentDefinition } from "../agent.ts";
import { invalid, requireName } from "../definition.ts";
import type { Endpoint } from "./endpoint.ts";

/** The name that an agent uses which names no model. It also stands for the only model of a system. */
const DEFAULT_MODEL = "default";

/** Returns the endpoints of each model. @throws `definition.invalid` */
export function modelsOf(
  given: Readonly<Record<string, Endpoint | readonly Endpoint[]>> | undefined,
  where: string,
): ReadonlyMap<string, readonly Endpoint[]> {
  if (given !== undefined && (typeof given !== "object" || given === null))
    throw invalid(where, "models must be an object of endpoints by name");
  const entries = Object.entries(given ?? {});
  if (entries.length > LIMITS.modelsMax)
    throw invalid(where, `there are ${entries.length} models, but at most ${LIMITS.modelsMax} are allowed`);
  const named = new Map<string, Endpoint>();
  return new Map(
    entries.map(([model, value]) => {
      requireName(model, "model");
      const endpoints: readonly Endpoint[] = isList(value) ? value : [value];
      const place = `${where}, model ${JSON.stringify(model)}`;
      if (endpoints.length === 0 || endpoints.length > LIMITS.endpointsMax)
        throw invalid(place, `it has ${endpoints.length} endpoints, but must have 1 to ${LIMITS.endpointsMax}`);
      for (const one of endpoints) checkEndpoint(one, place, named);
      if (new Set(endpoints).size < endpoints.length) throw invalid(place, "it has an endpoint twice; use weight to give it more calls");
      return [model, Object.freeze([...endpoints])];
    }),
  );
}

function isList(value: Endpoint | readonly Endpoint[]): value is readonly Endpoint[] {
  return Array.isArray(value);
}

function checkEndpoint(endpoint: Endpoint, place: string, named: Map<string, Endpoint>): void {
  if (endpoint?.kind !== "endpoint") throw invalid(place, "one of its endpoints is not an endpoint; make one with openai({ model })");
  const known = named.get(endpoint.name);
  if (known !== undefined && known !== endpoint)
    throw invalid(place, `there are two endpoints named ${JSON.stringify(endpoint.name)}; give one of them a name of its own`);
  named.set(endpoint.name, endpoint);
}

/** The endpoints of a model; `default` also stands for the only model. */
export function endpointsOf<T>(models: ReadonlyMap<string, T>, name: string): T | undefined {
  const known = models.get(name);
  if (known !== undefined || name !== DEFAULT_MODEL || models.size !== 1) return known;
  return [...models.values()][0];
}

/** Checks that each agent finds its models. @throws `definition.invalid` */
export function checkModels(
  agents: ReadonlyMap<string, AgentDefinition>,
  models: ReadonlyMap<string, readonly Endpoint[]>,
  where: string,
): void {
  for (const [agent, { models: used }] of agents) {
    for (const name of used) {
      if (endpointsOf(models, name) !== undefined) continue;
      const wanted = `agent ${JSON.stringify(agent)} uses model ${JSON.stringify(name)}`;
      if (models.size === 0)
        throw invalid(where, `${wanted}, but the system has no models; give it models: { ${name}: openai({ model }) }`);
      const known = [...models.keys()].map((one) => JSON.stringify(one)).join(", ");
      throw invalid(where, `${wanted}, but the system has only ${known}`);
    }
  }
}

/** Returns a system's models with others in their place. @throws `definition.invalid` for a model that the system does not have */
export function replaceModels(
  models: ReadonlyMap<string, readonly Endpoint[]>,
  others: Readonly<Record<string, Endpoint | readonly Endpoint[]>>,
  where: string,
): ReadonlyMap<string, readonly Endpoint[]> {
  const made = modelsOf(others, where);
  for (const name of made.keys()) if (!models.has(name)) throw invalid(where, `the system has no model ${JSON.stringify(name)} to replace`);
  return new Map([...models].map(([name, endpoints]) => [name, entryOf(Object.fromEntries(made), name) ?? endpoints]));
}
