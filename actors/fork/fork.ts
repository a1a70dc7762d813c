/**
 * @module Forks a recorded run: the current system runs in memory, fed from the record. What had ended before a call has its recorded
 * result; from there on models are really asked, within the budget of the fork. Nothing is written to a store or published, no person is
 * asked, and no tool is called.
 */
import type { System } from "../../agents/system.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { diffOf, type ForkReport, type ForkWanted } from "../../runtime/cassette/diff.ts";
import { RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { Fault, faultFrom } from "../../runtime/faults.ts";
import { inputOrigin } from "../../runtime/label.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessView } from "../../runtime/process-view.ts";
import type { ProcessState } from "../../runtime/process/state.ts";
import { type Logger, SILENT } from "../engine/log.ts";
import type { Models } from "../engine/ports.ts";
import { systemRandom } from "../engine/system-clock.ts";
import { Host } from "../host/host.ts";
import { HostMetrics } from "../telemetry/metrics.ts";
import { unsampledTrace } from "../telemetry/spans.ts";
import { Driver } from "../memory/driver.ts";
import { LocalWorld, SkippingClock } from "../memory/world.ts";
import { Cassettes } from "../operations/cassettes.ts";
import { SystemOperations } from "../operations/system-operations.ts";
import { forkedSystem } from "./fork-agents.ts";
import { ForkCalls } from "./fork-calls.ts";
import { ForkEnd } from "./fork-end.ts";
import { type ForkBudget, ForkModels } from "./fork-models.ts";
import { ForkPeople } from "./fork-people.ts";
import { withGiven } from "./with-given.ts";

/** What runs a fork. */
export interface ForkParts {
  readonly system: System;
  /** The models that are really asked. Absent: none can be. */
  readonly models: Models | undefined;
  readonly log?: Logger | undefined;
}

/** What is forked, where, and with which changes. */
export interface ForkOptions extends ForkWanted {
  readonly cassette: Cassette;
}

/** A forked run: what it did, compared with the record, and the run itself as a cassette. */
export interface Forked {
  readonly report: ForkReport;
  readonly cassette: Cassette;
}

/** Forks a recorded run. @throws `fork.unknown`, `model.unknown`, `prompt.unknown`, `route.unknown`, `schema.task`, `schema.input` */
export async function fork(parts: ForkParts, options: ForkOptions): Promise<Forked> {
  const { system } = parts;
  const { cassette, at, model, prompt } = options;
  if (model !== undefined && !system.models.has(model))
    throw new Fault("model.unknown", `the system has no model ${model}; it has ${[...system.models.keys()].join(", ")}`, { model });
  if (prompt !== undefined && ![...system.agents.values()].some(({ prompts }) => prompts.includes(prompt)))
    throw new Fault("prompt.unknown", `no agent of the system has a version ${prompt} of its prompt`, { version: prompt });
  const recorded = new RecordedRun(cassette, at);
  const run = new ForkedRun(parts, options, recorded);
  const { view, ending, read } = await run.end();
  const forked = withGiven(cassette, read, recorded);
  const { unrecorded, fault } = run.ended;
  const outcome = fault === undefined ? view?.outcome : undefined;
  const code = fault?.code === "fork.budget" ? fault.code : (outcome?.fault?.code ?? ending?.fault.code);
  const report: ForkReport = {
    ...{ id: recorded.id, at },
    status: fault === undefined ? (outcome?.status ?? "open") : unrecorded === undefined ? "stopped" : "unrecorded",
    ...(unrecorded === undefined ? {} : { unrecorded }),
    ...(outcome?.output === undefined ? {} : { output: outcome.output }),
    ...(code === undefined ? {} : { code }),
    modelCalls: run.models.made,
    usd: run.models.usd,
    diff: diffOf(cassette, forked, { a: recorded.id, b: "fork" }),
  };
  return { report, cassette: forked };
}

interface Ended {
  readonly view: ProcessView | undefined;
  readonly ending: ProcessState["ending"];
  readonly read: Cassette;
}

/** The world of one fork. */
class ForkedRun {
  readonly ended = new ForkEnd();
  readonly models: ForkModels;
  readonly #recorded: RecordedRun;
  readonly #options: ForkOptions;
  readonly #budget: ForkBudget;
  readonly #world: LocalWorld;
  readonly #host: Host;
  readonly #system: System;
  readonly #driver: Driver;
  readonly #operations: SystemOperations;
  #state: ProcessState | undefined;

  constructor({ system, models, log = SILENT }: ForkParts, options: ForkOptions, recorded: RecordedRun) {
    const { at, input, model, prompt, budget } = options;
    this.#options = options;
    this.#recorded = recorded;
    this.#budget = {
      modelCalls: budget?.modelCalls ?? LIMITS.forkModelCallsDefault,
      usd: budget?.usd ?? LIMITS.forkUsdDefault,
      timeMs: budget?.timeMs ?? LIMITS.forkMsDefault,
    };
    const during = <T>(action: Promise<T>): Promise<T> => this.#driver.during(action);
    const end = this.ended;
    const calls = new ForkCalls(recorded, end);
    this.models = new ForkModels({ recorded, models, budget: this.#budget, end, during, metrics: new HostMetrics(system.name) });
    const replaced = at === "start" ? undefined : input;
    this.#system = forkedSystem(system, { recorded, end, calls, models: this.models, model, prompt, input: replaced });
    const clock = new SkippingClock(recorded.task.acceptedAtMs);
    this.#world = new LocalWorld({ clock, random: systemRandom, models: this.models });
    // What a fork does is nothing that the system did: only its model calls are measured, by themselves.
    this.#host = new Host({ system: this.#system, ports: this.#world.ports, log, isObserved: false });
    this.#world.attach(this.#host);
    this.#driver = new Driver({ world: this.#world, host: this.#host, clock, giveUpMs: this.#budget.timeMs });
    this.#operations = new SystemOperations({ system: this.#system, ports: this.#world.ports, host: this.#host, newId: () => recorded.id });
    const people = new ForkPeople({ recorded, calls, end, operations: () => this.#operations, during });
    this.#host.listen((_before, after) => {
      if (after.id === recorded.id) this.#state = after;
      people.note(after);
    });
  }

  /** Runs to the outcome, or to what ends the fork before. */
  async end(): Promise<Ended> {
    try {
      await this.#submit();
      await this.#driver
        .until(() => this.#state?.phase === "ended" || this.ended.fault !== undefined)
        .catch((error: unknown) => {
          const { code } = faultFrom(error, "turn.failed");
          if (code !== "process.expired") throw error;
          void this.ended.with(new Fault("fork.budget", `the fork did not end within ${this.#budget.timeMs} ms`));
        });
      const view = this.ended.fault === undefined ? await this.#operations.process(this.#recorded.id) : undefined;
      const { ports } = this.#world;
      const journals = { ports, system: this.#system.name, values: this.#host.values };
      const read = await new Cassettes(journals, { withOpen: true }).read(this.#recorded.id);
      return { view, ending: this.#state?.ending, read };
    } finally {
      this.ended.close();
      await this.#host.stop(0);
    }
  }

  async #submit(): Promise<void> {
    const { task, outsideId: id, input } = this.#recorded;
    const { at, input: replaced = input } = this.#options;
    const { given: permissions, ...principal } = task.principal;
    const origin = inputOrigin("");
    const untrusted = task.label?.map((one) => (one.startsWith(origin) ? one.slice(origin.length) : one))[0];
    const submission = {
      id,
      route: task.route,
      input: at === "start" ? replaced : input,
      timeoutMs: task.timeoutMs,
      permissions,
      untrusted,
    };
    await this.#driver.during(this.#operations.submit(submission, { principal, trace: unsampledTrace(systemRandom) }, 0));
  }
}
