/** @module The mark of a first request, which any host may begin because only its process knows the actor. */
import { expect, test } from "vitest";
import type { Decision } from "../../runtime/machine.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { sends } from "./machine-rig.ts";
import { call, one, ProcessRig, slipOf } from "./process-rig.ts";

/** The work requests of a decision: id, actor, and whether they are marked as the first. */
function firsts(decision: Decision<ProcessEvent>): [string, string, boolean | undefined][] {
  return sends(decision.effects).flatMap(({ to, body }) =>
    body.kind === "work"
      ? [[`${body.workId}:${body.attempt}`, `${to.type}/${to.id}`, body.first] as [string, string, boolean | undefined]]
      : [],
  );
}

test("the first work item of an actor of the process is marked, and no further one of the same actor", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("again", {}, "A"), one("b")]));
  expect(firsts(rig.accept())).toEqual([["p:1:a:0:1:1", "sys.A/p", true]]);
  expect(firsts(rig.output(rig.id("a")))).toEqual([["p:1:again:0:1:1", "sys.A/p", undefined]]);
  expect(firsts(rig.output(rig.id("again")))).toEqual([["p:1:b:0:1:1", "sys.B/p", true]]);
});

test("of concurrent work items of one actor only the first is marked", () => {
  const rig = new ProcessRig(slipOf([{ kind: "all", name: "both", branches: { x: call("A"), y: call("A"), z: call("B") } }]));
  expect(firsts(rig.accept())).toEqual([
    ["p:1:x:0:1:1", "sys.A/p", true],
    ["p:1:y:0:1:1", "sys.A/p", undefined],
    ["p:1:z:0:1:1", "sys.B/p", true],
  ]);
});

test("an actor with a key is never marked: others may have called it before", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("again", {}, "A")], { agents: { A: { key: { from: ["input", "n"] } } } }));
  expect(firsts(rig.accept({ input: { n: 7 } }))).toEqual([["p:1:a:0:1:1", "sys.A/7", undefined]]);
  expect(firsts(rig.output(rig.id("a")))).toEqual([["p:1:again:0:1:1", "sys.A/7", undefined]]);
});

test("an agent with a key is not marked when its key is the id of the process", () => {
  const rig = new ProcessRig(slipOf([one("a")], { agents: { A: { key: { from: ["input", "n"] } } } }));
  expect(firsts(rig.accept({ input: { n: "p" } }))).toEqual([["p:1:a:0:1:1", "sys.A/p", undefined]]);
});

test("an actor whose first work was undone is no longer new", () => {
  const rig = new ProcessRig(
    slipOf([one("a", { optional: true, retry: { attemptsMax: 1, backoffMs: 0, backoffMsMax: 0, jitter: 0 } }), one("again", {}, "A")]),
  );
  rig.accept();
  const failed = rig.fault(rig.id("a"), "agent.refused");
  const undone = rig.output(`${rig.id("a")}/undo`);
  expect([...firsts(failed), ...firsts(undone)]).toEqual([["p:1:again:0:1:1", "sys.A/p", undefined]]);
});

test("the same request asked once more is the same message; a further attempt is not marked", () => {
  const rig = new ProcessRig(slipOf([one("a", { retry: { attemptsMax: 3, backoffMs: 0, backoffMsMax: 0, jitter: 0 } })]));
  const asked = rig.accept();
  expect(sends(rig.after(LIMITS.resendMs).tick().effects)).toEqual(sends(asked.effects));
  rig.fault(rig.id("a"), "agent.failed");
  expect(firsts(rig.tick())).toEqual([["p:1:a:0:1:2", "sys.A/p", undefined]]);
});

test("asks and hand-offs are marked alike: once for each actor of the process", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")], { agents: { A: { asks: ["B"], handsOffTo: ["C"] } } }));
  rig.accept();
  expect(firsts(rig.question(rig.id("a"), 0, "B"))).toEqual([["p:1:a:0:1/ask0:1:1", "sys.B/p", true]]);
  expect(firsts(rig.question(rig.id("a"), 1, "B", "another"))).toEqual([["p:1:a:0:1/ask1:1:1", "sys.B/p", undefined]]);
  expect(firsts(rig.result(rig.id("a"), { handOff: { agent: "C", input: { json: 1 } } }))).toEqual([["p:1:a:0:2:1", "sys.C/p", true]]);
});

test("an actor whose key happens to be the process id is never marked: others may have called it before", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")], { agents: { A: { key: { from: ["input", "name"] } } } }));
  expect(firsts(rig.accept({ input: { name: "p" } }))).toEqual([["p:1:a:0:1:1", "sys.A/p", undefined]]);
  expect(firsts(rig.output(rig.id("a")))).toEqual([["p:1:b:0:1:1", "sys.B/p", true]]);
});

test("after the first work was undone the actor is still known", () => {
  const rig = new ProcessRig(slipOf([one("a", { optional: true }), one("b"), one("again", {}, "A"), one("c")]));
  rig.accept();
  rig.fault(rig.id("a"));
  rig.output(`${rig.id("a")}/undo`, null);
  expect(rig.state.asked.map(({ id }) => id)).toEqual([rig.id("b")]);
  expect(firsts(rig.output(rig.id("b")))).toEqual([["p:1:again:0:1:1", "sys.A/p", undefined]]);
});

test("in a new run the actors of the process are known already", () => {
  const rig = new ProcessRig(slipOf([one("a"), one("b")]));
  rig.accept();
  rig.undoAll(rig.fault(rig.id("a")));
  expect(firsts(rig.redrive())).toEqual([["p:2:a:0:1:1", "sys.A/p", undefined]]);
  expect(firsts(rig.output(rig.id("a")))).toEqual([["p:2:b:0:1:1", "sys.B/p", true]]);
});
