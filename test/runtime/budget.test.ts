/**
 * @module Properties of the arithmetic of budgets. A failing run prints its seed and the shortest failing input.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addSpent,
  addSpentWithin,
  addUsed,
  AMOUNTS,
  type Amounts,
  amountsOf,
  beyond,
  type Grant,
  grantAfter,
  grantText,
  isNothingSpent,
  isWithin,
  laterSpent,
  maxGrant,
  minGrant,
  NOTHING_SPENT,
  restOf,
  shareOf,
  type Spent,
  spentSince,
  totalSpent,
  UNSETTLED_MODEL,
  unsettledSpent,
  usdText,
  usedOf,
} from "../../runtime/budget.ts";

const count = fc.nat(1_000_000);
const model = fc.record({ modelCalls: count, inputTokens: count, outputTokens: count, costMicros: count });
const spent: fc.Arbitrary<Spent> = fc.record({ toolCalls: count, models: fc.dictionary(fc.constantFrom("fast", "careful", "m3"), model) });
const grant: fc.Arbitrary<Grant> = fc.record(
  { tokens: count, costMicros: count, modelCalls: count, toolCalls: count },
  { requiredKeys: [] },
);
const used: fc.Arbitrary<Amounts> = spent.map(usedOf);
describe("what was spent", () => {
  test("sums in any order, and what a sum uses is the sum of what its parts use", () => {
    fc.assert(
      fc.property(spent, spent, spent, (a, b, c) => {
        expect(addSpent(a, b)).toEqual(addSpent(b, a));
        expect(addSpent(addSpent(a, b), c)).toEqual(addSpent(a, addSpent(b, c)));
        expect(usedOf(addSpent(a, b))).toEqual(addUsed(usedOf(a), usedOf(b)));
        expect(totalSpent({ x: a, y: b })).toEqual(addSpent(a, b));
      }),
    );
  });

  test("reports of a growing spending add up to the last one, in any order and repeated", () => {
    const reports = fc.array(spent, { minLength: 1, maxLength: 6 }).map((steps) => {
      const grown: Spent[] = [];
      for (const step of steps) grown.push(addSpent(grown.at(-1) ?? NOTHING_SPENT, step));
      return grown;
    });
    fc.assert(
      fc.property(reports, fc.array(fc.nat(20), { maxLength: 20 }), (grown, order) => {
        let known = NOTHING_SPENT;
        let sum = NOTHING_SPENT;
        const last = grown.at(-1) ?? NOTHING_SPENT;
        for (const report of [...order.map((at) => grown[at % grown.length] ?? NOTHING_SPENT), last, last]) {
          sum = addSpent(sum, spentSince(known, report));
          known = laterSpent(known, report);
        }
        expect(usedOf(sum)).toEqual(usedOf(last));
        expect(isNothingSpent(spentSince(known, last))).toBe(true);
      }),
    );
  });

  test("keeps a sum when models are counted together beyond a number", () => {
    fc.assert(
      fc.property(spent, spent, fc.integer({ min: 1, max: 3 }), (a, b, modelsMax) => {
        const sum = addSpentWithin(addSpentWithin(NOTHING_SPENT, a, modelsMax, "(others)"), b, modelsMax, "(others)");
        expect(usedOf(sum)).toEqual(usedOf(addSpent(a, b)));
        expect(Object.keys(sum.models).length).toBeLessThanOrEqual(modelsMax + 1);
      }),
    );
  });
});

describe("grants", () => {
  test("the rest of a grant and what was used of it are the grant, unless it was overrun", () => {
    fc.assert(
      fc.property(grant, used, (whole, use) => {
        const rest = restOf(whole, use);
        for (const name of AMOUNTS) {
          if (whole[name] === undefined) expect(rest[name]).toBeUndefined();
          else expect((rest[name] ?? 0) + Math.min(use[name], whole[name])).toBe(whole[name]);
        }
        expect(isWithin(grantAfter(use, rest), maxGrant(whole, grantAfter(use, restOf(whole, use))))).toBe(true);
      }),
    );
  });

  test("the stricter of two allows only what both allow", () => {
    fc.assert(
      fc.property(grant, grant, grant, (a, b, need) => {
        expect(isWithin(need, minGrant(a, b))).toBe(isWithin(need, a) && isWithin(need, b));
        expect(minGrant(a, undefined)).toEqual(a);
        expect(minGrant(a, a)).toEqual(a);
      }),
    );
  });

  test("shares that are taken one after the other use the whole and are equal to one unit", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 40 }), (tokens, places) => {
        let left: Grant = { tokens };
        const shares: number[] = [];
        for (let place = places; place > 0; place -= 1) {
          const share = shareOf(left, place);
          shares.push(share.tokens ?? 0);
          left = restOf(left, amountsOf(share));
        }
        expect(left).toEqual({ tokens: 0 });
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("what a need has beyond a grant makes the grant suffice", () => {
    fc.assert(
      fc.property(grant, grant, (need, whole) => {
        expect(isWithin(need, grantAfter(amountsOf(whole), beyond(need, whole)))).toBe(true);
        if (isWithin(need, whole)) expect(Object.values(beyond(need, whole)).every((amount) => amount === 0)).toBe(true);
      }),
    );
  });

  test("a rest that was never told counts in full", () => {
    fc.assert(
      fc.property(grant, (rest) => {
        expect(usedOf(unsettledSpent(rest))).toEqual(amountsOf(rest));
      }),
    );
    expect(unsettledSpent({ tokens: 5 }).models[UNSETTLED_MODEL]).toMatchObject({ inputTokens: 5, modelCalls: 0 });
    expect(isNothingSpent(unsettledSpent({ tokens: 0 }))).toBe(true);
  });
});

test("money is text with four decimals", () => {
  expect([0, 0.000_049, 0.000_05, 1.25].map(usdText)).toEqual(["$0.0000", "$0.0000", "$0.0001", "$1.2500"]);
  expect(grantText({ tokens: 500, costMicros: 20_000, modelCalls: 3 })).toBe("500 tokens, $0.0200, 3 model calls");
  expect(grantText({})).toBe("nothing");
});
