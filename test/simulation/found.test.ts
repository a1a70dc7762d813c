/**
 * @module What the simulator found in the core, each by its name and seed. Every line was red before its fix.
 *
 * A seed is a run only for one version of the engine: as the engine changes, the same seed meets other interleavings. So
 * a find that can be said without a seed has a test of its own below.
 */
import { expect, test } from "vitest";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { DecisionContext } from "../../runtime/machine.ts";
import { processMachine } from "../../runtime/process/machine.ts";
import { ALL_FAULTS } from "../../simulation/world/faults.ts";
import { runSeed } from "../../simulation/run.ts";
import { SCENARIOS } from "../../simulation/scenarios/index.ts";

const FOUND: readonly (readonly [scenario: string, seed: number, what: string])[] = [
  ["party", 1, "an undo run whose handler ended kept a timer for ever"],
  ["party", 118, "the reminder of a run that was being accepted was removed by a tick on the void run before it"],
  ["party", 97, "an undo whose handler threw before it came to its step was taken as done"],
  ["party", 1028, "the index line closed before dead letter and notifications were out, so lost reminders lost them"],
  ["party", 911, "a task submitted again to a host with an old cache stood open in the index after its end"],
  ["wild", 713, "a child that answered its parent's undo lost the reminder under which it owed its dead letter"],
  ["wild", 678, "work that died with its host kept its actor, and the undo of other work waited behind it for ever"],
  ["purge", 29, "a bucket whose journal one sweep had just taken away was begun anew by another, to be dropped"],
  ["purge", 1005, "a sweep that had read a bucket before it was dropped wrote its record again when that had been removed"],
  ["wild", 755, "a hung handler that its process no longer needed was not stopped before the undo of work that waited for its actor"],
  ["wild", 156, "the same, across several tasks that share actors"],
  ["wild", 2214, "a living host that went on running work to be undone kept the undo waiting by its heartbeats"],
  ["wild", 728, "a stop that was ordered on another host never reached the handler, although its own host heard of the undo"],
  [
    "wild",
    3334,
    "a child that opened again for its parent's undo had no reminder: another host had removed it, and this one believed in it",
  ],
  ["wild", 1359, "a handler that woke after its work had been undone elsewhere caught the refusal of its ask, and went on to a step"],
  ["wild", 4059, "the same, of an item of a forEach"],
  ["wild", 701077, "a timer of a host that placement no longer named moved the reminder away, which the right host believed near"],
  ["wild", 5003579, "the right host moved the reminder away, and a timer of the wrong one, which believed it near, ordered work"],
  [
    "wild",
    90004046,
    "a run that ended with its first record, after the one that was prepared had become void, owed its effects without a reminder",
  ],
  [
    "wildRedrive",
    10001610,
    "a handler that caught the refusal of its ask and went on to a step could not be undone, and a redrive did that step again",
  ],
  ["wildRedrive", 200002619, "the same"],
  [
    "wild",
    20015755,
    "as wild 1359, when the ask was refused because the work was being undone, and the stop had come before the handler began",
  ],
  [
    "wild",
    20003177,
    "a child was accepted under a reminder that an earlier attempt had set and that was lost since, and its line stayed open",
  ],
  ["wild", 20005145, "the right host heard the reminder and moved it away, while the host that had just written believed it near"],
  ["catches", 22, "a step that failed after its effect, and was caught by a handler that did nothing more, was taken as nothing to undo"],
  [
    "catches",
    101,
    "a handler caught what a step threw and was stopped in its next step: the undo waited at the first step, the second's effect stood",
  ],
  ["catches", 234, "a second attempt did not fail where the first had, so the undo did not come to what the first had gone on to"],
  ["catches", 7728, "an undo was shown an earlier attempt whose handler threw before it came to anything, and was taken as done"],
  [
    "catches",
    13480,
    "a hung handler that had its answers held the actor for which the undo of another ask waited, and was to be stopped after it",
  ],
  [
    "wildRedrive",
    7004652,
    "a discard lost its reminder and its open line to a tick that had been held up, and its host died before desk and audit were told",
  ],
  ["redrive", 418, "the late end of a run's last effects let go the process, whose next run had ended meanwhile and owed its own"],
  ["wild", 2703, "as party 97, after an effect whose answer was lost"],
  ["hot", 418, "a purge had removed the last entry of a settled work item, and an old undo took the one before it for the last"],
  ["hot", 2086, "the same, where the one before it had no content"],
  ["minds", 10126, "a later attempt was to reach what the handler had done after its budget ended, and went another way"],
  ["minds", 11859, "a host whose lease could not be written accepted a task and died, and no other host knew of it"],
  ["minds", 20190, "a host took a process over from a dead one and died before the index named it, and the process was no one's"],
  ["minds", 22813, "two hosts prepared a run, the index named the one that did not record it, and the other one died"],
  ["minds", 52768, "the one early reminder of a process, whose host had no lease and died, rang while the store was away"],
  ["waits", 99, "a handler received an answer before one that was recorded earlier, because its wait was told to the actor later"],
  ["operatedWaits", 235, "the same, and a further attempt did not come to what had followed the wrong winner of a race"],
  ["chains", 34, "a result that only an earlier attempt had to reach came before those of its own attempt once, and after them once"],
  ["wild", 26, "the compensation of a work item that had told its spending told it again, and it counted twice"],
  ["trims", 941, "a host that had slept could not read the head after its late write, and left the record below the floor"],
  ["trims", 2675, "a host that was dead, came back and died while the only other one slept was never found dead again"],
  ["trims", 3985, "a host that slept after a write took what it knew before for new, and went on below a floor that moved as it woke"],
  [
    "trust",
    222,
    "a store that did not answer was told to a handler in the place of a recorded answer, and a later execution was given that",
  ],
  [
    "operatedWaits",
    2429,
    "the next attempt of a failed work item began after its process was terminated: another host had its request already",
  ],
];

