/** @module `rules list` and `rules revoke` against a pretended system. */
import { describe, expect, test } from "vitest";
import { AT_MS, run, stub, useParty } from "./party.ts";
import { refuse } from "./stub.ts";

useParty();

const RULE = {
  id: "rule-0123456789abcdef",
  state: "stands",
  agent: "Cashier",
  tool: "pay",
  about: "exactly this input",
  when: "input == {}",
  label: ["mcp:mail"],
  request: "trip-7.r1",
  by: "ann",
  atMs: AT_MS,
  untilMs: AT_MS + 1_000,
  used: 3,
  usesMax: 10,
};

describe("rules", () => {
  test("lists what is let through without a person, with the condition of each", async () => {
    stub.answers["GET /rules"] = { json: { entries: [RULE] } };
    const { code, out } = await run("rules", "list", "--all");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^rule +made +by +state +used +until +what$/),
      expect.stringMatching(
        /^rule-0123456789abcdef .* ann +stands +3 of 10 .* pay of Cashier: exactly this input \(also derived from mcp:mail\)$/,
      ),
      "",
      "rule-0123456789abcdef: input == {}",
      "",
    ]);
    expect(stub.seen[0]?.path).toBe("/rules?all=true");
    stub.answers["GET /rules"] = { json: { entries: [] } };
    expect((await run("rules", "list")).out).toBe("No standing rules.\n");
    expect(JSON.parse((await run("rules", "list", "--json")).out)).toEqual({ entries: [] });
  });

  test("revokes a rule; an unknown one is told, exit code 1", async () => {
    const path = `POST /rules/${RULE.id}/revoke`;
    stub.answers[path] = { json: { ...RULE, state: "revoked", revoked: { by: "bob", atMs: AT_MS, reason: "no" } } };
    const { code, out } = await run("rules", "revoke", RULE.id, "--reason", "no");
    expect([code, out]).toEqual([0, `Rule ${RULE.id} is revoked. It has let 3 calls through.\n`]);
    expect(stub.seen).toEqual([expect.objectContaining({ path: `/rules/${RULE.id}/revoke`, body: { reason: "no" } })]);
    stub.answers[path] = refuse("rule.unknown");
    expect((await run("rules", "revoke", RULE.id)).code).not.toBe(0);
  });
});
