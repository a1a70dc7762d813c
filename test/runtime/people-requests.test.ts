/** @module Requests to people: who asks, who may decide, what a decision must name, and that it counts once. */
import { describe, expect, test } from "vitest";
import { requestParts } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { inboxLine } from "../../runtime/people/view.ts";
import { isUnanswered } from "../../runtime/process/time.ts";
import { sends } from "./machine-rig.ts";
import { ANN, asks, BOB, inboxOf, PeopleRig, peopleSlip, personData, toldOf } from "./people-rig.ts";
import { asksUndo, asksWork, call, one } from "./process-rig.ts";

const A = "p:1:a:0:1";
const ANSWERED = { output: { from: ["ask"] } } as const;

describe("a stop that asks a person", () => {
  test("sends no message and costs no work; the request is in the inbox, with what is asked by reference only", () => {
    const rig = new PeopleRig(peopleSlip([asks("ask")], { roles: ["manager"] }, ANSWERED));
    const begun = rig.accept({ input: { amount: 5 } });
    expect(sends(begun.effects)).toEqual([]);
    expect([rig.open, isUnanswered(rig.state, rig.nowMs)]).toEqual([[], false]);
    expect(rig.request).toMatchObject({ id: "p.r1", kind: "question", state: "open", person: "P", roles: ["manager"], stop: "ask" });
    expect(rig.content()).toMatchObject({ input: { amount: 5 }, reason: "stop ask asks P" });
    const [entry] = inboxOf(begun);
    expect(entry).toMatchObject({ id: "p.r1", open: true, facts: { kind: "question", roles: "manager", processId: "p" } });
    expect(entry?.content).toEqual(rig.request.content);
    expect(entry === undefined ? undefined : inboxLine(entry)).toMatchObject({ id: "p.r1", state: "open", roles: ["manager"] });
    expect(toldOf(begun)).toEqual(["asked"]);
  });

  test("the answer is its output; the inbox, the topic and the audit have the decision", () => {
    const rig = new PeopleRig(peopleSlip([asks("ask"), one("b")], {}, ANSWERED));
    rig.accept();
    const decided = rig.answer({ ok: true });
    expect(asksWork(decided)).toEqual([rig.id("b")]);
    expect(rig.state.outputs["ask"]).toEqual({ json: { ok: true } });
    expect(inboxOf(decided)).toMatchObject([{ id: "p.r1", open: false, facts: { state: "answered", by: "ann" } }]);
    expect(toldOf(decided)).toEqual(["decided"]);
    expect(decided.effects).toContainEqual(
      expect.objectContaining({
        index: "Audit",
        entry: expect.objectContaining({ facts: { who: "ann", what: "answer", target: "p.r1", why: "" } }),
      }),
    );
    expect(rig.state.history.map(({ what }) => what)).toEqual(["request p.r1 to P", "request p.r1 answered by ann", "asked"]);
  });

  test("a denial fails it with person.denied and the reason, and what was done before is undone", () => {
    const rig = new PeopleRig(peopleSlip([one("a"), asks("ask")]));
    rig.accept();
    rig.output(A);
    const denied = rig.deny("too much");
    expect(asksUndo(denied)).toEqual([A]);
    expect(rig.state.ending).toMatchObject({ status: "failed", fault: { code: "person.denied", message: "ann denied p.r1: too much" } });
  });

  test("a person without an output gives a verdict, also with an edited input", () => {
    const rig = new PeopleRig(peopleSlip([asks("ask")], { output: undefined }, ANSWERED));
    rig.accept({ input: { amount: 5 } });
    rig.decide({ do: "edit", input: { json: { amount: 4 } }, reason: "less" });
    expect(rig.state.outcome).toMatchObject({
      status: "completed",
      output: { json: { verdict: "edited", input: { amount: 4 }, by: "ann", reason: "less", request: "p.r1", hash: rig.request.hash } },
    });
  });
});

