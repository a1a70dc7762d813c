/** @module What time does to requests: reminders, escalation, silence; what closes them without a decision; what is told again. */
import { describe, expect, test } from "vitest";
import type { PersonData } from "../../runtime/people/request.ts";
import { tellsRequests } from "../../runtime/process/request-effects.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { isUnanswered } from "../../runtime/process/time.ts";
import type { Stop } from "../../runtime/slip.ts";
import { names, T0 } from "./machine-rig.ts";
import { ANN, asks, BOB, inboxOf, PeopleRig, peopleSlip, toldOf } from "./people-rig.ts";
import { asksWork, call, one } from "./process-rig.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ANSWERED = { output: { from: ["ask"] } } as const;

function rigOf(more: Partial<PersonData>, stops: readonly Stop[] = [asks("ask")]): PeopleRig {
  const rig = new PeopleRig(peopleSlip(stops, more, stops.length === 1 ? ANSWERED : {}));
  rig.accept({ timeoutMs: 10 * DAY_MS });
  return rig;
}

describe("an open request", () => {
  const more = { roles: ["manager"], remindMs: 2 * HOUR_MS, deadlineMs: DAY_MS, escalate: [{ afterMs: 5 * HOUR_MS, roles: ["director"] }] };

  test("costs nothing but its next moment", () => {
    const rig = rigOf(more);
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + 2 * HOUR_MS);
    expect(isUnanswered(rig.state, rig.nowMs)).toBe(false);
    expect(rig.after(2 * HOUR_MS - 1).tick().events).toEqual([]);
  });

  test("reminds, escalates to further roles, and expires, each at its moment", () => {
    const rig = rigOf(more);
    const steps: unknown[] = [];
    while (rig.state.phase === "open") {
      rig.after((rig.machine.nextDueMs(rig.state, rig.nowMs) ?? 0) - rig.nowMs);
      const told = rig.tick();
      steps.push([(rig.nowMs - T0) / HOUR_MS, toldOf(told)[0], inboxOf(told)[0]?.facts["roles"]]);
    }
    expect(steps).toEqual([
      [2, "reminded", "manager"],
      [4, "reminded", "manager"],
      [5, "escalated", "manager director"],
      ...[6, 8, 10, 12, 14, 16, 18, 20, 22].map((hour) => [hour, "reminded", "manager director"]),
      [24, "expired", "manager director"],
    ]);
    expect(rig.state.outcome).toMatchObject({ status: "failed", fault: { code: "person.denied" } });
  });

  test("after a long pause tells people once, with all that is due", () => {
    const rig = rigOf(more);
    const told = rig.after(7 * HOUR_MS).tick();
    expect(toldOf(told)).toEqual(["escalated"]);
    expect(rig.request).toMatchObject({ reminded: 3, escalated: 1, roles: ["manager", "director"], nextAtMs: T0 + 8 * HOUR_MS });
    expect(rig.state.history.map(({ what }) => what)).toEqual(["request p.r1 to P", "request p.r1 escalated to manager, director"]);
  });

  test("is decided by further roles only after the escalation", () => {
    const rig = rigOf(more);
    expect(rig.answer({ ok: true }, { by: BOB })).toMatchObject({ verdict: { fault: { code: "person.forbidden" } } });
    rig.after(5 * HOUR_MS).tick();
    expect(rig.answer({ ok: true }, { by: BOB }).verdict).toEqual({ kind: "received" });
  });

  test("has a bounded number of reminders", () => {
    const rig = rigOf({ remindMs: LIMITS.personRemindMsMin });
    rig.after(5 * DAY_MS).tick();
    expect(rig.request).toMatchObject({ reminded: LIMITS.personRemindersMax });
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs), "only its process ends it").toBe(T0 + 10 * DAY_MS);
  });

  test("takes no decision once its deadline has passed, also before the tick that expires it", () => {
    const rig = rigOf({ deadlineMs: HOUR_MS });
    expect(rig.after(HOUR_MS).answer({ ok: true })).toMatchObject({ events: [], verdict: { fault: { code: "person.decided" } } });
    rig.tick();
    expect(rig.request.state).toBe("expired");
  });
});

