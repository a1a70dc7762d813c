/** @module 10,000 damaged replies, each by its seed, through the parser in memory. */
import { expect, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { damagedBy, expectSound } from "./mangling.ts";
import { readAnswer } from "./reading.ts";

const SEEDS = 10_000;

it(`reads ${SEEDS} damaged replies: each is a reply or a coded fault, and no call is made of a cut one`, () => {
  const ends = new Map<string, number>();
  const steps = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const damaged = damagedBy(seed);
    const got = readAnswer(damaged.answer, damaged.isStreamed);
    expectSound(damaged, got);
    const end = got instanceof Fault ? got.code : "reply";
    ends.set(end, (ends.get(end) ?? 0) + 1);
    for (const step of damaged.steps) steps.add(step);
  }
  // The seeds reach every end, and every way to damage a reply.
  for (const end of ["reply", "model.unavailable", "model.malformed", "model.rate-limited", "model.rejected"])
    expect(ends.get(end), end).toBeGreaterThan(SEEDS / 100);
  expect(steps.size).toBeGreaterThan(80);
});

it("damages a reply in the same way for the same seed", () => {
  for (const seed of [1, 2, 3, 99, 4_711]) expect(damagedBy(seed)).toEqual(damagedBy(seed));
});
