/** @module Decisions of an agent on its handlers' asks, and on its own state. */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { AgentRig, orders, replies } from "./agent-rig.ts";
import { names, sends } from "./machine-rig.ts";

describe("law: a handler suspended in an ask releases its actor", () => {
  test("the question goes to the process and the next work begins", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.asks("x");
    const parked = rig.askedBy("w", "B");
    expect(names(parked)).toEqual(["wait-made", "parked", "begun"]);
    expect(sends(parked.effects)).toMatchObject([
      {
        id: "w/wait0",
        to: { type: "sys.ProcessManager", id: "p" },
        body: { kind: "wait", workId: "w", index: 0, for: { kind: "agent", agent: "B", input: { json: "question" } } },
      },
    ]);
    expect(rig.state).toMatchObject({ running: "x", ready: [] });
    expect(rig.work("w").status).toBe("parked");
  });

  test("it continues when its first ask is answered, under its token, where it is suspended", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.askedBy("w", "C");
    const goes = rig.answers("w", 1);
    expect(names(goes)).toEqual(["wait-answered", "readied", "begun"]);
    expect(goes.effects).toEqual([{ kind: "run", workId: "w", token: "token-1" }]);
    expect(rig.work("w").waits).toMatchObject([{ index: 0 }, { index: 1, order: 0 }]);
    const next = rig.answers("w", 0);
    expect(names(next)).toEqual(["wait-answered"]);
    expect(next.effects).toEqual([{ kind: "run", workId: "w", token: "token-1" }]);
    expect(rig.work("w").waits).toMatchObject([
      { index: 1, order: 0 },
      { index: 0, order: 1 },
    ]);
  });

  test("if it then only waits for others, it releases its actor again, but not before it received each answer", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.asks("x");
    for (const agent of ["B", "C", "D"]) rig.askedBy("w", agent);
    rig.finishes("x");
    rig.answers("w", 1);
    rig.answers("w", 2);
    expect(rig.rests("w", 1)).toMatchObject({ events: [], verdict: { kind: "received" } });
    rig.asks("y");
    expect(names(rig.rests("w", 2))).toEqual(["parked", "begun"]);
    expect(rig.state.running).toBe("y");
    expect(rig.rests("w", 2).events).toEqual([]);
    expect(names(rig.answers("w", 0))).toEqual(["wait-answered", "readied"]);
    expect(orders(rig.finishes("y"))).toEqual(["run w"]);
  });

  test("answers that came while another work item ran are received in the order in which they came", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.askedBy("w", "C");
    rig.asks("x");
    rig.answers("w", 1);
    rig.answers("w", 0);
    expect(rig.work("w").waits.map(({ order }) => order)).toEqual([undefined, undefined]);
    rig.finishes("x");
    expect(rig.work("w").waits).toMatchObject([
      { index: 1, order: 0 },
      { index: 0, order: 1 },
    ]);
  });

  test("it waits its turn while another work item runs", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.asks("x");
    expect(names(rig.answers("w", 0))).toEqual(["wait-answered", "readied"]);
    expect(orders(rig.finishes("x"))).toEqual(["run w"]);
    expect(rig.token("w")).toBe("token-1");
  });

  test("another host starts it again under its own token", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    const goes = rig.as("host-2", () => rig.answers("w", 0));
    expect(goes.effects).toEqual([{ kind: "run", workId: "w", token: "token-3" }]);
    expect(rig.work("w").holder).toBe("host-2");
  });

  test("a repeated, unknown or late answer changes nothing", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    expect(rig.answers("w", 7)).toMatchObject({ events: [], effects: [] });
    expect(rig.answers("never", 0)).toMatchObject({ events: [], effects: [] });
    rig.answers("w", 0);
    expect(rig.answers("w", 0)).toMatchObject({ events: [], effects: [] });
    rig.finishes("w");
    expect(rig.answers("w", 0)).toMatchObject({ events: [], effects: [] });
  });

  test("a repeated request repeats the same open asks", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const first = sends(rig.askedBy("w", "B").effects);
    rig.askedBy("w", "C");
    rig.answers("w", 1);
    expect(sends(rig.asks("w").effects)).toEqual(first);
  });

  test("too many asks are refused with a code, and nothing is recorded", () => {
    const rig = new AgentRig();
    rig.asks("w");
    for (let index = 0; index < LIMITS.asksPerWorkMax; index += 1) rig.askedBy("w", "B", { occurrence: index });
    expect(rig.askedBy("w", "B", { occurrence: LIMITS.asksPerWorkMax })).toMatchObject({
      events: [],
      verdict: { fault: { code: "ask.too-many" } },
    });
  });
});

