/**
 * @module Decisions of an agent on work: once, one at a time, by the holder of the token, within bounds.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { AgentRig, orders, replies } from "./agent-rig.ts";
import { names, T0 } from "./machine-rig.ts";

const DONE = { output: { json: "out" } };
const FAULT = { fault: { code: "agent.failed", message: "no" } } as const;

describe("law: work is accepted once", () => {
  test("new work is recorded and begun under a new token by this host", () => {
    const rig = new AgentRig();
    const decision = rig.asks("w");
    expect(names(decision)).toEqual(["work-accepted", "begun"]);
    expect(decision.effects).toEqual([{ kind: "run", workId: "w", token: "token-1" }]);
    expect(rig.work("w")).toMatchObject({ status: "running", holder: "host-1", token: "token-1", begun: true, begunAtMs: T0, attempt: 1 });
  });

  test("a repeated request while it runs here has it run, which is idempotent; while it runs elsewhere, watched", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(rig.asks("w")).toMatchObject({ events: [], effects: [{ kind: "run", workId: "w", token: "token-1" }] });
    expect(rig.as("host-2", () => rig.asks("w"))).toMatchObject({
      events: [],
      effects: [{ kind: "watch", workId: "w", token: "token-1" }],
    });
  });

  test("the result is the reply to every repetition, and nothing runs again", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const done = rig.finishes("w");
    expect(names(done)).toEqual(["work-done"]);
    expect(replies(done)).toEqual([["w", 1, DONE]]);
    for (const attempt of [1, 2, 7]) expect(rig.asks("w", { attempt })).toMatchObject({ events: [], effects: done.effects });
  });

  test("a fault is replied again for its attempt; a further attempt runs again with what was recorded", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.records("w", "book");
    rig.finishes("w", FAULT);
    expect(replies(rig.asks("w"))).toEqual([["w", 1, FAULT]]);
    const again = rig.asks("w", { attempt: 2 });
    expect(names(again)).toEqual(["attempt-asked", "readied", "begun"]);
    expect(rig.work("w")).toMatchObject({ attempt: 2, status: "running", steps: [{ name: "book" }] });
    expect(replies(rig.finishes("w"))).toEqual([["w", 2, DONE]]);
  });

  test("an expired message is refused, never executed", () => {
    const rig = new AgentRig();
    expect(rig.asks("w", { expiresAtMs: T0 })).toMatchObject({ events: [], effects: [], verdict: { fault: { code: "message.expired" } } });
  });

  test("an input that the contract refuses is recorded as done with that fault, and never executed", () => {
    const rig = new AgentRig();
    const decision = rig.asks("w", { fault: { code: "schema.input", message: "no" } });
    expect(names(decision)).toEqual(["work-accepted", "work-done"]);
    expect(replies(decision)).toEqual([["w", 1, { fault: { code: "schema.input", message: "no" } }]]);
    expect(rig.state.ready).toEqual([]);
    expect(rig.work("w").begun).toBe(false);
  });

  test("an input that an agent does not accept is refused with nothing recorded", () => {
    const rig = new AgentRig();
    expect(rig.give({ kind: "message", message: rig.message("m", { kind: "cancel", reason: "x" }) })).toMatchObject({
      events: [],
      verdict: { fault: { code: "message.invalid" } },
    });
  });
});

describe("law: a further attempt supersedes the earlier token, and a stale token is ignored", () => {
  test("the running handler is stopped and the work begins again under a new token", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const decision = rig.asks("w", { attempt: 2 });
    expect(names(decision)).toEqual(["attempt-asked", "readied", "begun"]);
    expect(decision.effects).toEqual([
      { kind: "stop", workId: "w", token: "token-1" },
      { kind: "run", workId: "w", token: "token-2" },
    ]);
  });

  test("results, records and questions under the stale token are refused and change nothing", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.asks("w", { attempt: 2 });
    for (const stale of [
      () => rig.finishes("w", { output: 1 }, { token: "token-1" }),
      () => rig.records("w", "s", { token: "token-1" }),
      () => rig.askedBy("w", "B", { token: "token-1" }),
    ]) {
      expect(stale()).toMatchObject({ events: [], effects: [], verdict: { fault: { code: "work.superseded" } } });
    }
  });

  test("also when the earlier attempt was parked and another work has the actor meanwhile", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.askedBy("w", "B");
    rig.asks("x");
    expect(names(rig.asks("w", { attempt: 2 }))).toEqual(["attempt-asked", "readied"]);
    expect(rig.records("w", "late", { token: "token-1" })).toMatchObject({ events: [], verdict: { fault: { code: "work.superseded" } } });
    const freed = rig.finishes("x");
    expect(names(freed)).toEqual(["work-done", "begun"]);
    expect(rig.work("w")).toMatchObject({ status: "running", attempt: 2 });
    expect(rig.token("w")).not.toBe("token-1");
  });

  test("a further attempt of waiting work waits on", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.asks("x");
    expect(names(rig.asks("x", { attempt: 2 }))).toEqual(["attempt-asked"]);
    rig.finishes("w");
    expect(rig.work("x")).toMatchObject({ status: "running", attempt: 2 });
  });

  test("takeovers count over all attempts, until something is recorded", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.as("host-2", () => rig.lost("w"));
    rig.asks("w", { attempt: 2 });
    expect(rig.work("w").takeovers).toBe(1);
    rig.askedBy("w", "B");
    expect(rig.work("w").takeovers).toBe(0);
  });
});

describe("law: one running work per actor, a bounded queue behind it", () => {
  test("work waits in order of arrival", () => {
    const rig = new AgentRig();
    for (const id of ["a", "b", "c"]) rig.asks(id);
    expect(rig.state).toMatchObject({ running: "a", ready: ["b", "c"] });
    expect(orders(rig.finishes("a"))).toEqual(["run b"]);
    expect(rig.state).toMatchObject({ running: "b", ready: ["c"] });
  });

  test("a full queue refuses with agent.busy and records nothing; it takes again when there is room", () => {
    const rig = new AgentRig();
    rig.asks("w0");
    rig.asks("w1");
    const ready = Array.from({ length: LIMITS.agentQueueMax }, (_, index) => `w${index + 1}`);
    const waiting = Object.fromEntries(ready.map((id) => [id, { ...rig.work("w1"), id }]));
    rig.state = { ...rig.state, ready, works: { ...rig.state.works, ...waiting } };
    expect(rig.asks("more")).toMatchObject({ events: [], effects: [], verdict: { fault: { code: "agent.busy" } } });
    rig.finishes("w0");
    expect(names(rig.asks("more"))).toEqual(["work-accepted"]);
  });

  test("too many work items that wait for answers refuse more with agent.busy; settled ones do not count", () => {
    const rig = new AgentRig();
    rig.asks("w0");
    const one = rig.work("w0");
    const works = (status: "done" | "parked"): Record<string, typeof one> =>
      Object.fromEntries(Array.from({ length: LIMITS.agentOpenMax }, (_, index) => [`w${index}`, { ...one, id: `w${index}`, status }]));
    rig.state = { ...rig.state, running: undefined, works: works("parked") };
    expect(rig.asks("more")).toMatchObject({ events: [], effects: [], verdict: { fault: { code: "agent.busy" } } });
    rig.state = { ...rig.state, works: works("done") };
    expect(names(rig.asks("more"))).toContain("work-accepted");
  });
});

describe("law: only lost work is taken over, under a new token, and not forever", () => {
  test("by another host, with one record", () => {
    const rig = new AgentRig();
    rig.asks("w");
    const taken = rig.as("host-2", () => rig.lost("w"));
    expect(taken.events).toEqual([{ e: "taken-over", workId: "w", token: "token-2", holder: "host-2" }]);
    expect(taken.effects).toEqual([{ kind: "run", workId: "w", token: "token-2" }]);
    expect(rig.finishes("w", { output: "frozen host's" }, { token: "token-1" })).toMatchObject({
      events: [],
      verdict: { fault: { code: "work.superseded" } },
    });
    expect(replies(rig.finishes("w"))).toEqual([["w", 1, DONE]]);
  });

  test("never its own, nor under a stale token, nor what does not run", () => {
    const rig = new AgentRig();
    rig.asks("w");
    expect(rig.lost("w")).toMatchObject({ events: [], effects: [] });
    expect(rig.as("host-2", () => rig.lost("w", "stale"))).toMatchObject({ events: [], effects: [] });
    rig.askedBy("w", "B");
    expect(rig.as("host-2", () => rig.lost("w"))).toMatchObject({ events: [], effects: [] });
    expect(rig.as("host-2", () => rig.lost("never"))).toMatchObject({ events: [], effects: [] });
  });

  test("work that killed as many hosts as it may is ended with work.crashed and the actor is free", () => {
    const rig = new AgentRig();
    rig.asks("w");
    rig.asks("next");
    for (let index = 0; index < LIMITS.takeoversMax; index += 1) rig.as(`other-${index}`, () => rig.lost("w"));
    const given = rig.as("last", () => rig.lost("w"));
    expect(names(given)).toEqual(["work-done", "begun"]);
    expect(replies(given)).toMatchObject([["w", 1, { fault: { code: "work.crashed" } }]]);
    expect(rig.state.running).toBe("next");
  });
});
