/**
 * @module Decisions on hand-offs and on the questions of handlers, with the dynamic cycle guard.
 */
import { describe, expect, test } from "vitest";
import type { Json } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Decision } from "../../runtime/machine.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { names, sends } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, slipOf } from "./process-rig.ts";

const A = "p:1:a:0:1";

describe("hand-offs", () => {
  const handOff = (rig: ProcessRig, workId: string, agent: string, input: Json): Decision<ProcessEvent> =>
    rig.result(workId, { handOff: { agent, input: { json: input } } });
  const slip = slipOf([one("a"), one("d", { input: { from: ["a"] } })], {
    agents: { A: { handsOffTo: ["B", "A"], visitsMax: 3 }, B: { handsOffTo: ["C"] }, C: { handsOffTo: ["A"] } },
  });

  test("to a declared agent: the same stop, the next visit, a new work id, and the answer is the stop's", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    const decision = handOff(rig, A, "B", "for you");
    expect(names(decision)).toEqual(["handed-off", "asked"]);
    expect(sends(decision.effects)).toMatchObject([
      {
        id: "p:1:a:0:2:1",
        to: { type: "sys.B" },
        hop: 2,
        body: { kind: "work", workId: "p:1:a:0:2", agent: "B", input: { json: "for you" } },
      },
    ]);
    const next = rig.output("p:1:a:0:2", "B's");
    expect(sends(next.effects)[0]?.body).toMatchObject({ agent: "D", input: { json: "B's" } });
  });

  test("repeated or late, it changes nothing", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    handOff(rig, A, "B", "for you");
    expect(handOff(rig, A, "B", "for you")).toMatchObject({ events: [], effects: [] });
    expect(rig.output(A, "after all")).toMatchObject({ events: [], effects: [] });
  });

  test("undeclared: the stop fails and what was done is undone", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    const decision = handOff(rig, A, "C", 1);
    expect(names(decision)).toEqual(["failed", "ending", "asked"]);
    rig.undoAll(decision);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "handoff.undeclared" } });
  });

  test("law: a ring without progress is detected and named, and every visit is undone newest first", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    handOff(rig, A, "B", "b");
    handOff(rig, "p:1:a:0:2", "C", "c");
    const decision = handOff(rig, "p:1:a:0:3", "A", { n: 1 });
    const { order } = rig.undoAll(decision);
    expect(order).toEqual(["p:1:a:0:3", "p:1:a:0:2", A]);
    expect(rig.state.outcome).toMatchObject({
      status: "failed",
      fault: { code: "cycle.no-progress", details: { ring: "A -> B -> C -> A" } },
    });
    expect(rig.letter).toMatchObject({ path: ["A", "B", "C"], original: { workId: "p:1:a:0:3" } });
  });

  test("law: an agent stands in one chain at most visitsMax times", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    handOff(rig, A, "A", 2);
    handOff(rig, "p:1:a:0:2", "A", 3);
    rig.undoAll(handOff(rig, "p:1:a:0:3", "A", 4));
    expect(rig.state.outcome).toMatchObject({
      status: "failed",
      fault: { code: "cycle.visits", details: { visits: 4, visitsMax: 3, ring: "A -> A -> A -> A" } },
    });
  });

  test("siblings and attempts are no part of a chain", () => {
    const rig = new ProcessRig(
      slipOf([{ kind: "all", name: "all-1", branches: { x: call("A"), y: call("A") } }, one("z", {}, "A")], {
        agents: { A: { visitsMax: 1 } },
      }),
    );
    rig.accept();
    rig.output(rig.id("x"));
    rig.output(rig.id("y"));
    rig.output(rig.id("z"));
    expect(rig.state.outcome?.status).toBe("completed");
  });
});

