/**
 * @module Requests to people in the system under test: consents for a call, also with little time, and questions on three levels of nested
 * routes.
 */
import { z } from "zod";
import {
  agent,
  type AgentDefinition,
  contract,
  isFault,
  person,
  type Person,
  route,
  type RouteDefinition,
  tool,
} from "../../agents/index.ts";
import type { Outside } from "./booking.ts";

/** Amounts above it need a consent. */
const FREE_AMOUNT_MAX = 100;
/** Time for a decision on a refund that asks with little time. */
const SHORT_MS = 2_500;

const Refund = z.strictObject({ process: z.string(), amount: z.int() });
const Paid = z.strictObject({ amount: z.int(), code: z.string() });
const Level = z.strictObject({ process: z.string(), level: z.int() });
const Said = z.strictObject({ word: z.string() });

const Approver = person("Approver", { about: "Approves refunds", roles: ["manager"] });
const Hurried = person("Hurried", { about: "Approves refunds at once", roles: ["manager"], deadlineMs: SHORT_MS, onExpiry: "deny" });
const Oracle = person("Oracle", { about: "Knows the word", input: Level, output: Said });

const Refunder = contract("Refunder", 1, { input: Refund, output: Paid });
const Hasty = contract("Hasty", 1, { input: Refund, output: Paid });
const Asker = contract("Asker", 1, { input: Level, output: Said });

/** Pays at the ledger: the effect names the amount, so that the ledger knows under which arguments it acted. */
function payTool(name: string, approver: Person, outside: Outside) {
  return tool(name, {
    effect: "write",
    input: Refund,
    output: z.int(),
    approve: `input.amount > ${FREE_AMOUNT_MAX}`,
    approver,
    run: async ({ process, amount }, call) => {
      await outside.call("apply", `pay ${amount}`, process, call);
      return amount;
    },
  });
}

function refunder(target: typeof Refunder | typeof Hasty, pay: ReturnType<typeof payTool>): AgentDefinition {
  return agent(target, {
    tools: [pay],
    handle: async (refund, ctx) => {
      try {
        return { amount: await ctx.call(pay, refund), code: "" };
      } catch (error) {
        if (!isFault(error) || !error.code.startsWith("person.")) throw error;
        return { amount: 0, code: error.code };
      }
    },
  });
}

/** People and the agents that ask them. */
export function requestAgents(outside: Outside): (AgentDefinition | Person)[] {
  return [
    ...[Approver, Hurried, Oracle],
    refunder(Refunder, payTool("pay", Approver, outside)),
    refunder(Hasty, payTool("paySoon", Hurried, outside)),
    agent(Asker, { asks: [Oracle], handle: (level, ctx) => ctx.ask(Oracle, level) }),
  ];
}

const refund = route("refund", 1, Refund)
  .to("paid", Refunder, ({ task }) => task)
  .output(({ paid }) => paid);
const hasty = route("hasty", 1, Refund)
  .to("paid", Hasty, ({ task }) => task)
  .output(({ paid }) => paid);

/** Asks in a stop and in a handler at once. */
const inner = route("inner", 1, Level)
  .all((stop) => ({ stop: stop(Oracle, ({ task }) => task), handler: stop(Asker, ({ task }) => task) }))
  .output(({ stop, handler }) => ({ words: [stop.word, handler.word] }));
const middle = route("middle", 1, Level)
  .all((stop) => ({ stop: stop(Oracle, ({ task }) => task), below: stop(inner, ({ task }) => task) }))
  .output(({ stop, below }) => ({ word: stop.word, below: below.words }));
const outer = route("outer", 1, Level)
  .all((stop) => ({ stop: stop(Oracle, ({ task }) => task), below: stop(middle, ({ task }) => task) }))
  .output(({ stop, below }) => ({ word: stop.word, below }));

/** Routes that ask people. */
export const requestRoutes: readonly RouteDefinition[] = [refund, hasty, inner, middle, outer];
