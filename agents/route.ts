/**
 * @module The typed builder of routes: stops in order, each with a mapping from the task and the finished stops.
 *
 * The builder is immutable: each call returns a new one, so two routes can share a beginning.
 */
import type { z } from "zod";
import type { Grant } from "../runtime/budget.ts";
import type { Expression } from "../runtime/expression.ts";
import type { Json } from "../runtime/faults.ts";
import { LIMITS } from "../runtime/limits.ts";
import type { Plan } from "../runtime/plan.ts";
import { type JsonSchema, jsonSchemaOf } from "../runtime/schema.ts";
import { type Call, outputNames, type RouteData, type Stop } from "../runtime/slip.ts";
import {
  callOf,
  type SleepOptions,
  sleepOf,
  type StopDefaults,
  type StopOptions,
  type StopPlace,
  waitForOf,
  type WaitOptions,
} from "./stop-options.ts";
import { type Budget, budgetOf } from "./budget.ts";
import {
  type Branch,
  type BranchOutput,
  type MakeBranch,
  makeBranch,
  requireBranch,
  type SignalOutput,
  type StopOutput,
} from "./branch.ts";
import { type Callable, type Contract, definitionGate, type InputOf } from "./contract.ts";
import { invalid, requireInt, requireKeys, requireName, VERSION_MAX } from "./definition.ts";
import { recordScope } from "./mapping.ts";
import { type Person, requirePerson } from "./person.ts";
import type { PlannedRoute } from "./planned-route.ts";
import { targetsOf, type Validated } from "./validate.ts";

const RESERVED = ["task", "item", "input"];

/** A route by name and schemas only. A stop uses it to run a route that is defined later, or the same route again. */
export interface RouteContract<Name extends string = string, Input = unknown, Output = unknown> extends Callable<Name, Input, Output> {
  readonly kind: "route-contract";
  readonly inputJsonSchema: JsonSchema;
  readonly outputJsonSchema: JsonSchema;
}

/** A finished route. A slip pins its data. */
export interface RouteDefinition<Name extends string = string, Task = unknown, Output = unknown> extends Callable<Name, Task, Output> {
  readonly kind: "route";
  readonly version: number;
  readonly data: RouteData;
  readonly inputJsonSchema: JsonSchema;
  /** Each agent and route that the stops name, once. */
  readonly targets: readonly (RouteTarget | PlannedRoute)[];
  /** Returns the task's input, or throws `schema.task`. */
  checkTask(value: unknown): Json;
}

/** What a stop may run. */
export type RouteTarget = Contract | RouteDefinition | RouteContract;

/** Refers to a route that is defined later, or to the route under definition. `system` checks that it exists and fits. */
export function routeContract<const Name extends string, I extends z.ZodType, O extends z.ZodType>(
  name: Name,
  schemas: { readonly input: I; readonly output: O },
): RouteContract<Name, z.infer<I>, z.infer<O>> {
  const where = `contract of route ${JSON.stringify(name)}`;
  requireKeys(schemas, where, ["input", "output"]);
  return Object.freeze({
    kind: "route-contract",
    name: requireName(name, "route"),
    input: schemas.input as z.ZodType<z.infer<I>>,
    inputJsonSchema: jsonSchemaOf(schemas.input, `${where}, input`),
    outputJsonSchema: jsonSchemaOf(schemas.output, `${where}, output`),
  });
}

type Simplify<T> = { [Key in keyof T]: T[Key] };
type Extended<Scope, Name extends string, Output> = Simplify<Scope & { readonly [Key in Name]: Output }>;

/** Options of a route besides its name, version and task. */
export interface RouteOptions {
  /** Maximum visits per chain of nested routes, 1 to 1,000. Required if the route leads back to itself. */
  readonly visitsMax?: number | undefined;
  /** Default time limit of one attempt of a stop that runs an agent, in milliseconds. @default 60 s */
  readonly timeoutMs?: number | undefined;
  /**
   * What one run of the route may spend on models and tools, with all that it runs. `asks`: the person who may raise it when it ends.
   * @default no budget
   */
  readonly budget?: (Budget & { readonly asks?: Person | undefined }) | undefined;
}

/** Options of a `forEach`. */
export interface ForEachOptions {
  /** Maximum items in work at once, 1 to 256. @default 8 */
  readonly concurrency?: number | undefined;
}

/** Begins a route. Throws `definition.invalid`. */
export function route<const Name extends string, T extends z.ZodType>(
  name: Name,
  version: number,
  task: T,
  options: RouteOptions = {},
): RouteBuilder<Name, z.infer<T>, { readonly task: z.infer<T> }> {
  const where = `route ${JSON.stringify(name)}`;
  requireName(name, "route");
  requireKeys(options, where, ["visitsMax", "timeoutMs", "budget"]);
  requireInt(version, where, "version", 1, VERSION_MAX);
  if (options.visitsMax !== undefined) requireInt(options.visitsMax, where, "visitsMax", 1, LIMITS.visitsMaxMax);
  if (options.timeoutMs !== undefined) requireInt(options.timeoutMs, where, "timeoutMs", 1, LIMITS.stopTimeoutMsMax);
  const { asks, ...limits } = options.budget ?? {};
  const head: Head = {
    name,
    version,
    task,
    visitsMax: options.visitsMax,
    budget: options.budget === undefined ? undefined : budgetOf(limits, where),
    budgetAsks: asks === undefined ? undefined : requirePerson(asks, where, "budget.asks"),
    defaults: { timeoutMs: options.timeoutMs },
    gate: definitionGate(task, `task of route ${name}`, "schema.task"),
    schema: jsonSchemaOf(task, `${where}, task`),
  };
  return new RouteBuilder(head, [], []);
}