describe("a decision", () => {
  const open = (more: Parameters<typeof personData>[0] = {}): PeopleRig => {
    const rig = new PeopleRig(peopleSlip([asks("ask"), one("b")], more, ANSWERED));
    rig.accept();
    return rig;
  };
  const refusedWith = (rig: PeopleRig, decided: ReturnType<PeopleRig["answer"]>, code: string): void => {
    expect(decided).toMatchObject({ events: [], verdict: { kind: "refused", fault: { code } } });
    expect(rig.request.state).toBe("open");
  };

  test("of two deciders one counts; the other one is told who decided", () => {
    const rig = open();
    rig.answer({ ok: true }, { decisionId: "d1" });
    expect(rig.answer({ ok: false }, { decisionId: "d2", by: BOB })).toMatchObject({
      events: [],
      verdict: { kind: "refused", fault: { code: "person.decided", message: "p.r1 is no longer open: answered by ann" } },
    });
    expect(rig.state.outputs["ask"]).toEqual({ json: { ok: true } });
  });

  test("the same decision again has the same receipt and changes nothing", () => {
    const rig = open();
    rig.answer({ ok: true });
    expect(rig.answer({ ok: true })).toMatchObject({ events: [], verdict: { kind: "received" } });
    expect(rig.answer({ ok: true }, { by: BOB }), "the same id of another person is another decision").toMatchObject({
      verdict: { kind: "refused", fault: { code: "person.decided" } },
    });
  });

  test("that comes late has the entry of its request written again, and of no other one", () => {
    const rig = new PeopleRig(peopleSlip([{ kind: "all", name: "both", branches: { ask: call("P"), other: call("P") } }], {}, ANSWERED));
    rig.accept();
    rig.answer({ ok: true }, { request: "p.r1" });
    const late = rig.answer({ ok: false }, { request: "p.r1", decisionId: "d2" });
    expect(inboxOf(late)).toMatchObject([{ id: "p.r1", open: false, facts: { state: "answered" } }]);
  });

  test("on something else than was shown is refused", () => {
    const rig = open();
    refusedWith(rig, rig.answer({ ok: true }, { hash: "0".repeat(64) }), "person.changed");
  });

  test("on what was never asked is refused", () => {
    const rig = open();
    for (const request of ["p.r2", "q.r1", "p", "p.r0"])
      refusedWith(rig, rig.answer({ ok: true }, { request, hash: rig.request.hash }), "person.unknown");
  });

  test("of the subject that the task runs for is refused", () => {
    const rig = open();
    const { subject, tenant } = rig.state.task?.principal ?? ANN;
    expect(rig.request.forSubject).toBe(subject);
    refusedWith(rig, rig.answer({ ok: true }, { by: { ...ANN, subject, tenant } }), "person.forbidden");
  });

  test("without one of the roles is refused", () => {
    const rig = open({ roles: ["director"] });
    refusedWith(rig, rig.answer({ ok: true }), "person.forbidden");
    expect(rig.answer({ ok: true }, { by: BOB }).verdict).toEqual({ kind: "received" });
  });

  test("of an agent or a peer is refused, unless the person lets agents decide", () => {
    const rig = open();
    for (const kind of ["agent", "peer"] as const) refusedWith(rig, rig.answer({ ok: true }, { by: { ...ANN, kind } }), "person.forbidden");
    expect(open({ agentsDecide: true }).answer({ ok: true }, { by: { ...ANN, kind: "agent" } }).verdict).toEqual({ kind: "received" });
  });

  test("of another tenant is refused; those without a tenant may decide", () => {
    const rig = open();
    refusedWith(rig, rig.answer({ ok: true }, { by: { ...ANN, tenant: "other" } }), "person.forbidden");
  });

  test("without a name may decide everything, also its own request: on a machine without tokens", () => {
    for (const subject of ["anonymous", "app-token"])
      expect(open({ roles: ["director"] }).answer({ ok: true }, { by: { ...ANN, subject, roles: [] } }).verdict).toEqual({
        kind: "received",
      });
  });

  test("whose answer or edit does not fit the schema is refused", () => {
    const rig = open();
    refusedWith(rig, rig.answer({ ok: "yes" }), "schema.output");
    refusedWith(rig, rig.approve(), "body.invalid");
    const verdict = open({ output: undefined, input: { type: "object", properties: { n: { type: "number", maximum: 3 } } } });
    refusedWith(verdict, verdict.decide({ do: "edit", input: { json: { n: 4 } } }), "schema.input");
    refusedWith(verdict, verdict.answer({ ok: true }), "body.invalid");
    expect(verdict.decide({ do: "edit", input: { json: { n: 3 } } }).verdict).toEqual({ kind: "received" });
  });

  test("on a forgotten request is refused, and what a process remembers is bounded", () => {
    const rig = new PeopleRig(
      peopleSlip([
        { kind: "forEach", name: "each", over: { from: ["task"] }, call: { ...call1(), input: { from: ["item"] } }, concurrency: 1 },
      ]),
    );
    const total = LIMITS.personDecidedMax + 3;
    rig.accept({ input: Array.from({ length: total }, (_, index) => index), timeoutMs: 1_000 * LIMITS.personTellMs });
    for (let count = 0; count < total - 1; count += 1) {
      rig.after(LIMITS.personTellMs);
      rig.answer({ ok: true }, { decisionId: `d${count}` });
    }
    expect(rig.state.people?.ended).toHaveLength(LIMITS.personDecidedMax);
    expect(rig.answer({ ok: true }, { request: "p.r1" })).toMatchObject({ verdict: { fault: { code: "person.decided" } } });
  });
});

function call1(): Extract<ReturnType<typeof asks>, { kind: "one" }>["call"] {
  const stop = asks("x");
  if (stop.kind !== "one") throw new Error("a stop with one call");
  return stop.call;
}

describe("ids", () => {
  test("the process can be read from the id of a request, also where it looks like one itself", () => {
    expect(requestParts("p.r3")).toEqual({ process: "p", count: 3 });
    expect(requestParts("p.r3.r12")).toEqual({ process: "p.r3", count: 12 });
    expect(requestParts("t-0123456789abcdef.p.r1")).toEqual({ process: "t-0123456789abcdef.p", count: 1 });
    for (const text of ["p", "p.r0", "p.r01", ".r1", "p.rx"]) expect(requestParts(text), text).toBeUndefined();
  });
});