describe("silence", () => {
  const expired = (onExpiry: PersonData["onExpiry"]): PeopleRig => {
    const rig = rigOf({ deadlineMs: HOUR_MS, onExpiry });
    rig.after(HOUR_MS).tick();
    return rig;
  };

  test("is a no, a fault, or an answer", () => {
    expect(expired("deny").state.outcome).toMatchObject({ status: "failed", fault: { code: "person.denied" } });
    expect(expired("fail").state.outcome).toMatchObject({ status: "failed", fault: { code: "person.expired" } });
    expect(expired({ answer: { ok: false } }).state.outcome).toMatchObject({ status: "completed", output: { json: { ok: false } } });
  });

  test("of an optional stop makes the outcome partial", () => {
    const rig = rigOf({ deadlineMs: HOUR_MS }, [asks("ask", { optional: true })]);
    rig.after(HOUR_MS).tick();
    expect(rig.state.outcome).toMatchObject({ status: "partial", output: { json: null } });
  });

  test("the stop may set another deadline", () => {
    const rig = rigOf({ deadlineMs: DAY_MS }, [asks("ask", { timeoutMs: 1_000 })]);
    expect(rig.request.dueAtMs).toBe(T0 + 1_000);
  });

  test("an open request says when its process ends, which may come first", () => {
    const { request, state } = rigOf({ deadlineMs: DAY_MS }, [asks("ask")]);
    expect(request.processEndsAtMs).toBe(state.task?.deadlineAtMs);
  });
});

describe("a request closes without a decision", () => {
  const closed = (decision: ReturnType<PeopleRig["tick"]>): unknown[] =>
    inboxOf(decision).map(({ id, open, facts }) => [id, open, facts["state"]]);

  test("when its process is cancelled or expires", () => {
    const cancelled = rigOf({});
    expect(closed(cancelled.cancel())).toEqual([["p.r1", false, "closed"]]);
    expect(cancelled.answer({ ok: true })).toMatchObject({ verdict: { fault: { code: "person.decided" } } });
    const late = rigOf({});
    expect(closed(late.after(10 * DAY_MS).tick())).toEqual([["p.r1", false, "closed"]]);
    expect(late.state.outcome?.status).toBe("expired");
  });

  test("when its branch has lost", () => {
    const any: Stop = {
      kind: "any",
      name: "first",
      branches: { a: call("A"), ask: (asks("x") as { call: ReturnType<typeof call> }).call },
    };
    const rig = rigOf({}, [any, one("b")]);
    const won = rig.output("p:1:first.a:0:1");
    expect(closed(won)).toEqual([["p.r1", false, "closed"]]);
    expect(asksWork(won)).toEqual([rig.id("b")]);
  });

  test("when the work item whose handler asked is over; over its attempts it stays open", () => {
    const retry = { attemptsMax: 2, backoffMs: 10, backoffMsMax: 10, jitter: 0 };
    const rig = new PeopleRig(peopleSlip([one("a", { retry })], {}, { agents: { A: { asks: ["P"] } } }));
    rig.accept({ timeoutMs: DAY_MS });
    rig.question("p:1:a:0:1", 0, "P");
    rig.fault("p:1:a:0:1", "agent.failed");
    expect(rig.request.state).toBe("open");
    rig.after(10).tick();
    expect(closed(rig.output("p:1:a:0:1", "done", 2))).toEqual([["p.r1", false, "closed"]]);
  });
});

describe("a handler", () => {
  const A = "p:1:a:0:1";
  const asking = (): PeopleRig => {
    const rig = new PeopleRig(
      peopleSlip([one("a", { timeoutMs: 5_000 })], { deadlineMs: HOUR_MS }, { agents: { A: { asks: ["P"], handsOffTo: ["P"] } } }),
    );
    rig.accept({ timeoutMs: DAY_MS });
    return rig;
  };
  const answers = (decision: ReturnType<PeopleRig["tick"]>): unknown[] =>
    decision.effects.flatMap((effect) =>
      effect.kind === "send" && effect.message.body.kind === "answer" ? [effect.message.body.result] : [],
    );

  test("asks a person and is answered; its time stands still meanwhile, and a repeated wait asks once", () => {
    const rig = asking();
    expect(names(rig.question(A, 0, "P", { n: 1 }))).toEqual(["wait-begun"]);
    expect(rig.question(A, 0, "P", { n: 1 }).events).toEqual([]);
    expect(rig.request).toMatchObject({ agent: "A", stop: "a", about: "A asks P" });
    expect(rig.machine.nextDueMs(rig.state, rig.nowMs)).toBe(T0 + HOUR_MS);
    expect(answers(rig.answer({ ok: true }))).toEqual([{ output: { json: { ok: true } } }]);
    expect(answers(rig.question(A, 0, "P", { n: 1 }))).toEqual([{ output: { json: { ok: true } } }]);
  });

  test("hears a denial and silence as faults, and may go on", () => {
    const rig = asking();
    rig.question(A, 0, "P");
    expect(answers(rig.deny("no"))).toMatchObject([{ fault: { code: "person.denied", details: { by: "ann", reason: "no" } } }]);
    rig.question(A, 1, "P");
    expect(answers(rig.after(HOUR_MS).tick()).at(-1)).toMatchObject({
      fault: { code: "person.denied", message: expect.stringContaining("in time") },
    });
    expect(rig.state.ending).toBeUndefined();
  });

  test("may not ask a person that it does not declare", () => {
    const rig = new PeopleRig(peopleSlip([one("a")]));
    rig.accept();
    expect(answers(rig.question(A, 0, "P"))).toMatchObject([{ fault: { code: "ask.undeclared" } }]);
    expect(rig.requests).toEqual([]);
  });

  test("hands off to a person, whose answer is the output of the stop", () => {
    const rig = asking();
    rig.result(A, { handOff: { agent: "P", input: { json: { n: 2 } } } });
    expect(rig.request).toMatchObject({ agent: "A", stop: "a", state: "open" });
    rig.answer({ ok: true });
    expect(rig.state.outcome?.status).toBe("completed");
    expect(rig.state.outputs["a"]).toEqual({ json: { ok: true } });
  });

  test("waits for a consent: the verdict is bound to the hash of the arguments, and a denial is a verdict too", () => {
    const rig = asking();
    const consent = (index: number, hash?: string): ReturnType<PeopleRig["tick"]> => {
      const input = { to: "x", amount: 7 };
      const content = {
        kind: "consent",
        agent: "A",
        tool: "pay",
        input,
        reason: "more than 5",
        rule: "approve",
        evidence: [],
        inputSchema: {},
      };
      const ask = { content: { json: content }, hash: hash ?? rig.hashOf(input) };
      return rig.body({ kind: "wait", workId: A, index, for: { kind: "person", ask } });
    };
    expect(answers(consent(0, "0".repeat(64)))).toMatchObject([{ fault: { code: "person.changed" } }]);
    consent(1);
    expect(rig.request).toMatchObject({ kind: "consent", tool: "pay", agent: "A", roles: [], silence: "deny" });
    const { hash } = rig.request;
    expect(answers(rig.approve({ by: ANN }))).toMatchObject([
      { output: { json: { verdict: "approved", hash, by: "ann", request: "p.r1" } } },
    ]);
    consent(2);
    expect(answers(rig.deny("no", { decisionId: "d2" }))).toMatchObject([{ output: { json: { verdict: "denied", reason: "no" } } }]);
    expect(rig.state.ending).toBeUndefined();
  });
});