describe("questions", () => {
  const slip = slipOf([one("a", { retry: { attemptsMax: 2, backoffMs: 0, backoffMsMax: 0, jitter: 0 } })], {
    agents: { A: { asks: ["B", "C"] }, B: { asks: ["A", "C"], key: { literal: "one" }, handsOffTo: ["C"] }, C: { asks: ["B"] } },
    output: { from: ["a"] },
  });
  const ask = (index: number, visit = 1): string => `${A}/ask${index}:${visit}`;

  test("a declared one becomes work with the path of waits; its answer goes back to the asker", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    const asked = rig.question(A, 0, "B");
    expect(names(asked)).toEqual(["asked"]);
    expect(sends(asked.effects)).toMatchObject([
      {
        id: `${ask(0)}:1`,
        to: { type: "sys.B", id: "one" },
        hop: 2,
        body: { kind: "work", workId: ask(0), input: { json: "q" }, ancestors: [{ agent: "A", id: "p" }] },
      },
    ]);
    const answered = rig.output(ask(0), "because");
    expect(names(answered)).toEqual(["answered"]);
    expect(sends(answered.effects)).toMatchObject([
      {
        id: `${A}/answer0`,
        to: { type: "sys.A", id: "p" },
        body: { kind: "answer", workId: A, index: 0, result: { output: { json: "because" } } },
      },
    ]);
  });

  test("repeated before the answer: sent once; repeated after it: answered again, the same", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    expect(rig.question(A, 0, "B")).toMatchObject({ events: [], effects: [] });
    const answered = rig.output(ask(0), "because");
    const again = rig.question(A, 0, "B");
    expect(again.events).toEqual([]);
    expect(again.effects).toEqual(answered.effects);
    expect(rig.outbox()).toEqual(expect.arrayContaining([...answered.effects]));
  });

  test("undeclared, or too many: answered with the fault, and no agent is asked", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    for (const [index, agent, code] of [
      [0, "D", "ask.undeclared"],
      [LIMITS.asksPerWorkMax, "B", "ask.too-many"],
    ] as const) {
      const decision = rig.question(A, index, agent);
      expect(names(decision)).toEqual(["wait-answered"]);
      expect(sends(decision.effects).map((message) => message.body)).toMatchObject([
        { kind: "answer", index, result: { fault: { code } } },
      ]);
    }
  });

  test("law: a ring of waits is refused before it begins", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B", 1);
    rig.question(ask(0), 0, "C", 2);
    const decision = rig.question(`${ask(0)}/ask0:1`, 0, "B", 3);
    expect(sends(decision.effects)[0]?.body).toMatchObject({
      kind: "answer",
      result: { fault: { code: "cycle.ask-ring", details: { ring: "B -> C -> B" } } },
    });
  });

  test("a failed answer is reported to the asker; when the asker handles it the process is completed, not partial", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    const failed = rig.fault(ask(0));
    expect(sends(failed.effects).map(({ body }) => body)).toContainEqual({
      kind: "answer",
      workId: A,
      index: 0,
      result: { fault: { code: "agent.refused", message: "agent.refused!" } },
    });
    rig.output(A, "without B");
    rig.undoAll(failed);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "without B" } });
  });

  test("law: a failed ask may have had an effect, so it is compensated before the outcome", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    expect(asksUndo(rig.fault(ask(0)))).toEqual([ask(0)]);
    rig.output(A, "without B");
    expect(rig.state.phase).toBe("open");
    rig.output(`${ask(0)}/undo`, null);
    expect(rig.state.outcome?.status).toBe("completed");
  });

  test("an answer outlives a failed attempt of its asker", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    rig.fault(A, "agent.failed");
    rig.tick();
    rig.output(ask(0), "because");
    expect(sends(rig.question(A, 0, "B").effects)[0]?.body).toMatchObject({ kind: "answer", result: { output: { json: "because" } } });
  });

  test("law: an ask that is open when its asker ends is given up: compensated before the outcome, with all that it asked for", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    rig.output(ask(0), "heard");
    rig.question(A, 1, "B");
    const ends = rig.output(A, "done");
    expect(names(ends)).toEqual(["answered", "undo-due", "asked", "stop-done"]);
    expect(sends(ends.effects).map(({ body }) => body)).toMatchObject([{ kind: "undo", workId: ask(1) }]);
    expect(rig.state.phase).toBe("open");
    expect(rig.output(ask(1), "too late")).toMatchObject({ events: [] });
    rig.undoAll(ends);
    expect(rig.state.outcome).toMatchObject({ status: "completed", output: { json: "done" } });
  });

  test("an asked agent may hand off: the other's answer is the answer", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    const handed = rig.result(ask(0), { handOff: { agent: "C", input: { json: "c" } } });
    expect(sends(handed.effects)[0]).toMatchObject({ to: { type: "sys.C" }, body: { workId: ask(0, 2) } });
    expect(rig.question(A, 0, "B")).toMatchObject({ events: [], effects: [] });
    expect(sends(rig.output(ask(0, 2), "C's").effects)[0]?.body).toMatchObject({
      kind: "answer",
      index: 0,
      result: { output: { json: "C's" } },
    });
  });

  test("a cancelled process undoes asks with their stop, newest first, and answers no more questions", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    const cancelled = rig.cancel();
    expect(rig.question(A, 1, "C")).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
    expect(rig.undoAll(cancelled).order).toEqual([ask(0), A]);
  });

  test("law: what may run is stopped at once: an asker when its asks are answered, and after the ask that it waits for", () => {
    const rig = new ProcessRig(slip);
    rig.accept();
    rig.question(A, 0, "B");
    rig.output(ask(0), "because");
    // It has its answer, so it may hold an actor for which the undo of its ask, or of another's, waits.
    expect(asksUndo(rig.cancel())).toEqual([A]);
    const waiting = new ProcessRig(slip);
    waiting.accept();
    waiting.question(A, 0, "B");
    waiting.output(ask(0), "because");
    waiting.question(A, 1, "C");
    expect(asksUndo(waiting.cancel())).toEqual([ask(1)]);
    expect(asksUndo(waiting.output(`${ask(1)}/undo`, null))).toEqual([A]);
    expect(asksUndo(waiting.output(`${A}/undo`, null))).toEqual([ask(0)]);
  });
});
