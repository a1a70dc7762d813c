/** @module A tool with a breaker is left alone while most of its calls fail. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, route, system, tool } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { startLocal } from "../../testing/index.ts";

const Shop = contract("Shop", 1, { input: z.strictObject({}), output: z.string() });

function shopOf(run: () => string, breaker: boolean): ReturnType<typeof system> {
  const fetchPrice = tool("price", { input: z.strictObject({}), output: z.string(), effect: "read", breaker, run });
  const shop = agent(Shop, { tools: [fetchPrice], handle: (_input, ctx) => ctx.call(fetchPrice, {}) });
  const sale = route("sale", 1, z.strictObject({}))
    .to("shop", Shop, () => ({}), { retry: { attemptsMax: 1 } })
    .output(({ shop: price }) => price);
  return system("market", { agents: [shop], routes: [sale] });
}

/** The codes with which as many tasks end, one after the other, as open a breaker, and one more. */
async function codesOf(run: () => string, breaker: boolean): Promise<readonly (string | undefined)[]> {
  const local = startLocal(shopOf(run, breaker));
  const codes: (string | undefined)[] = [];
  try {
    for (let count = 0; count <= LIMITS.breakerCallsMin; count += 1) codes.push((await local.run("sale", {})).fault?.code);
  } finally {
    await local.stop();
  }
  return codes;
}

describe("the breaker of a tool", () => {
  it("opens when most calls fail; then the tool does not run", async () => {
    let ran = 0;
    const codes = await codesOf(() => {
      ran += 1;
      throw new Error("down");
    }, true);
    expect(codes.at(-2)).toBe("agent.failed");
    expect(codes.at(-1)).toBe("tool.unavailable");
    expect(ran).toBe(LIMITS.breakerCallsMin);
  });

  it("does not open for answers that are not to be tried again", async () => {
    const codes = await codesOf(() => {
      throw new Fault("agent.refused", "sold out");
    }, true);
    expect(codes.at(-1)).toBe("agent.refused");
  });

  it("is not there unless it is asked for", async () => {
    const codes = await codesOf(() => {
      throw new Error("down");
    }, false);
    expect(codes.at(-1)).toBe("agent.failed");
  });
});
