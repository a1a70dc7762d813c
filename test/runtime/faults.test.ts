/** @module Faults: codes of the user's own, the form in records, and what is made of anything that is thrown. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../runtime/canonical.ts";
import {
  defineFault,
  Fault,
  faultFrom,
  faultFromUserCode,
  FAULTS,
  isFault,
  isRetryable,
  type Json,
  rulesOf,
  WireFault,
} from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";

const CardDeclined = defineFault("card.declined", { retryable: false, http: 402, fix: "Use another card." });
const RateLimited = defineFault("rate.limited", { retryable: true, fix: "Wait." });

function codeOf(action: () => unknown): readonly [string, string] {
  try {
    action();
  } catch (error) {
    if (isFault(error)) return [error.code, error.message];
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("codes of the user's own", () => {
  test("a maker makes faults with the code, the rules, details, a pause and a cause", () => {
    const cause = new Error("402 from the bank");
    const fault = CardDeclined("the card was declined", { details: { last4: "4242" }, retryAfterMs: 2_000, cause });
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({
      code: "card.declined",
      message: "the card was declined",
      details: { last4: "4242" },
      retryAfterMs: 2_000,
    });
    expect([fault.retryable, fault.httpStatus, fault.fix, fault.cause]).toEqual([false, 402, "Use another card.", cause]);
    expect([CardDeclined.code, CardDeclined.is(fault), RateLimited.is(fault), CardDeclined.is(undefined)]).toEqual([
      "card.declined",
      true,
      false,
      false,
    ]);
  });

  test("the status is 503 for what may be tried again and 422 for what may not, unless one is named", () => {
    expect(RateLimited("slow down").httpStatus).toBe(503);
    expect(defineFault("order.empty", { retryable: false, fix: "Order something." })("empty").httpStatus).toBe(422);
  });

  test("the same definition may come twice, another one of the same code may not", () => {
    const again = defineFault("card.declined", { retryable: false, http: 402, fix: "Use another card." });
    expect(CardDeclined.is(again("declined"))).toBe(true);
    for (const other of [{ retryable: true }, { http: 403 }, { fix: "Pay cash." }])
      expect(codeOf(() => defineFault("card.declined", { retryable: false, http: 402, fix: "Use another card.", ...other }))[0]).toBe(
        "definition.invalid",
      );
  });

  test.each([
    ["stop.timeout", {}, "is in the fault table"],
    ["declined", {}, "form word.word"],
    ["Card.Declined", {}, "form word.word"],
    ["a.b.c", {}, "form word.word"],
    ["__proto__.x", {}, "form word.word"],
    [`card.${"x".repeat(LIMITS.faultCodeLengthMax)}`, {}, "form word.word"],
    ["card.lost", { http: 200 }, "status from 400 to 599"],
    ["card.lost", { http: Number.NaN }, "status from 400 to 599"],
    ["card.lost", { fix: "" }, "fix must be a text"],
    ["card.lost", { fix: "\ud800" }, "fix must be a text"],
    ["card.lost", { fix: "x".repeat(LIMITS.faultFixLengthMax + 1) }, "fix must be a text"],
    ["card.lost", { retryable: "no" as unknown as boolean }, "retryable must be true or false"],
  ])("refuses the definition of %s with %j", (code, more, text) => {
    const [found, message] = codeOf(() => defineFault(code, { retryable: false, fix: "Look for it.", ...more }));
    expect(found).toBe("definition.invalid");
    expect(message).toContain(text);
  });

  test("the constructor refuses a code that is neither in the table nor defined", () => {
    for (const code of ["coupon.expired", "constructor", "__proto__", "toString", "", undefined, null, Symbol("x"), {}]) {
      const [found, message] = codeOf(() => new Fault(code as "agent.refused", "no"));
      expect(found).toBe("definition.invalid");
      expect(message).toContain("is not a known fault code; define it with defineFault");
    }
  });
});

describe("the form in records", () => {
  test("a code of the user's own carries its rules, so that a host without its definition decides the same", () => {
    const wire = RateLimited("slow down", { retryAfterMs: 1_500, details: { limit: 3 } }).toWire();
    expect(wire).toEqual({
      code: "rate.limited",
      message: "slow down",
      details: { limit: 3 },
      retryable: true,
      httpStatus: 503,
      fix: "Wait.",
      retryAfterMs: 1_500,
    });
    const elsewhere = { ...wire, code: "rate.defined-elsewhere" };
    expect(WireFault.parse(elsewhere)).toEqual(elsewhere);
    expect(isRetryable(elsewhere)).toBe(true);
    expect(Fault.fromWire(elsewhere).toWire()).toEqual(elsewhere);
    expect(rulesOf(Fault.fromWire(elsewhere).toWire())).toEqual({ retryable: true, httpStatus: 503, fix: "Wait." });
  });

  test("a code of the table carries no rules, and the table decides, not the message", () => {
    expect(new Fault("stop.timeout", "late").toWire()).toEqual({ code: "stop.timeout", message: "late" });
    const forged = WireFault.parse({ code: "agent.refused", message: "no", retryable: true, httpStatus: 500, fix: "x" });
    expect(isRetryable(forged)).toBe(false);
    expect(rulesOf(forged)).toEqual(FAULTS["agent.refused"]);
  });

  test.each([
    [{ code: "newer.code", message: "no rules" }],
    [{ code: "nocode", message: "", retryable: true, httpStatus: 500, fix: "" }],
    [{ code: "a.b", message: "", retryable: true, httpStatus: 200, fix: "" }],
    [{ code: "a.b", message: "", retryable: "yes", httpStatus: 500, fix: "" }],
    [{ code: "agent.failed", message: "", retryAfterMs: -1 }],
    [{ code: "agent.failed", message: "", stack: "" }],
  ])("refuses %j", (fault) => {
    expect(WireFault.safeParse(fault).success).toBe(false);
  });

  test("a pause is whole, positive and bounded; anything else says nothing", () => {
    const pauses = [0, -1, Number.NaN, "5" as unknown as number, 0.2, Number.POSITIVE_INFINITY].map(
      (retryAfterMs) => RateLimited("x", { retryAfterMs }).toWire().retryAfterMs,
    );
    expect(pauses).toEqual([undefined, undefined, undefined, undefined, 1, LIMITS.retryAfterMsMax]);
  });

  test("a fault that is recorded and raised again stays the same", () => {
    const made = faultFromUserCode(new RangeError(`${"long ".repeat(1_000)}`, { cause: new TypeError("inner") }));
    expect(made.message.length).toBeGreaterThan(LIMITS.faultMessageLengthMax);
    expect(faultFromUserCode(Fault.fromWire(made))).toEqual(made);
    expect(faultFrom(Fault.fromWire(made), "turn.failed")).toEqual(made);
  });
});

describe("the cause", () => {
  class Refusal extends Error {}

  test("says class, message and first stack lines of each error of the chain", () => {
    const { code, message, cause = "" } = faultFromUserCode(new Refusal("outer", { cause: new TypeError("inner") }));
    expect([code, message]).toEqual(["agent.failed", "Error: outer"]);
    expect(cause).toMatch(/^Refusal: outer\n +at .*faults\.test\.ts[\s\S]*\ncaused by: TypeError: inner\n +at /);
    expect(cause.split("\n").filter((line) => /^ +at /.test(line)).length).toBeLessThanOrEqual(2 * LIMITS.faultStackLinesMax);
  });

  test("is there for faults that handlers throw, and not for those of the system", () => {
    expect(faultFromUserCode(CardDeclined("no", { cause: new Error("bank") })).cause).toMatch(/^Fault: no\n[\s\S]*caused by: Error: bank/);
    expect(faultFromUserCode(new Fault("agent.refused", "no")).cause).toMatch(/^Fault: no\n/);
    expect(faultFromUserCode(new Fault("step.mismatch", "no", undefined, { cause: new Error("x") })).cause).toBeUndefined();
    expect(faultFrom(new Error("no"), "turn.failed").cause).toBeUndefined();
  });

  test("a chain of causes that is a ring or too long ends", () => {
    const first = new Error("first");
    first.cause = new Error("second", { cause: first });
    expect(faultFromUserCode(first).cause?.match(/caused by/g)?.length).toBe(1);
    let deep = new Error("0");
    for (let depth = 1; depth < 1_000; depth += 1) deep = new Error(String(depth), { cause: deep });
    expect(faultFromUserCode(deep).cause?.match(/caused by/g)?.length ?? 0).toBeLessThan(LIMITS.faultCausesMax);
  });
});

// ---- thrown values -------------------------------------------------------------------------------------------------

const HALF = "\ud800";

function thrower(): never {
  throw new Error("a getter threw");
}

function withGetter(name: string): Error {
  return Object.defineProperty(new Error("x"), name, { get: thrower, enumerable: true });
}

function hostileProxy(target: object, traps: readonly (keyof ProxyHandler<object>)[]): object {
  return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, thrower])));
}

const ODD: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => Symbol("x"),
  () => 10n,
  () => Number.NaN,
  () => HALF,
  () => ({ toString: thrower }),
  () => ({ [Symbol.toPrimitive]: thrower }),
  () => Object.create(null),
  () => thrower,
  () => Object.freeze(new Error("frozen")),
  () => Object.freeze(new Fault("agent.refused", "frozen")),
  () => new Error(HALF),
  () => new Error("x", { cause: Symbol("y") }),
  () => Object.assign(new Error("x"), { message: Symbol("m"), name: { toString: thrower }, stack: 5 }),
  () => Object.assign(new Error("not a fault"), { code: "agent.refused" }),
  () => new AggregateError([new Error("a")], "many"),
  () => new Proxy(new Fault("agent.refused", "in a proxy"), {}),
  () => Object.assign(new Fault("agent.refused", "x"), { code: "constructor" }),
  () => Object.assign(new Fault("agent.refused", "x"), { message: 5 }),
  () => Object.assign(new Fault("agent.refused", "x"), { toWire: thrower }),
  () => Object.assign(new Fault("agent.refused", "x"), { toWire: () => hostileProxy({}, ["get", "ownKeys"]) }),
  () => ({ [Symbol.for("troupe.fault")]: true }),
  ...["message", "name", "stack", "cause", "constructor", "code"].map((name) => () => withGetter(name)),
];
const TRAPS = ["get", "has", "getPrototypeOf", "ownKeys", "getOwnPropertyDescriptor"] as const;

const ODD_DETAILS: readonly (() => unknown)[] = [
  () => ({ [HALF]: 1 }),
  () => ({ a: HALF }),
  () => ({ a: 10n }),
  () => withGetter("a"),
  () => [1],
  () => null,
  () => "text",
  () => hostileProxy({ a: 1 }, ["ownKeys"]),
];

const made = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
const oddDetails = fc.oneof(
  fc.constantFrom(...ODD_DETAILS),
  fc.dictionary(fc.string({ unit: "binary" }), made).map((value) => () => value),
);

/** Makers of what is thrown: the test library would trip over the values themselves. */
const thrown: fc.Arbitrary<() => unknown> = fc.oneof(
  fc.constantFrom(...ODD),
  made.map((value) => () => value),
  fc.tuple(fc.constantFrom(...ODD), fc.subarray([...TRAPS], { minLength: 1 })).map(([make, traps]) => () => {
    const target = make();
    return hostileProxy(typeof target === "object" && target !== null ? target : {}, traps);
  }),
  fc.tuple(fc.string({ unit: "binary", maxLength: 5_000 }), fc.constantFrom(...ODD)).map(
    ([message, make]) =>
      () =>
        new Error(message, { cause: make() }),
  ),
  fc.tuple(fc.string({ unit: "binary" }), oddDetails, fc.double(), fc.constantFrom(...ODD)).map(
    ([message, details, retryAfterMs, make]) =>
      () =>
        CardDeclined(message, { details: details() as Readonly<Record<string, Json>>, retryAfterMs, cause: make() }),
  ),
);

/** A fault that a record can hold: well formed, within its bounds, and the same when it is read back. */
function expectRecordable(fault: WireFault): void {
  expect(WireFault.safeParse(fault).success).toBe(true);
  const text = canonicalJson(fault as Json);
  expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
  expect(fault.message.length).toBeLessThan(LIMITS.faultMessageLengthMax + 100);
  expect(fault.cause?.length ?? 0).toBeLessThan(LIMITS.faultCauseLengthMax + 100);
}

describe("any thrown value becomes a fault", () => {
  test.each(ODD.map((make, index) => [index, make] as const))("odd value %i", (_index, make) => {
    expectRecordable(faultFrom(make(), "turn.failed"));
    expectRecordable(faultFromUserCode(make()));
  });

  test("property: nothing that is thrown makes faultFrom throw, and every fault can be recorded", () => {
    fc.assert(
      fc.property(thrown, (make) => {
        expectRecordable(faultFrom(make(), "turn.failed"));
        expectRecordable(faultFromUserCode(make()));
      }),
    );
  });

  test("an error with a code of the table that is no fault is not taken for one", () => {
    expect(faultFrom(Object.assign(new Error("x"), { code: "agent.refused" }), "turn.failed").code).toBe("turn.failed");
  });
});
