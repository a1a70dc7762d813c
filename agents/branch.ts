/**
 * @module The calls of a stop with several, and the types of outputs of stops.
 */
import type { z } from "zod";
import type { Call } from "../runtime/slip.ts";
import type { Callable, InputOf, OutputOf } from "./contract.ts";
import { invalid } from "./definition.ts";
import type { RouteContract, RouteTarget } from "./route.ts";
import { callOf, type SleepOptions, sleepOf, type StopOptions, type StopPlace, waitForOf, type WaitOptions } from "./stop-options.ts";
import { targetsOf, type Validated } from "./validate.ts";

declare const BRANCH: unique symbol;

/** One call of a stop with several, made by the `stop` function that `all`, `any` and `forEach` pass. */
export interface Branch<Output = unknown> {
  /** What it runs; empty for a wait. */
  readonly targets: readonly RouteTarget[];
  /** Throws `definition.invalid`. */
  readonly call: (place: StopPlace) => Call;
  /** Carries the output type; the property does not exist at run time. */
  readonly [BRANCH]?: Output;
}

/** The output type of a branch. */
export type BranchOutput<B extends Branch> = B extends Branch<infer Output> ? Output : never;

/** The output type of a stop. It includes `null` if the stop may be skipped or may fail, or if its options are not known exactly. */
export type StopOutput<C extends Callable, O extends StopOptions> =
  MayBe<O, "optional", true> extends true ? OutputOf<C> | null : MayBe<O, "when", string> extends true ? OutputOf<C> | null : OutputOf<C>;

type MayBe<O, Key extends string, Value> = Key extends keyof O ? (Extract<O[Key], Value> extends never ? false : true) : false;

/** Makes one call, pause or wait of a stop with several. */
export interface MakeBranch<Scope> {
  <C extends RouteTarget, const O extends StopOptions = {}>(
    target: C,
    mapping: (scope: Scope) => InputOf<C>,
    options?: O & Validated<C, O>,
  ): Branch<StopOutput<C, O>>;
  /** Pauses for a number of milliseconds. */
  sleep(ms: number | ((scope: Scope) => number), options?: SleepOptions): Branch<null>;
  /** Waits for a signal with this name. */
  waitFor<S extends z.ZodType, const O extends WaitOptions = {}>(name: string, schema: S, options?: O): Branch<SignalOutput<S, O>>;
}

/** The output type of a wait. */
export type SignalOutput<S extends z.ZodType, O extends WaitOptions> = StopOutput<RouteContract<string, unknown, z.infer<S>>, O>;

/** The `stop` function that `all`, `any` and `forEach` pass. */
export const makeBranch: MakeBranch<never> = Object.assign(
  (target: RouteTarget, mapping: (scope: never) => unknown, options: StopOptions = {}): Branch<never> => ({
    targets: targetsOf(target, options),
    call: (place: StopPlace) => callOf(target, mapping, options, place),
  }),
  {
    sleep: (ms: number | ((scope: never) => number), options: SleepOptions = {}): Branch<null> => ({
      targets: [],
      call: (place: StopPlace) => sleepOf(ms, options, place),
    }),
    waitFor: (name: string, schema: z.ZodType, options: WaitOptions = {}): Branch<never> => ({
      targets: [],
      call: (place: StopPlace) => waitForOf(name, schema, options, place),
    }),
  },
);

/** Returns a branch, or throws `definition.invalid`. */
export function requireBranch(branch: Branch | undefined, where: string): Branch {
  if (typeof branch !== "object" || branch === null || typeof branch.call !== "function")
    throw invalid(where, "make each branch with the stop function that the callback receives");
  return branch;
}
