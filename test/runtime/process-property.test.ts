/**
 * @module Properties of the process machine under any order of answers, repetitions, asks, cancellation and time.
 *
 * The rig checks purity, the strict schemas and replay at every decision; here the invariants P1 to P4 and the outbox.
 * A failing run prints its seed and the shortest failing inputs.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { stopWorkParts } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Decision } from "../../runtime/machine.ts";
import { nextRun } from "../../runtime/process/runs.ts";
import type { ProcessInput } from "../../runtime/process/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import type { Message } from "../../runtime/protocol.ts";
import type { Call, Slip, Stop } from "../../runtime/slip.ts";
import { sends } from "./machine-rig.ts";
import { call, one, ProcessRig, slipOf } from "./process-rig.ts";

const RUNS = 120;
const STEPS_MAX = 45;
const CONCURRENCY = 2;

const retry = fc.record({
  attemptsMax: fc.integer({ min: 1, max: 3 }),
  backoffMs: fc.constantFrom(0, 500),
  backoffMsMax: fc.constant(2_000),
  jitter: fc.constantFrom(0, 0.5),
});
const someCall = (agent: string): fc.Arbitrary<Call> =>
  fc
    .record({
      optional: fc.boolean(),
      retry,
      timeoutMs: fc.constantFrom(1_000, 10_000),
      when: fc.constantFrom(undefined, undefined, "task.n > 1", "task.n > 5"),
    })
    .map(({ when, ...rest }) => call(agent, { ...rest, ...(when === undefined ? {} : { when }) }));
const nested = call("A", { target: { kind: "route", route: "inner" }, timeoutMs: 10_000 });
const stop = (index: number): fc.Arbitrary<Stop> =>
  fc.oneof(
    someCall("A").map((made): Stop => ({ kind: "one", name: `s${index}`, call: made })),
    fc
      .tuple(someCall("A"), someCall("B"))
      .map(([x, y]): Stop => ({ kind: "all", name: `s${index}`, branches: { [`x${index}`]: x, [`y${index}`]: y } })),
    fc
      .tuple(someCall("B"), someCall("C"), someCall("A"))
      .map(([x, y, z]): Stop => ({ kind: "any", name: `s${index}`, branches: { x, y, z } })),
    someCall("C").map((made): Stop => ({
      kind: "forEach",
      name: `s${index}`,
      over: { from: ["task", "list"] },
      concurrency: CONCURRENCY,
      call: { ...made, input: { from: ["item"] } },
    })),
    fc.constant<Stop>({ kind: "one", name: `s${index}`, call: nested }),
  );
const slip: fc.Arbitrary<Slip> = fc.tuple(stop(1), stop(2), stop(3)).map((stops) =>
  slipOf(stops, {
    output: { object: { s1: { literal: 1 } } },
    routes: { inner: { version: 1, stops: [one("a")], output: { literal: 1 } } },
    agents: {
      A: { asks: ["B", "C"], handsOffTo: ["B"], visitsMax: 3 },
      B: { asks: ["C"], handsOffTo: ["A", "C"], visitsMax: 3 },
      C: { asks: ["A"] },
    },
  }),
);

/** What may happen next; `pick` chooses among all requests ever made, so late and repeated answers come by themselves. */
const step = fc.record({
  what: fc.constantFrom(
    "output",
    "output",
    "output",
    "fault",
    "invalid",
    "handOff",
    "question",
    "question",
    "repeat",
    "tick",
    "wait",
    "late",
    "cancel",
    "undo",
    "stale",
    "task",
    "decide",
    "decide",
    "ring",
  ),
  pick: fc.nat(200),
  index: fc.nat(2),
  ms: fc.constantFrom(1, 400, 2_500, 11_000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Storm {
  readonly rig: ProcessRig;
  readonly #requests: Message[] = [];
  readonly #inputs: ProcessInput[] = [];
  readonly #parent: boolean;

  constructor(slip: Slip, parent: boolean) {
    this.rig = new ProcessRig(slip);
    this.#parent = parent;
    this.#task();
  }

  #task(): void {
    const parts = {
      input: { n: 3, list: ["p", "q", "r"] } as Json,
      timeoutMs: 120_000,
      ...(this.#parent ? { parent: { processId: "above", workId: "above:1:s:0:1" }, nesting: ["above"] } : {}),
    };
    this.give({ kind: "message", message: { ...this.rig.taskMessage(parts), expiresAtMs: 10_000_000 }, bucket: "b" });
  }

  give(input: ProcessInput): Decision<ProcessEvent> {
    const decision = this.rig.give(input);
    this.#inputs.push(input);
    this.#check(decision);
    this.#requests.push(
      ...sends(decision.effects).filter(({ body }) => body.kind === "work" || body.kind === "undo" || body.kind === "task"),
    );
    return decision;
  }

  #check(decision: Decision<ProcessEvent>): void {
    const { state } = this.rig;
    const works = Object.values(state.works);
    expect(this.rig.ends.length).toBeLessThanOrEqual(1 + this.runs);
    // One decision for each dead letter, for any number of requests, and a new run only by a redrive.
    const decided = (state.acts ?? []).filter(({ what }) => what !== "cancel").map(({ run }) => run);
    expect(new Set(decided).size).toBe(decided.length);
    expect(this.runs).toBe((state.acts ?? []).filter(({ what }) => what === "redrive").length);
    for (const work of works) expect(stopWorkParts(work.id).run, "no work of an old run").toBe(state.run);
    if (state.phase === "ended") expect(works).toEqual([]);
    if (state.phase === "ended" && state.outcome?.status !== "completed" && state.outcome?.status !== "partial")
      expect(state.asked).toEqual([]);
    for (const work of works) if (work.undoes !== undefined) expect(state.works[work.undoes]).toBeUndefined();
    // One at a time, and one of each agent that does not answer; but what may still run is stopped at once.
    const undos = works.filter((work) => work.undoes !== undefined && !(state.stopping ?? []).includes(work.undoes));
    expect(undos.length).toBeLessThanOrEqual(1 + (state.aside ?? []).length);
    for (const path of ["s1[]", "s2[]", "s3[]"])
      expect(works.filter((work) => work.kind === "do" && work.stop === path).length).toBeLessThanOrEqual(CONCURRENCY);
    const sent = sends(this.rig.outbox()).map((message) => message.id);
    for (const { id, body } of sends(decision.effects))
      if (body.kind === "work" || body.kind === "undo" || body.kind === "task") expect(sent, "no request for finished work").toContain(id);
    if (state.phase !== "open") return;
    for (const work of works.filter((one) => one.status === "asked")) expect(sent).toContain(`${work.id}:${work.attempt}`);
    expect(works.length, "an open process waits for something").toBeGreaterThan(0);
  }

  apply({ what, pick, index, ms }: Step): void {
    const { rig } = this;
    const request = this.#requests[pick % Math.max(1, this.#requests.length)];
    const id = request === undefined ? "none" : workId(request);
    const attempt = request?.body.kind === "work" || request?.body.kind === "undo" ? request.body.attempt : 1;
    const message = (body: Message["body"]): ProcessInput => ({ kind: "message", message: rig.message(`m${rig.log.length}`, body) });
    if (what === "output") this.give(message({ kind: "result", workId: id, attempt, result: { output: { json: { n: pick } } } }));
    else if (what === "fault" || what === "invalid")
      this.give(
        message({
          kind: "result",
          workId: id,
          attempt,
          result: { fault: { code: what === "fault" ? "agent.failed" : "agent.refused", message: "no" } },
        }),
      );
    else if (what === "stale")
      this.give(message({ kind: "result", workId: id, attempt: attempt + 1, result: { fault: { code: "agent.failed", message: "no" } } }));
    else if (what === "handOff")
      this.give(
        message({
          kind: "result",
          workId: id,
          attempt,
          result: { handOff: { agent: pick % 2 === 0 ? "B" : "A", input: { json: pick % 5 } } },
        }),
      );
    else if (what === "question")
      this.give(
        message({ kind: "wait", workId: id, index, for: { kind: "agent", agent: pick % 2 === 0 ? "B" : "C", input: { json: pick % 3 } } }),
      );
    else if (what === "repeat") this.give(this.#inputs[pick % this.#inputs.length] ?? { kind: "tick" });
    else if (what === "cancel" && pick % 4 === 0) this.give(message({ kind: "cancel", reason: "r" }));
    else if (what === "undo" && this.#parent && pick % 4 === 0)
      this.give(
        message({
          kind: "undo",
          workId: "above:1:s:0:1",
          undoId: "above:1:s:0:1/undo",
          attempt: 1 + (pick % 3),
          agent: "main",
          retainUntilMs: 1,
        }),
      );
    else if (what === "task") this.#task();
    else if (what === "decide") this.#decide(pick, index);
    else if (what === "ring") this.give({ kind: "tick", run: rig.state.run + index - 1, nudged: pick % 5 === 0 });
    else this.give((rig.after(what === "wait" ? ms : what === "late" && pick % 8 === 0 ? 130_000 : 0), { kind: "tick" }));
  }

  /** New runs that were opened. */
  get runs(): number {
    return this.rig.log.filter(({ e }) => e === "reopened").length;
  }

  /** A person decides: on this run's dead letter or an old one, for a run that is prepared or not, with an input or without. */
  #decide(pick: number, index: number): void {
    const { rig } = this;
    const run = Math.max(1, rig.state.run - (pick % 5 === 0 ? 1 : 0));
    const input = pick % 3 === 0 ? { input: { json: { n: pick } } } : {};
    const body: Message["body"] = {
      kind: "decision",
      what: pick % 7 === 0 ? "discard" : "redrive",
      run,
      decisionId: `d${index}`,
      reason: "",
      ...input,
    };
    this.give({
      kind: "message",
      message: rig.message(`decision-${index}`, body, 10_000_000),
      prepared: nextRun(rig.state) - (pick % 11 === 0 ? 1 : 0),
    });
  }

  redrive(): void {
    const { rig } = this;
    this.give({
      kind: "message",
      message: rig.message(
        "again",
        { kind: "decision", what: "redrive", run: rig.state.run, decisionId: `again-${rig.state.run}`, reason: "", undoneByHand: true },
        10_000_000,
      ),
      prepared: nextRun(rig.state),
    });
  }

  /** Answers all requests until none is open. Every `fails`-th work item fails for good, and every `torn`-th undo had an effect. */
  drain({ fails = Number.POSITIVE_INFINITY, torn = 0 } = {}): void {
    let works = 0;
    let undos = 0;
    for (let round = 0; this.rig.state.phase === "open" && round < 400; round += 1) {
      const work = Object.values(this.rig.state.works).find((one) => one.status === "asked");
      if (work === undefined) this.give((this.rig.after(5_000), { kind: "tick" }));
      else if (work.kind === "undo")
        this.give({
          kind: "message",
          message: this.rig.message("drain", {
            kind: "result",
            workId: work.id,
            attempt: work.attempt,
            result: { output: { json: torn > 0 && (undos += 1) % torn === 0 ? true : null } },
          }),
        });
      else
        this.give({
          kind: "message",
          message: this.rig.message("drain", {
            kind: "result",
            workId: work.id,
            attempt: work.attempt,
            result: (works += 1) > fails ? { fault: { code: "agent.refused", message: "no" } } : { output: { json: 0 } },
          }),
        });
    }
  }
}

function workId({ body }: Message): string {
  if (body.kind === "undo") return body.undoId;
  if (body.kind === "task") return body.parent?.workId ?? "";
  return body.kind === "work" ? body.workId : "";
}

test("for any inputs in any order, a run ends once, and only after every request is answered or undone", () => {
  fc.assert(
    fc.property(slip, fc.boolean(), fc.array(step, { maxLength: STEPS_MAX }), (made, parent, steps) => {
      const storm = new Storm(made, parent);
      for (const one of steps) storm.apply(one);
      storm.drain();
      expect(storm.rig.state.phase).toBe("ended");
      expect(storm.rig.ends).toHaveLength(1 + storm.runs);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

test("without further input, a process ends by its deadline and the limit of compensation", () => {
  fc.assert(
    fc.property(slip, fc.array(step, { maxLength: 12 }), (made, steps) => {
      const storm = new Storm(made, false);
      for (const one of steps) storm.apply(one);
      for (let round = 0; storm.rig.state.phase === "open" && round < 2_000; round += 1) {
        const due = storm.rig.machine.nextDueMs(storm.rig.state, storm.rig.nowMs);
        if (due === undefined) break;
        storm.give((storm.rig.after(Math.max(1, due - storm.rig.nowMs)), { kind: "tick" }));
      }
      expect(storm.rig.state.phase).toBe("ended");
      expect(storm.rig.nowMs).toBeLessThanOrEqual(1_000_000 + 120_000 + LIMITS.compensationMsMax + 200_000);
    }),
    { numRuns: 25 },
  );
}, 120_000);

test("failed runs are redriven in any remaining state, and each ends once", () => {
  let redriven = 0;
  const rounds = fc.array(fc.record({ steps: fc.array(step, { maxLength: 12 }), fails: fc.nat(6), torn: fc.nat(3) }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(slip, rounds, (made, all) => {
      const storm = new Storm(made, false);
      for (const { steps, fails, torn } of all) {
        for (const one of steps) storm.apply(one);
        storm.drain({ fails, torn });
        expect(storm.rig.state.phase).toBe("ended");
        storm.redrive();
      }
      storm.drain();
      expect(storm.rig.ends).toHaveLength(1 + storm.runs);
      redriven += storm.runs;
    }),
    { numRuns: RUNS },
  );
  expect(redriven).toBeGreaterThan(RUNS / 4);
}, 120_000);
