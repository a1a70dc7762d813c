/**
 * @module A system: agents and routes, checked as a whole and pinned as slips. A pure value.
 */
import { canonicalJson, plainJson } from "../runtime/canonical.ts";
import { entryOf } from "../runtime/entries.ts";
import { Fault, type Json } from "../runtime/faults.ts";
import { findUnboundedRing, ringText } from "../runtime/graph.ts";
import type { JsonSchema } from "../runtime/schema.ts";
import { type AgentData, callsOf, type RouteData, type Slip } from "../runtime/slip.ts";
import { type PackedValue, packValue, valueHash } from "../runtime/value.ts";
import type { AgentDefinition } from "./agent.ts";
import { type Contract, type RemoteAgent, remote } from "./contract.ts";
import { invalid, requireKeys, requireName } from "./definition.ts";
import type { Endpoint } from "./model/endpoint.ts";
import { checkModels, modelsOf } from "./model/models.ts";
import { checkFit } from "./mapping-check.ts";
import { isPerson, type Person } from "./person.ts";
import type { PlannedRoute } from "./planned-route.ts";
import { type SourceDefinition, sourcesOf } from "./source.ts";
import { warningsOf } from "./warnings.ts";
import type { RouteContract, RouteDefinition, RouteTarget } from "./route.ts";

/** Options of {@link system}. */
export interface SystemOptions {
  /** Agents that this app hosts, and people. A person needs no host; each app that names it lists it. */
  readonly agents: readonly (AgentDefinition | Person)[];
  /** Routes, including each route that they run as a nested one. */
  readonly routes: readonly RouteDefinition[];
  /** Agents that other apps host: contracts, or `remote(...)` if they ask, hand off or are part of a cycle. */
  readonly remote?: readonly (Contract | RemoteAgent)[] | undefined;
  /** Models by name, each with an endpoint or several, among which the gateway chooses by weight. Required if an agent is a model agent. */
  readonly models?: Readonly<Record<string, Endpoint | readonly Endpoint[]>> | undefined;
}

/** A route with the slip to which its tasks are pinned. */
export interface SystemRoute {
  readonly name: string;
  readonly version: number;
  readonly inputJsonSchema: JsonSchema;
  /** This route, each route reachable from it, and what the process manager must know about all agents. */
  readonly slip: Slip;
  /** SHA-256 of the slip's canonical text, in hex. */
  readonly slipHash: string;
  /** The slip as a stored value under that hash, made once for all tasks. */
  readonly slipValue: PackedValue;
  /** Returns the task's input, or throws `schema.task`. */
  checkTask(value: unknown): Json;
}

/** Agents and routes, checked as a whole; what a host serves. */
export interface System {
  readonly name: string;
  /** Agents hosted here, by name. */
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  /** People, by name. */
  readonly people: ReadonlyMap<string, Person>;
  /** Agents hosted by other apps, by name. */
  readonly remote: ReadonlyMap<string, RemoteAgent>;
  readonly routes: ReadonlyMap<string, SystemRoute>;
  /** Planned routes that the routes run, by name. No task can be submitted to them. */
  readonly planned: ReadonlyMap<string, PlannedRoute>;
  /** The endpoints of each model, by the model's name. */
  readonly models: ReadonlyMap<string, readonly Endpoint[]>;
  /** Sources of documents that the agents declare, by name. */
  readonly sources: ReadonlyMap<string, SourceDefinition>;
  /** All routes and agents in one slip, for the graph and for documents. */
  readonly slip: Slip;
  /** Sentences about allowed but possibly unintended definitions, such as parallel stops whose work items run in order. */
  readonly warnings: readonly string[];
  /** What each agent does, by name, if its contract says so. */
  readonly about: ReadonlyMap<string, string>;
}

/**
 * Defines a system from agents and routes.
 * @throws `definition.invalid` for parts that do not fit together, naming them
 * @throws `cycle.unbounded` for a cycle of agents or routes without a bound, with the cycle printed
 */
