/**
 * @module A handler never receives that the store does not answer in the place of a result that is recorded: its other executions would
 * receive the result.
 */
import { describe, expect, test } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Value } from "../../runtime/value.ts";
import { flush } from "./engine-rig.ts";
import { Actor, FIRST_MS, Run, WORK } from "./execution-rig.ts";
import { gate } from "./world-rig.ts";

describe("a store that does not answer is asked for a recorded result again", () => {
  const large = { ref: "sha256-1", bytes: 1 };
  const steps = [{ name: "large", output: large, order: 0 }];
  const unavailable = new Fault("store.unavailable", "no answer");

  /** Fails the first reads of what is not in the record itself. */
  function failing(reads: number): (value: Value) => Promise<void> {
    let left = reads;
    return async (value) => {
      if ("json" in value) return;
      left -= 1;
      if (left >= 0) throw unavailable;
    };
  }

  test("of a step", async () => {
    const run = new Run(new Actor({ ...WORK, steps, results: 1 }), failing(2));
    run.steps("large");
    await run.settle();
    expect(run.received).toEqual([]);
    await run.passes(LIMITS.recordRetryMsMax);
    expect(run.received).toEqual(["large"]);
  });

  test("and of a wait", async () => {
    const actor = new Actor();
    const run = new Run(actor, failing(2));
    run.sleeps(FIRST_MS);
    // A handler that only waits would have to be begun again.
    run.steps("open", () => gate().promise);
    await flush();
    actor.answers(0, large);
    void run.execution.goOn(actor.state);
    await run.settle();
    expect(run.received).toEqual([]);
    await run.passes(LIMITS.recordRetryMsMax);
    await run.settle();
    expect(run.received).toEqual([`${FIRST_MS}`]);
  });

  test("until the execution is stopped", async () => {
    const run = new Run(new Actor({ ...WORK, steps, results: 1 }), failing(Number.POSITIVE_INFINITY));
    const ended = run.execution.step("large", () => null).catch((error: unknown) => error);
    await run.passes(10 * LIMITS.recordRetryMsMax);
    run.execution.stop({ code: "work.cancelled", message: "over" });
    await run.settle();
    expect(await ended).toMatchObject({ code: "work.cancelled" });
  });

  test("but not if it says that there is none", async () => {
    const run = new Run(new Actor({ ...WORK, steps, results: 1 }), async () => {
      throw new Fault("value.missing", "removed");
    });
    const ended = run.execution.step("large", () => null).catch((error: unknown) => error);
    await run.settle();
    expect(await ended).toMatchObject({ code: "value.missing" });
  });
});