for (const [name, seed, what] of FOUND) {
  test(`${name} ${seed}: ${what}`, async () => {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    expect((await runSeed({ scenario, seed, most: ALL_FAULTS })).findings).toEqual([]);
  });
}

const context: DecisionContext = {
  system: "s",
  actorId: "t1",
  nowMs: 1_000,
  incarnation: "B1",
  sequence: 1,
  jitter01: 0,
  token: "B1-1",
  values: new Map(),
};

test("a tick of the run after a void one voids that run too before its reminder goes", () => {
  const first = processMachine.decide(processMachine.initial("t1"), { kind: "tick", run: 1 }, context);
  const voided = first.events.reduce((state, event) => processMachine.evolve(state, event), processMachine.initial("t1"));
  expect(processMachine.decide(voided, { kind: "tick", run: 1 }, context).events).toEqual([]);
  const next = processMachine.decide(voided, { kind: "tick", run: 2 }, context);
  expect(next.events).toEqual([{ e: "voided" }]);
  const again = next.events.reduce((state, event) => processMachine.evolve(state, event), voided);
  expect(again).toMatchObject({ phase: "void", run: 2 });
});

test("a repeated request for waiting work has the running work of another host watched", () => {
  const work = (id: string, messageAttempt: number): Parameters<typeof agentMachine.decide>[1] => ({
    kind: "message",
    message: {
      v: 1,
      id: `${id}:${messageAttempt}`,
      to: { type: "s.A", id: "one" },
      from: "s.ProcessManager/t1",
      processId: "t1",
      createdAtMs: 0,
      expiresAtMs: 9_000,
      hop: 1,
      principal: { subject: "a", tenant: "t", permissions: [] },
      trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
      body: {
        kind: "work",
        workId: id,
        attempt: messageAttempt,
        agent: "A",
        version: 1,
        input: { json: null },
        retainUntilMs: 90_000,
        ancestors: [],
      },
    },
  });
  let state = agentMachine.initial("one");
  const other = { ...context, incarnation: "A1", token: "A1-1" };
  for (const id of ["w1", "w2"])
    for (const event of agentMachine.decide(state, work(id, 1), other).events) state = agentMachine.evolve(state, event);
  const repeated = agentMachine.decide(state, work("w2", 1), context);
  expect(repeated.effects).toEqual([{ kind: "watch", workId: "w1", token: "A1-1" }]);
});