export function system(name: string, options: SystemOptions): System {
  const where = `system ${JSON.stringify(name)}`;
  requireName(name, "system");
  requireKeys(options, where, ["agents", "routes", "remote", "models"]);
  const agents = byName(
    options.agents.filter((item) => item?.kind !== "contract"),
    where,
    "agent",
    "agent",
  );
  const people = peopleOf(options.agents, agents, where);
  const remotes = byName((options.remote ?? []).map(asRemote), where, "remote agent", "remote");
  const routes = byName(options.routes, where, "route", "route");
  const contracts = contractsOf(agents, remotes, people, where);
  checkRelations(agents, remotes, contracts);
  const models = modelsOf(options.models, where);
  checkModels(agents, models, where);
  for (const definition of routes.values()) {
    checkTargets(definition, contracts, routes);
    checkFit(definition);
  }
  const planned = plannedOf(routes, contracts, where);
  const routesData = { ...mapValues(routes, (item) => item.data), ...mapValues(planned, (item) => item.data) };
  const slip: Slip = { v: 1, system: name, routes: routesData, agents: dataOf(agents, remotes, people) };
  const ring = findUnboundedRing(slip);
  if (ring !== undefined) {
    throw new Fault(
      "cycle.unbounded",
      `${where}: the cycle ${ringText(ring)} has no bound; give one of its members a visitsMax, or break the cycle`,
      {
        ring: ring.nodes.map((node) => node.name),
        kinds: [...ring.kinds],
      },
    );
  }
  return Object.freeze({
    name,
    agents,
    people,
    remote: remotes,
    routes: new Map([...routes].map(([key, item]) => [key, systemRoute(item, slip)])),
    planned,
    models,
    sources: sourcesOf(
      [...agents.values()].map(({ memory }) => memory?.sources ?? []),
      where,
    ),
    slip,
    warnings: warningsOf(slip),
    about: new Map([...contracts].flatMap(([agent, { about }]) => (about === undefined ? [] : [[agent, about] as const]))),
  });
}

/** The people among the agents. A contract of another kind has no handler, so it cannot stand there. */
function peopleOf(
  items: SystemOptions["agents"],
  agents: ReadonlyMap<string, AgentDefinition>,
  where: string,
): ReadonlyMap<string, Person> {
  const contracts: readonly Contract[] = items.filter((item) => item?.kind === "contract");
  const plain = contracts.find((item) => !isPerson(item));
  if (plain !== undefined)
    throw invalid(where, `${JSON.stringify(plain.name)} is a contract without a handler; make the agent with agent(), or use remote`);
  const people = byName(contracts.filter(isPerson), where, "person", "contract");
  for (const name of people.keys())
    if (agents.has(name)) throw invalid(where, `there are two agents named ${JSON.stringify(name)}, one of which is a person`);
  return people;
}

function asRemote(item: Contract | RemoteAgent): RemoteAgent {
  return item.kind === "contract" ? remote(item) : item;
}

function byName<T extends { readonly kind: string } & ({ readonly name: string } | { readonly contract: Contract })>(
  items: readonly T[],
  where: string,
  what: string,
  kind: string,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const item of items) {
    if (item?.kind !== kind)
      throw invalid(where, `one of the ${what}s is not a ${what}${what === "route" ? "; finish a route with .output()" : ""}`);
    const name = "name" in item ? item.name : item.contract.name;
    if (found.has(name)) throw invalid(where, `there are two ${what}s named ${JSON.stringify(name)}`);
    found.set(name, item);
  }
  return found;
}

function contractsOf(
  agents: ReadonlyMap<string, AgentDefinition>,
  remotes: ReadonlyMap<string, RemoteAgent>,
  people: ReadonlyMap<string, Person>,
  where: string,
): Map<string, Contract> {
  const contracts = new Map<string, Contract>([...people, ...[...agents].map(([name, item]) => [name, item.contract] as const)]);
  for (const [name, item] of remotes) {
    if (isPerson(item.contract)) throw invalid(where, `${JSON.stringify(name)} is a person, which no app hosts; list it in agents`);
    if (contracts.has(name)) throw invalid(where, `agent ${JSON.stringify(name)} is listed both in agents and in remote; keep one`);
    contracts.set(name, item.contract);
  }
  return contracts;
}

function dataOf(
  agents: ReadonlyMap<string, AgentDefinition>,
  remotes: ReadonlyMap<string, RemoteAgent>,
  people: ReadonlyMap<string, Person>,
): Readonly<Record<string, AgentData>> {
  const data = (item: Person): AgentData => ({ version: item.version, asks: [], handsOffTo: [], person: item.person });
  return { ...mapValues(agents, (item) => item.data), ...mapValues(remotes, (item) => item.data), ...mapValues(people, data) };
}

function mapValues<T, R>(map: ReadonlyMap<string, T>, to: (item: T) => R): Record<string, R> {
  return Object.fromEntries([...map].map(([key, item]) => [key, to(item)]));
}

// ---- each named agent and route must exist --------------------------------------------------------------------------

function checkRelations(
  agents: ReadonlyMap<string, AgentDefinition>,
  remotes: ReadonlyMap<string, RemoteAgent>,
  contracts: ReadonlyMap<string, Contract>,
): void {
  for (const [name, item] of agents) {
    const where = `agent ${JSON.stringify(name)}`;
    checkNamed(where, item.asks, item.handsOffTo, contracts);
    for (const { name: tool, approver } of item.tools.values())
      if (approver !== undefined) checkContract(`${where}, approver of tool ${JSON.stringify(tool)}`, approver, contracts);
  }
  for (const [name, item] of remotes)
    checkNamed(`remote agent ${JSON.stringify(name)}`, item.relations.asks ?? [], item.relations.handsOffTo ?? [], contracts);
}

