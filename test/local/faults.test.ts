/** @module Faults of handlers, from the throw to the outcome: codes of the user's own, pauses, causes, and what is thrown to do harm. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  agent,
  contract,
  defineFault,
  Fault,
  isFault,
  route,
  system,
  type AgentDefinition,
  type AgentOptions,
} from "../../agents/index.ts";
import type { LogFacts, Logger } from "../../actors/engine/log.ts";
import { type LocalOutcome, runLocal, type RunLocalOptions } from "../../testing/index.ts";

const Num = z.object({ n: z.int() });
const Till = contract("Till", 1, { input: Num, output: Num });
const Bank = contract("Bank", 1, { input: Num, output: Num });
const CardDeclined = defineFault("card.refused", { retryable: false, http: 402, fix: "Use another card." });
const BankBusy = defineFault("bank.busy", { retryable: true, fix: "Wait." });
const PAUSE_MS = 5_000;

type Handle = AgentOptions<typeof Till, never, [], [], []>["handle"];

function charge(till: AgentDefinition, more: readonly AgentDefinition[] = [], options: RunLocalOptions = {}): Promise<LocalOutcome> {
  const charges = route("charge", 1, Num)
    .to("till", Till, ({ task }) => task)
    .output(({ till: done }) => done);
  return runLocal(system("shop", { agents: [till, ...more], routes: [charges] }), "charge", { n: 1 }, options);
}

class LinesLog implements Logger {
  readonly lines: (LogFacts & { readonly level: string; readonly message: string })[] = [];
  debug(): void {}
  info(): void {}
  warn(facts: LogFacts, message: string): void {
    this.lines.push({ level: "warn", message, ...facts });
  }
  error(facts: LogFacts, message: string): void {
    this.lines.push({ level: "error", message, ...facts });
  }
}

describe("a user-defined code", () => {
  test(
    "ends the task at once when it is not retryable; code, rules, details and cause are in the outcome and " + "in the dead letter",
    async () => {
      const till = agent(Till, {
        handle: () => {
          throw CardDeclined("the card was declined", { details: { last4: "4242" }, cause: new RangeError("402 from the bank") });
        },
      });
      const { status, fault, deadLetter, history } = await charge(till);
      expect([status, history.some(({ attempt }) => attempt > 1)]).toEqual(["failed", false]);
      expect(fault).toMatchObject({
        code: "card.refused",
        message: "the card was declined",
        details: { last4: "4242" },
        retryable: false,
        httpStatus: 402,
        fix: "Use another card.",
      });
      expect(fault?.cause).toMatch(/^Fault: the card was declined\n +at .*\n[\s\S]*caused by: RangeError: 402 from the bank\n +at /);
      expect(deadLetter).toMatchObject({ fault });
    },
  );

  test("is retried if it is retryable, and not before its delay has passed", async () => {
    const till = agent(Till, {
      handle: (input, ctx) => {
        if (ctx.attempt === 1) throw BankBusy("later", { retryAfterMs: PAUSE_MS });
        return input;
      },
    });
    const { status, history } = await charge(till);
    expect(status).toBe("completed");
    const failedAtMs = history.find(({ code }) => code === "bank.busy")?.atMs ?? Number.NaN;
    const againAtMs = history.findLast(({ what }) => what.startsWith("asked"))?.atMs ?? Number.NaN;
    expect(againAtMs - failedAtMs).toBeGreaterThanOrEqual(PAUSE_MS);
  });

  test("reaches the asker, also after the answer was recorded", async () => {
    const bank = agent(Bank, {
      handle: () => {
        throw CardDeclined("the card was declined", { details: { last4: "4242" } });
      },
    });
    const seen: unknown[] = [];
    const till = agent(Till, {
      asks: [Bank],
      handle: async (input, ctx) => {
        try {
          return await ctx.ask(Bank, input);
        } catch (error) {
          if (!CardDeclined.is(error)) throw error;
          seen.push([error.code, error.details, error.retryable, error.fix]);
          return { n: 0 };
        }
      },
    });
    expect(await charge(till, [bank])).toMatchObject({ status: "completed", output: { n: 0 } });
    expect(seen).toEqual([["card.refused", { last4: "4242" }, false, "Use another card."]]);
  });

  test("is rejected where the fault is made if it is not defined", async () => {
    const till = agent(Till, {
      handle: () => {
        throw new Fault("coupon.expired" as "agent.refused", "the coupon has expired");
      },
    });
    const { status, fault } = await charge(till);
    expect(status).toBe("failed");
    expect(fault).toMatchObject({
      code: "definition.invalid",
      message: '"coupon.expired" is not a known fault code; define it with defineFault',
    });
  });
});

describe("what a handler throws", () => {
  test("is in the log with its stack, one line for each attempt, and shortened in the outcome and the dead letter", async () => {
    const log = new LinesLog();
    const thrown: Error[] = [];
    const till = agent(Till, {
      handle: (_input, ctx) => {
        thrown.push(new TypeError(`attempt ${ctx.attempt}`, { cause: new Error("the line is down") }));
        throw thrown.at(-1);
      },
    });
    const { fault, deadLetter } = await charge(till, [], { log });
    const lines = log.lines.filter(({ message }) => message === "an attempt failed");
    expect(lines).toMatchObject(
      [1, 2, 3].map((attempt) => ({ level: "error", agent: "Till", processId: "local", attempt, code: "agent.failed" })),
    );
    expect(lines.map(({ err }) => err)).toEqual(thrown.slice(0, 3));
    expect(fault?.cause).toMatch(/^TypeError: attempt 3\n +at .*faults\.test\.ts.*\n[\s\S]*caused by: Error: the line is down\n +at /);
    expect(deadLetter).toMatchObject({
      fault,
      attempts: [{ attempt: 1, fault: { cause: expect.stringContaining("TypeError: attempt 1") } }, {}],
    });
  });

  test("in a step keeps its cause in the record", async () => {
    const till = agent(Till, {
      handle: (_input, ctx) =>
        ctx.step("pay", (): z.infer<typeof Num> => {
          throw CardDeclined("declined", { cause: new RangeError("402") });
        }),
    });
    const { fault } = await charge(till);
    expect(fault).toMatchObject({ code: "card.refused" });
    expect(fault?.cause).toMatch(/caused by: RangeError: 402/);
  });

  test("a fault of the system in a handler has no cause in the record", async () => {
    const { fault } = await charge(agent(Till, { handle: () => ({ n: "one" }) as unknown as { n: number } }));
    expect(fault?.code).toBe("schema.output");
    expect(fault?.cause).toBeUndefined();
  });

  const thrower = (): never => {
    throw new Error("a getter threw");
  };
  test.each<[string, () => unknown]>([
    ["an error whose message cannot be read", () => Object.defineProperty(new Error("x"), "message", { get: thrower })],
    [
      "an error with a property that cannot be read",
      () => Object.defineProperty(new Error("x"), "why", { get: thrower, enumerable: true }),
    ],
    ["a proxy that refuses everything", () => new Proxy({}, { get: thrower, has: thrower, getPrototypeOf: thrower, ownKeys: thrower })],
    ["null", () => null],
    ["a symbol", () => Symbol("x")],
    ["an object whose toString throws", () => ({ toString: thrower })],
    ["half a surrogate pair", () => new Error("\ud800")],
  ])("%s ends the task like every other error, also where the log cannot write it", async (_what, make) => {
    const strict: Logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: ({ err }) => void JSON.stringify(err, Object.getOwnPropertyNames(err ?? {})),
    };
    const handle: Handle = () => {
      throw make();
    };
    const { status, fault } = await charge(agent(Till, { handle }), [], { log: strict });
    expect([status, fault?.code]).toEqual(["failed", "agent.failed"]);
    expect(isFault(fault)).toBe(false);
  });
});