interface Head {
  readonly name: string;
  readonly version: number;
  readonly task: z.ZodType;
  readonly visitsMax: number | undefined;
  readonly budget: Grant | undefined;
  readonly budgetAsks: Person | undefined;
  readonly defaults: StopDefaults;
  readonly gate: { check(value: unknown): Json };
  readonly schema: JsonSchema;
}

/** A route under construction. `Scope` is what the next stop may read: the task and the outputs of finished stops. */
export class RouteBuilder<Name extends string, Task, Scope> {
  readonly #head: Head;
  readonly #stops: readonly Stop[];
  readonly #targets: readonly (RouteTarget | PlannedRoute)[];

  constructor(head: Head, stops: readonly Stop[], targets: readonly (RouteTarget | PlannedRoute)[]) {
    this.#head = head;
    this.#stops = stops;
    this.#targets = targets;
  }

  /** Adds a call of one agent or nested route. Its output is in the scope under the stop's name. */
  to<const N extends string, C extends RouteTarget, const O extends StopOptions = {}>(
    name: N,
    target: C,
    mapping: (scope: Scope) => InputOf<C>,
    options?: O & Validated<C, O>,
  ): RouteBuilder<Name, Task, Extended<Scope, N, StopOutput<C, O>>> {
    const where = this.#begin(name);
    const call = callOf(target, mapping, options ?? {}, this.#place(where));
    return this.#with({ kind: "one", name, call }, targetsOf(target, options ?? {}));
  }

  /**
   * Adds a planned route: a nested route whose stops are those of a plan, the output of an earlier stop. Its output is in the scope under
   * the stop's name. A plan that is not well formed fails the stop with `slip.invalid`.
   */
  plan<const N extends string, C extends PlannedRoute, const O extends StopOptions = {}>(
    name: N,
    target: C,
    plan: (scope: Scope) => Plan,
    mapping: (scope: Scope) => InputOf<C>,
    options?: O & Validated<C, O>,
  ): RouteBuilder<Name, Task, Extended<Scope, N, StopOutput<C, O>>> {
    const where = this.#begin(name);
    if (target?.kind !== "planned-route") throw invalid(where, "the target must be a planned route; make one with plannedRoute()");
    const call = callOf(target, mapping, options ?? {}, this.#place(where));
    return this.#with(
      { kind: "one", name, call: { ...call, plan: recordScope(plan, this.#names(), `${where}, plan`) } },
      targetsOf(target, options ?? {}),
    );
  }

  /** Adds a pause of a number of milliseconds. It holds no resources; its output is `null`. */
  sleep<const N extends string>(
    name: N,
    ms: number | ((scope: Scope) => number),
    options: SleepOptions = {},
  ): RouteBuilder<Name, Task, Extended<Scope, N, null>> {
    const call = sleepOf(ms, options, this.#place(this.#begin(name)));
    return this.#with({ kind: "one", name, call }, []);
  }

  /** Adds a wait for an external signal with the stop's name. Its output is the payload. */
  waitFor<const N extends string, S extends z.ZodType, const O extends WaitOptions = {}>(
    name: N,
    schema: S,
    options?: O,
  ): RouteBuilder<Name, Task, Extended<Scope, N, SignalOutput<S, O>>> {
    const call = waitForOf(name, schema, options ?? {}, this.#place(this.#begin(name)));
    return this.#with({ kind: "one", name, call }, []);
  }

  /** Adds several calls at once, all of which must succeed. Each output is in the scope under its branch's name. */
  all<B extends Readonly<Record<string, Branch>>>(
    branches: (stop: MakeBranch<Scope>) => B,
  ): RouteBuilder<Name, Task, Simplify<Scope & { readonly [Key in keyof B]: BranchOutput<B[Key]> }>> {
    const name = `all-${this.#stops.length + 1}`;
    const made = this.#branches(branches(makeBranch), this.#begin(name));
    const where = this.#where(name);
    for (const branch of Object.keys(made.calls)) this.#requireNew(branch, where);
    return this.#with({ kind: "all", name, branches: made.calls }, made.targets);
  }

  /** Adds several calls at once, of which the first that succeeds counts. The others are cancelled and compensated. */
  any<const N extends string, B extends Readonly<Record<string, Branch>>>(
    name: N,
    branches: (stop: MakeBranch<Scope>) => B,
  ): RouteBuilder<Name, Task, Extended<Scope, N, BranchOutput<B[keyof B]>>> {
    const made = this.#branches(branches(makeBranch), this.#begin(name));
    return this.#with({ kind: "any", name, branches: made.calls }, made.targets);
  }

  /** Adds the same call for each item of a list, in the list's order. The mapping reads the item as `item`. */
  forEach<const N extends string, Item, B extends Branch>(
    name: N,
    over: (scope: Scope) => readonly Item[],
    each: (stop: MakeBranch<Simplify<Scope & { readonly item: Item }>>) => B,
    options: ForEachOptions = {},
  ): RouteBuilder<Name, Task, Extended<Scope, N, BranchOutput<B>[]>> {
    const where = this.#begin(name);
    requireKeys(options, where, ["concurrency"]);
    const list = recordScope(over, this.#names(), `${where}, list`);
    if ("object" in list || ("literal" in list && !Array.isArray(list.literal)))
      throw invalid(`${where}, list`, "the mapping does not give a list");
    const branch = requireBranch(each(makeBranch), where);
    const call = branch.call({ ...this.#place(where), names: [...this.#names(), "item"] });
    const concurrency = requireInt(
      options.concurrency ?? LIMITS.forEachConcurrencyDefault,
      where,
      "concurrency",
      1,
      LIMITS.forEachConcurrencyMax,
    );
    return this.#with({ kind: "forEach", name, over: list, call, concurrency }, branch.targets);
  }

  /** Finishes the route with the mapping of its output. Throws `definition.invalid`. */
  output<Output>(mapping: (scope: Scope) => Output): RouteDefinition<Name, Task, Output> {
    const { name, version, task, visitsMax, budget, budgetAsks, gate, schema } = this.#head;
    if (this.#stops.length === 0) throw invalid(`route ${JSON.stringify(name)}`, "there is no stop; add one with .to()");
    const output: Expression = recordScope(mapping, this.#names(), `route ${JSON.stringify(name)}, output`);
    return Object.freeze({
      kind: "route",
      // The head keeps the names and schemas of the type parameters, untyped.
      name: name as Name,
      input: task as z.ZodType<Task>,
      version,
      data: {
        version,
        stops: this.#stops,
        output,
        ...(visitsMax === undefined ? {} : { visitsMax }),
        ...(budget === undefined ? {} : { budget }),
        ...(budgetAsks === undefined ? {} : { budgetAsks: budgetAsks.name }),
      },
      inputJsonSchema: schema,
      targets: [...new Set([...this.#targets, ...(budgetAsks === undefined ? [] : [budgetAsks])])],
      checkTask: (value: unknown) => gate.check(value),
    });
  }

  #names(): string[] {
    return ["task", ...this.#stops.flatMap(outputNames)];
  }

  #place(where: string): StopPlace {
    return { names: this.#names(), where, defaults: this.#head.defaults };
  }

  #where(stop: string): string {
    return `route ${JSON.stringify(this.#head.name)}, stop ${JSON.stringify(stop)}`;
  }

  /** Checks a new stop's name and returns the location for messages. */
  #begin(name: string): string {
    const where = this.#where(name);
    requireName(name, "stop");
    this.#requireNew(name, where);
    if (this.#stops.length >= LIMITS.stopsMax) throw invalid(where, `a route has at most ${LIMITS.stopsMax} stops`);
    return where;
  }

  #requireNew(name: string, where: string): void {
    if (RESERVED.includes(name)) throw invalid(where, `the name ${JSON.stringify(name)} is reserved`);
    const used = this.#stops.some((stop) => stop.name === name || outputNames(stop).includes(name));
    if (used) throw invalid(where, `the name ${JSON.stringify(name)} is already used in this route`);
  }

  #branches(
    branches: Readonly<Record<string, Branch>>,
    where: string,
  ): { readonly calls: Readonly<Record<string, Call>>; readonly targets: readonly RouteTarget[] } {
    // Written as a property, `__proto__: stop(...)` sets the prototype of the branches and is not a branch.
    if (Object.getPrototypeOf(branches) !== Object.prototype && Object.getPrototypeOf(branches) !== null)
      throw invalid(where, "the branches must be a plain object, and none can be named __proto__");
    const entries = Object.entries(branches);
    if (entries.length === 0 || entries.length > LIMITS.branchesMax)
      throw invalid(where, `there are ${entries.length} branches, but must be 1 to ${LIMITS.branchesMax}`);
    const calls = entries.map(([name, made]) => {
      const place = `${where}, branch ${JSON.stringify(name)}`;
      requireName(name, "branch");
      const branch = requireBranch(made, place);
      return [name, branch.call(this.#place(place))] as const;
    });
    return { calls: Object.fromEntries(calls), targets: entries.flatMap(([, branch]) => branch.targets) };
  }

  #with<Next>(stop: Stop, targets: readonly (RouteTarget | PlannedRoute)[]): RouteBuilder<Name, Task, Next> {
    return new RouteBuilder(this.#head, [...this.#stops, stop], [...this.#targets, ...targets]);
  }
}