describe("what is told again", () => {
  test("a host that takes the process over writes recent entries again, and older ones not at each reminder", () => {
    const rig = rigOf({});
    expect(tellsRequests(rig.state, rig.nowMs)).toBe(true);
    const nudged = rig.give({ kind: "tick", nudged: true });
    expect([inboxOf(nudged).length, toldOf(nudged)]).toEqual([1, ["asked"]]);
    rig.after(LIMITS.personTellMs);
    expect(tellsRequests(rig.state, rig.nowMs)).toBe(false);
    expect(rig.give({ kind: "tick", run: 1 }).effects).toEqual([]);
  });

  test("a host that could not write an entry writes it until it can", () => {
    const rig = rigOf({});
    rig.after(LIMITS.personTellMs);
    const again = rig.give({ kind: "tick", asks: "old" });
    expect([inboxOf(again).length, toldOf(again)], "but tells no person again").toEqual([1, []]);
  });

  test("a decision on a request that is over writes its entry again, so a stale listing is corrected", () => {
    const rig = rigOf({}, [asks("ask"), one("b")]);
    rig.answer({ ok: true });
    rig.after(DAY_MS);
    expect(inboxOf(rig.answer({ ok: true }, { decisionId: "other" }))).toMatchObject([{ id: "p.r1", open: false }]);
  });

  test("the last effects of a process contain the end of its requests", () => {
    const rig = rigOf({});
    const ended = rig.answer({ ok: true });
    expect(inboxOf(ended)).toHaveLength(1);
    expect(inboxOf({ effects: rig.outbox() })).toMatchObject([{ id: "p.r1", open: false }]);
  });

  test("a further run does not use the number of a request again", () => {
    const rig = rigOf({});
    rig.deny();
    rig.redrive();
    expect(rig.request).toMatchObject({ id: "p.r2", run: 2, state: "open" });
    expect(rig.answer({ ok: true }, { request: "p.r1", decisionId: "d2" })).toMatchObject({
      verdict: { fault: { code: "person.decided" } },
    });
  });

  test("more requests than a process may have open are refused", () => {
    const rig = new PeopleRig(peopleSlip([one("a")], {}, { agents: { A: { asks: ["P"] } } }));
    rig.accept();
    rig.question("p:1:a:0:1", 0, "P");
    const [wait] = Object.values(rig.state.waits ?? {});
    const many = Array.from({ length: LIMITS.personRequestsMax }, (_, index) => ({ ...wait, id: `w${index}` }) as NonNullable<typeof wait>);
    rig.state = { ...rig.state, waits: Object.fromEntries(many.map((one) => [one.id, one])) };
    const refused = rig.question("p:1:a:0:1", 1, "P");
    expect(refused.events).toMatchObject([{ e: "wait-answered", result: { fault: { code: "person.too-many" } } }]);
  });
});
