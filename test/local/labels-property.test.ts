/** @module No label is lost: random systems of tools, asks, hand-offs, nested routes, lists, signals and shared state. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LocalSystem, startLocal } from "../../testing/index.ts";
import { compare, type Findings, Node, plans, systemOf } from "./label-rig.ts";

const BEN = { subject: "ben", tenant: "acme", permissions: [] };
const PEOPLE = [undefined, { ...BEN, subject: "ann" }, BEN];
const RUNS = 120;
const SIGNALS_COUNT = 12;

/** Gives a process signals of one principal, which it keeps until handlers wait for them. */
async function giveSignals(local: LocalSystem, id: string, taint: readonly string[]): Promise<void> {
  const isThere = (): Promise<boolean> =>
    local.show(id).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) await new Promise((resolve) => setImmediate(resolve));
  // A process that has ended takes no more.
  for (let count = 0; count < SIGNALS_COUNT; count += 1)
    await local.signal(id, "news", { taint }, `${id}-${count}`, BEN).catch(() => undefined);
}

test("no origin of a content is missing in the label of what was derived from it", { timeout: 240_000 }, async () => {
  const all: Findings = { lost: [], checks: 0, exact: 0 };
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const findings: Findings = { lost: [], checks: 0, exact: 0 };
      const { made, fakes } = systemOf(plan, findings);
      const local = startLocal(made, { fakes });
      try {
        for (const [round, person] of plan.people.entries()) {
          const principal = PEOPLE[person];
          const origin = plan.untrusted ? ["input:post"] : [];
          const id = `t${round}`;
          const running = local.run(
            "main",
            { taint: origin },
            {
              id,
              timeoutMs: 60_000,
              ...(principal === undefined ? {} : { principal }),
              ...(plan.untrusted ? { untrusted: "post" } : {}),
            },
          );
          await giveSignals(local, id, principal?.subject === BEN.subject ? [] : ["signal:news"]);
          const outcome = await running;
          if (outcome.status !== "completed") continue;
          ended += 1;
          compare(findings, "the outcome", outcome.label, Node.parse(outcome.output).taint);
        }
      } finally {
        await local.stop();
      }
      all.checks += findings.checks;
      all.exact += findings.exact;
      expect(findings.lost).toEqual([]);
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 200_000 },
  );
  expect(ended).toBeGreaterThan(RUNS / 2);
  // Labels are coarse, but not everything is labelled.
  expect(all.exact).toBeGreaterThan(all.checks * 0.5);
});
