/**
 * @module Properties of the agent machine under any order of work, attempts, compensations, answers, hosts and losses.
 *
 * The rig checks purity, the strict schemas and replay at every decision; here the invariants A1 to A5.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { withLimits } from "../../simulation/world/limits.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentWork } from "../../runtime/agent/state.ts";
import type { Decision } from "../../runtime/machine.ts";
import { AgentRig, orders, REPORT, replies } from "./agent-rig.ts";

const step = fc.record({
  what: fc.constantFrom(
    "work",
    "work",
    "again",
    "undo",
    "answer",
    "record",
    "begin",
    "end",
    "undid",
    "failure",
    "ask",
    "finish",
    "finish",
    "finishState",
    "fail",
    "finishUndo",
    "failUndo",
    "lost",
    "stale",
  ),
  work: fc.constantFrom("w0", "w1", "w2"),
  attempt: fc.integer({ min: 1, max: 4 }),
  index: fc.nat(2),
  host: fc.constantFrom("host-1", "host-2"),
  undoable: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Storm {
  readonly rig = new AgentRig();
  /** First success of each work item, as it was reported. */
  readonly #successes = new Map<string, string>();
  readonly #purged = new Set<string>();
  readonly #tokens = new Set<string>();

  /** `known`: the work item of the step. */
  apply(step: Step, known = this.rig.state.works[step.work]): Decision<AgentEvent> | undefined {
    this.rig.incarnation = step.host;
    this.rig.after(1);
    const decision = this.#give(step, known);
    if (decision !== undefined) this.#check(decision);
    return decision;
  }

  #give({ what, work, attempt, index, undoable }: Step, known: AgentWork | undefined): Decision<AgentEvent> | undefined {
    const { rig } = this;
    const fault = { fault: { code: "agent.failed", message: "no" } } as const;
    if (what === "work") return rig.asks(work, { attempt });
    if (what === "again") return rig.asks(work, { attempt: known?.attempt ?? 1 });
    if (what === "undo") return rig.undoes(work, attempt);
    if (what === "answer") return rig.answers(work, index);
    if (what === "stale") return rig.finishes(work, { output: "stale" }, { token: "stale" });
    if (known === undefined || known.token === "") return undefined;
    if (what === "lost") return rig.lost(work);
    if (what === "record") return rig.records(work, `s${index}`);
    if (what === "begin") return rig.begins(work, "t", { count: index, undo: undoable });
    if (what === "end") return rig.ends(work, "t", undoable ? undefined : fault, { count: index });
    if (what === "undid") return known.mode === "undo" ? rig.undid(work, "t", { count: index }) : undefined;
    if (what === "failure") return rig.failsAt(work, `s${index}`);
    if (what === "ask") return rig.askedBy(work, "B", { occurrence: index });
    // Only a running or suspended handler can end its work item.
    if (known.status !== "running" && known.status !== "parked" && known.status !== "ready") return undefined;
    if (what === "finish") return rig.finishes(work, { output: rig.nowMs });
    if (what === "fail") return rig.finishes(work, fault);
    if (what === "finishState")
      return rig.finishes(
        work,
        { output: rig.nowMs },
        { state: { content: rig.nowMs, base: rig.state.stateVersion - (index === 0 ? 1 : 0) } },
      );
    return known.mode === "undo" ? rig.compensates(work, what === "finishUndo" ? { report: REPORT } : fault) : undefined;
  }

  #check(decision: Decision<AgentEvent>): void {
    const { state } = this.rig;
    const works = Object.values(state.works);
    const running = works.filter((work) => work.status === "running").map((work) => work.id);
    expect(running, "A1").toEqual(state.running === undefined ? [] : [state.running]);
    expect([...state.ready].sort(), "the queue contains what is ready").toEqual(
      works
        .filter((work) => work.status === "ready")
        .map((work) => work.id)
        .sort(),
    );
    if (running.length === 0) expect(state.ready, "an idle actor has no waiting work").toEqual([]);
    for (const [workId, , result] of replies(decision)) {
      if (!("output" in result) || workId.endsWith("/undo")) continue;
      const text = JSON.stringify(result);
      expect(this.#successes.get(workId) ?? text, "A3").toBe(text);
      this.#successes.set(workId, text);
    }
    for (const event of decision.events) this.#checkEvent(event);
  }

  #checkEvent(event: AgentEvent): void {
    if (event.e === "tombstoned") this.#purged.add(event.workId);
    if (event.e === "begun") expect(this.#purged.has(event.workId), "A4").toBe(false);
    if (event.e === "taken-over") {
      expect(this.#tokens.has(event.token), "a takeover gets its own token").toBe(false);
    }
    if (event.e === "begun" || event.e === "taken-over") this.#tokens.add(event.token);
    if (event.e === "undo-done" && !("fault" in event.result)) this.#purged.add(event.workId);
  }
}

test("for any inputs in any order: one runs, no work waits for an idle actor, a success is reported alike, the purged never run", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const storm = new Storm();
      for (const one of steps) storm.apply(one);
    }),
    { numRuns: 250 },
  );
}, 120_000);

test("a storm always settles: every handler ends, and every work item is settled or suspended", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const storm = new Storm();
      for (const one of steps) storm.apply(one);
      const { rig } = storm;
      for (let round = 0; rig.state.running !== undefined && round < 50; round += 1) {
        const { running } = rig.state;
        if (rig.work(running).mode === "undo") rig.compensates(running);
        else rig.finishes(running, { output: 0 });
      }
      expect(rig.state.running).toBeUndefined();
      expect(rig.state.ready).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 120_000);

/** What a decision does, besides moving settled work items out of the state and back. */
function done(decision: Decision<AgentEvent> | undefined): unknown {
  if (decision === undefined) return undefined;
  const { verdict, events } = decision;
  const told = events.filter(({ e }) => e !== "settled" && e !== "recalled");
  return { verdict, told, orders: orders(decision), replies: replies(decision) };
}

test("an actor whose settled work items leave its state at once does the same as one that keeps them", () => {
  let left = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), (steps) => {
      const [keeps, leaves] = [new Storm(), new Storm()];
      for (const one of steps) {
        const known = keeps.rig.state.works[one.work];
        const kept = keeps.apply(one);
        const restore = withLimits({ agentSettledMax: 0, agentLeavingMax: 1 });
        try {
          expect(done(leaves.apply(one, known))).toEqual(done(kept));
        } finally {
          restore();
        }
      }
      left += leaves.rig.log.filter(({ e }) => e === "recalled").length;
    }),
    { numRuns: 250 },
  );
  expect(left).toBeGreaterThan(20);
}, 120_000);
