/**
 * @module Results that are recorded while a handler runs reach it in the order of their records, which is the order in which every later
 * execution is given them.
 */
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../runtime/limits.ts";
import { flush } from "./engine-rig.ts";
import { Actor, FIRST_MS, Run, WORK } from "./execution-rig.ts";
import { gate } from "./world-rig.ts";

const SECOND_MS = 2_000;

/** A work item that waits for two timers since an earlier execution. */
function waitingActor(): Actor {
  const waits = [FIRST_MS, SECOND_MS].map((ms, index) => ({ index, key: `sleep ${ms}/0`, for: { kind: "timer", ms } as const }));
  return new Actor({ ...WORK, waits });
}

/** The handler sleeps twice, and the second wait is refused when the door opens. */
async function sleepsAndIsRefused(actor: Actor, run: Run, door: { readonly promise: Promise<void> }): Promise<void> {
  actor.answered = async (input) => {
    if (input.kind !== "waits" || !input.key.startsWith(`sleep ${SECOND_MS}/`)) return;
    await door.promise;
    throw new TypeError("no answer");
  };
  run.sleeps(FIRST_MS);
  void run.execution.sleep(SECOND_MS).catch(() => run.received.push("refused"));
  await run.settle();
}

/** Nothing is received before the door opens, and then these results in this order. */
async function heldUntil(door: { readonly open: () => void }, run: Run, received: readonly string[]): Promise<void> {
  await run.settle();
  expect(run.received).toEqual([]);
  door.open();
  await run.settle();
  expect(run.received).toEqual(received);
}

describe("a handler receives results in the order of their records", () => {
  test("if both answers are recorded before a new execution has told its actor of both waits", async () => {
    const actor = waitingActor();
    const told = gate();
    const run = new Run(actor);
    actor.answers(1);
    actor.answers(0);
    actor.answered = async (input) => {
      if (input.kind === "waits" && input.key.startsWith(`sleep ${SECOND_MS}/`)) await told.promise;
    };
    for (const ms of [FIRST_MS, SECOND_MS]) run.sleeps(ms);
    await run.settle();
    expect(run.received, "the first one waits for its turn").toEqual([]);
    expect(actor.work.status, "and is not taken for received").toBe("running");
    told.open();
    await run.settle();
    expect(run.received).toEqual([`${SECOND_MS}`, `${FIRST_MS}`]);
    expect(actor.work.waits.map(({ order }) => order)).toEqual([0, 1]);
  });

  test("if a step was recorded before an answer, and the report of the step was not answered", async () => {
    const actor = new Actor();
    const told = gate();
    const run = new Run(actor);
    actor.answered = (input) => (input.kind === "step-done" ? told.promise : Promise.resolve());
    run.sleeps(FIRST_MS);
    run.steps("step");
    await flush();
    actor.answers(0);
    void run.execution.goOn(actor.state);
    await heldUntil(told, run, ["step", `${FIRST_MS}`]);
  });

  test("if the report of the first of two steps was not answered, and that of the second was", async () => {
    const actor = new Actor();
    const told = gate();
    const run = new Run(actor);
    actor.answered = (input) => (input.kind === "step-done" && input.name === "first" ? told.promise : Promise.resolve());
    for (const name of ["first", "second"]) run.steps(name);
    await heldUntil(told, run, ["first", "second"]);
  });

  test("if an answer came with the report of a step, and what follows the answer takes longer than what follows the step", async () => {
    const actor = new Actor();
    const run = new Run(actor);
    const acting = gate();
    run.sleeps(FIRST_MS);
    run.steps("step", () => acting.promise);
    await flush();
    actor.answers(0);
    acting.open();
    await run.settle();
    expect(run.received).toEqual([`${FIRST_MS}`, "step"]);
  });

  test("if a wait is refused whose turn was before that of an answer", async () => {
    const actor = waitingActor();
    const told = gate();
    const run = new Run(actor);
    actor.answers(1);
    actor.answers(0);
    await sleepsAndIsRefused(actor, run, told);
    expect(run.received).toEqual([]);
    told.open();
    await run.settle();
    expect(new Set(run.received)).toEqual(new Set([`${FIRST_MS}`, "refused"]));
  });

  test("if a wait is refused whose turn was before that of a step, which is recorded by then", async () => {
    const actor = waitingActor();
    const told = gate();
    const run = new Run(actor);
    actor.answers(1);
    await sleepsAndIsRefused(actor, run, told);
    run.steps("step");
    await run.settle();
    told.open();
    await run.settle();
    expect(run.received).toEqual(["step", "refused"]);
  });

  // When each result woke all others, this took minutes.
  test("if a thousand steps are recorded at once", async () => {
    const run = new Run(new Actor());
    const names = Array.from({ length: LIMITS.stepsPerWorkMax - 1 }, (_, index) => `s${index}`);
    for (const name of names) run.steps(name);
    while (run.received.length < names.length) await run.settle();
    expect(run.received).toEqual(names);
  });

  test("if the contents of recorded results are read, one of them slowly", async () => {
    const slow = gate();
    const steps = [
      { name: "large", output: { ref: "sha256-1", bytes: 1 }, order: 0 },
      { name: "small", output: { json: "small" }, order: 1 },
    ];
    const run = new Run(new Actor({ ...WORK, steps, results: 2 }), (value) => ("json" in value ? Promise.resolve() : slow.promise));
    for (const name of ["large", "small"]) run.steps(name);
    await heldUntil(slow, run, ["large", "small"]);
  });
});

describe("a later attempt is given a result that only an earlier one has to reach", () => {
  const mine = { name: "mine", output: { ref: "sha256-1", bytes: 1 }, order: 0, onlyIn: 1 };
  const work = { ...WORK, attempt: 2, steps: [mine], results: 1 };

  test("before what this attempt does meanwhile", async () => {
    const slow = gate();
    const run = new Run(new Actor(work), (value) => ("json" in value ? Promise.resolve() : slow.promise));
    const acting = gate();
    run.steps("other", () => acting.promise);
    await run.settle();
    run.steps("mine");
    await run.settle();
    acting.open();
    await heldUntil(slow, run, ["mine", "other"]);
  });

  test("and before the same in a further execution of this attempt", async () => {
    const steps = [
      { ...mine, output: { json: "mine" } },
      { name: "other", output: { json: "other" }, order: 1 },
    ];
    const run = new Run(new Actor({ ...work, steps, results: 2 }));
    for (const name of ["other", "mine"]) run.steps(name);
    await run.settle();
    expect(run.received).toEqual(["mine", "other"]);
  });
});

test("an execution that was stopped holds nothing back", async () => {
  const actor = new Actor();
  const run = new Run(actor);
  actor.answered = (input) => (input.kind === "step-done" && input.name === "first" ? gate().promise : Promise.resolve());
  for (const name of ["first", "second"]) run.steps(name);
  await run.settle();
  run.execution.stop({ code: "work.cancelled", message: "over" });
  await run.settle();
  expect(run.received).toEqual(["second"]);
});