function checkNamed(
  where: string,
  asks: readonly Contract[],
  handsOffTo: readonly Contract[],
  contracts: ReadonlyMap<string, Contract>,
): void {
  for (const target of asks) checkContract(`${where}, asks`, target, contracts);
  for (const target of handsOffTo) checkContract(`${where}, handsOffTo`, target, contracts);
}

function checkContract(where: string, named: Contract, contracts: ReadonlyMap<string, Contract>): void {
  const known = contracts.get(named.name);
  if (known === named) return;
  const name = JSON.stringify(named.name);
  if (known === undefined)
    throw invalid(
      where,
      `the system does not know ${isPerson(named) ? `person ${name}; add it to agents` : `agent ${name}; add it to agents or remote`}`,
    );
  if (known.version !== named.version)
    throw invalid(where, `agent ${name} is used with version ${named.version}, but the system has version ${known.version}`);
  const same =
    sameJson(known.inputJsonSchema, named.inputJsonSchema) &&
    sameJson(known.outputJsonSchema, named.outputJsonSchema) &&
    sameJson(known.key ?? null, named.key ?? null) &&
    sameJson(personJson(known), personJson(named));
  if (!same)
    throw invalid(
      where,
      `agent ${name} version ${named.version} is used with a contract whose schemas or key differ from those in the system`,
    );
}

function personJson(target: Contract): Json {
  return isPerson(target) ? plainJson(target.person) : null;
}

function checkTargets(
  definition: RouteDefinition,
  contracts: ReadonlyMap<string, Contract>,
  routes: ReadonlyMap<string, RouteDefinition>,
): void {
  const where = `route ${JSON.stringify(definition.name)}`;
  for (const target of definition.targets) {
    if (target.kind === "contract") checkContract(where, target, contracts);
    else if (target.kind !== "planned-route") checkRoute(where, target, routes);
  }
}

/** The planned routes that routes run, by name, with all that their plans may use checked. */
function plannedOf(
  routes: ReadonlyMap<string, RouteDefinition>,
  contracts: ReadonlyMap<string, Contract>,
  where: string,
): ReadonlyMap<string, PlannedRoute> {
  const found = new Map<string, PlannedRoute>();
  const all = [...routes.values()].flatMap(({ targets }) => targets.filter((target) => target.kind === "planned-route"));
  for (const item of all) {
    const { name } = item;
    if (routes.has(name) || (found.has(name) && found.get(name) !== item))
      throw invalid(where, `there are two routes named ${JSON.stringify(name)}, one of which is a planned route`);
    found.set(name, item);
    for (const target of item.targets) {
      if (target.kind === "contract") checkContract(`planned route ${JSON.stringify(name)}`, target, contracts);
      else checkRoute(`planned route ${JSON.stringify(name)}`, target, routes);
    }
  }
  return found;
}

function checkRoute(where: string, named: RouteDefinition | RouteContract, routes: ReadonlyMap<string, RouteDefinition>): void {
  const known: RouteTarget | undefined = routes.get(named.name);
  if (known === named) return;
  const name = JSON.stringify(named.name);
  if (known === undefined) throw invalid(where, `the system does not know route ${name}; add it to routes`);
  if (named.kind === "route") throw invalid(where, `route ${name} differs from the route that the system has under this name`);
  if (!sameJson(known.inputJsonSchema, named.inputJsonSchema))
    throw invalid(where, `route ${name} takes an input that differs from its contract`);
  checkFit(known, named);
}

function sameJson(left: Json, right: Json): boolean {
  return canonicalJson(left) === canonicalJson(right);
}

// ---- slips ----------------------------------------------------------------------------------------------------------

function systemRoute(definition: RouteDefinition, whole: Slip): SystemRoute {
  const slip: Slip = { ...whole, routes: reachable(definition.name, whole.routes) };
  const slipValue = packValue(slip as unknown as Json, undefined, 0);
  return Object.freeze({
    name: definition.name,
    version: definition.version,
    inputJsonSchema: definition.inputJsonSchema,
    slip,
    slipHash: valueHash(slipValue.value),
    slipValue,
    checkTask: (value: unknown) => definition.checkTask(value),
  });
}

function reachable(first: string, routes: Readonly<Record<string, RouteData>>): Readonly<Record<string, RouteData>> {
  const found = new Map<string, RouteData>();
  const open = [first];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const data = entryOf(routes, name);
    if (data === undefined || found.has(name)) continue;
    found.set(name, data);
    for (const stop of data.stops) for (const [, call] of callsOf(stop)) if (call.target.kind === "route") open.push(call.target.route);
  }
  return Object.fromEntries(found);
}