describe("timers and signals are waited for as agents are", () => {
  test("the process is told what for, the actor is free, and the answer lets the handler go on", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const slept = rig.waits("w", "sleep 5000/0", { kind: "timer", ms: 5_000 });
    rig.waits("w", "signal paid/0", { kind: "signal", name: "paid", schema: { type: "string" }, timeoutMs: 60_000 });
    expect(rig.state.running).toBeUndefined();
    expect(sends(slept.effects)).toMatchObject([
      { id: "w/wait0", body: { kind: "wait", workId: "w", index: 0, for: { kind: "timer", ms: 5_000 } } },
    ]);
    expect(sends(rig.asks("w").effects).map(({ body }) => body)).toMatchObject([
      { index: 0 },
      { index: 1, for: { kind: "signal", name: "paid", schema: { json: { type: "string" } }, timeoutMs: 60_000 } },
    ]);
    rig.answers("w", 0, { output: { json: null } });
    expect(orders(rig.answers("w", 1, { output: { json: "5 euro" } }))).toEqual(["run w"]);
    expect(rig.work("w").waits).toMatchObject([{ result: { output: { json: null } } }, { result: { output: { json: "5 euro" } } }]);
  });
});

describe("a handler that is executed again reaches an ask that it made already", () => {
  test("still open: it is sent again under the same index, and the actor is free until the answer", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const first = sends(rig.askedBy("w", "B").effects);
    rig.asks("w", { attempt: 2 });
    expect(rig.state.running).toBe("w");
    const again = rig.askedBy("w", "B");
    expect(names(again)).toEqual(["parked"]);
    expect(sends(again.effects)).toEqual(first);
    expect(rig.work("w")).toMatchObject({ status: "parked", waits: [{ index: 0, for: { kind: "agent", agent: "B" } }] });
    expect(rig.work("w").waits).toHaveLength(1);
    expect(names(rig.answers("w", 0))).toEqual(["wait-answered", "readied", "begun"]);
  });

  test("answered in the meantime: nothing is written, and it finds the answer in the state", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.asks("w", { attempt: 2 });
    rig.answers("w", 0);
    expect(rig.askedBy("w", "B")).toMatchObject({ events: [], effects: [], verdict: { kind: "received" } });
    expect(rig.work("w")).toMatchObject({ status: "running", waits: [{ result: { output: { json: "answer 0" } } }] });
  });

  test("the same ask recorded twice, because its commit was not confirmed, is one ask", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.askedBy("w", "B");
    expect(rig.work("w").waits).toHaveLength(1);
    expect(names(rig.askedBy("w", "B", { occurrence: 1 }))).toEqual(["wait-made"]);
    expect(rig.work("w").waits.map((wait) => wait.index)).toEqual([0, 1]);
  });
});

describe("law: state commits with the result, and is what the handler read", () => {
  test("a result with state commits both in one event", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const done = rig.finishes("w", { output: "out" }, { state: { content: { jokes: 1 }, base: 0 } });
    expect(done.events).toEqual([{ e: "work-done", workId: "w", result: { output: { json: "out" } }, state: { json: { jokes: 1 } } }]);
    expect(rig.state).toMatchObject({ state: { json: { jokes: 1 } }, stateVersion: 1 });
  });

  test("when another work item changed it in the meantime, the handler runs again and its result is refused", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.asks("x");
    rig.finishes("x", { output: 1 }, { state: { content: "x's", base: 0 } });
    rig.answers("w", 0);
    const decision = rig.finishes("w", { output: 2 }, { state: { content: "w's", base: 0 } });
    expect(names(decision)).toEqual(["readied", "begun"]);
    expect(replies(decision)).toEqual([]);
    expect(rig.state.state).toEqual({ json: "x's" });
    expect(replies(rig.finishes("w", { output: 2 }, { state: { content: "w's", base: 1 } }))).toEqual([["w", 1, { output: { json: 2 } }]]);
    expect(rig.state).toMatchObject({ state: { json: "w's" }, stateVersion: 2 });
  });

  test("a result without state is accepted for any state, and a fault changes none", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.finishes("w", { fault: { code: "agent.failed", message: "no" } });
    expect(rig.state.stateVersion).toBe(0);
    rig.asks("x");
    expect(replies(rig.finishes("x"))).toHaveLength(1);
  });

  test("a hand-off is a result, and content that is too large is stored separately", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const big = "x".repeat(LIMITS.valueInlineBytesMax);
    const done = rig.finishes("w", { handOff: { agent: "B", input: big } });
    expect(done.stored).toHaveLength(1);
    expect(replies(done)).toEqual([
      ["w", 1, { handOff: { agent: "B", input: { ref: done.stored[0]?.ref, bytes: big.length + 2, scope: "p" } } }],
    ]);
  });
});
