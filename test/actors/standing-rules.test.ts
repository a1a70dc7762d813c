/** @module How a host asks the standing rules: until they answer, and people where they cannot. */
import { describe, expect, test } from "vitest";
import { SILENT } from "../../actors/engine/log.ts";
import { StandingRules, type StandingRulesParts } from "../../actors/host/standing-rules.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { ruleId, type StandingRule } from "../../runtime/people/rule.ts";
import type { Message, TurnAnswer } from "../../runtime/protocol.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { HandClock } from "./engine-rig.ts";

const CALL = { agent: "Payer", tool: "pay", input: {}, label: [], mark: "m" };
const WORK = {
  ...{ id: "w", processId: "p", hop: 1, principal: { ...ANONYMOUS, permissions: [] } },
  trace: { traceparent: `00-${"1".repeat(32)}-${"1".repeat(16)}-01` },
};
const RULE: StandingRule = {
  ...{ id: ruleId("p.r1"), requestId: "p.r1", agent: "Payer", tool: "pay", about: "", when: "true", by: "ann" },
  ...{ atMs: 0, usesMax: 2, untilMs: Number.MAX_SAFE_INTEGER, uses: [] },
};
const OTHER: StandingRule = { ...RULE, id: ruleId("p.r2"), requestId: "p.r2" };
const { uses: _uses, ...TERMS } = RULE;

interface Far {
  readonly inspect?: () => Promise<Json>;
  readonly deliver?: (message: Message) => Promise<TurnAnswer>;
  readonly file?: () => Promise<void>;
}

function rulesOver({ inspect, deliver, file }: Far): { readonly rules: StandingRules; readonly clock: HandClock } {
  const clock = new HandClock();
  const shown = { id: "default", rules: { [RULE.id]: RULE, [OTHER.id]: OTHER } };
  const ports = {
    clock,
    transport: {
      inspect: inspect ?? (async () => JSON.parse(JSON.stringify(shown)) as Json),
      deliver: deliver ?? (async ({ id }: Message) => ({ receipt: { messageId: id, sequence: 1 } })),
    },
  };
  const parts = { system: "sys", ports, audit: { file: file ?? (async () => {}) }, log: SILENT };
  // Nothing else of the transport is used.
  return { rules: new StandingRules(parts as unknown as StandingRulesParts), clock };
}

const AWAY = new Fault("sidecar.unavailable", "away");
const { signal } = new AbortController();

describe("standing rules", () => {
  test("that do not answer are asked until they do, so that no call is let through by a rule and put to a person too", async () => {
    let asked = 0;
    const failing = async <T>(value: T): Promise<T> => {
      asked += 1;
      if (asked % 3 !== 0) throw AWAY;
      return value;
    };
    const { rules, clock } = rulesOver({ deliver: ({ id }) => failing({ receipt: { messageId: id, sequence: 1 } }) });
    const letting = rules.letting(WORK, CALL, signal);
    await clock.advance(10_000);
    expect(await letting).toBe(RULE.id);
    expect(asked).toBe(3);
  });

  test("whose journal is broken leave the call to people", async () => {
    const { rules } = rulesOver({ inspect: () => Promise.reject(new Fault("journal.broken-chain", "broken")) });
    expect(await rules.letting(WORK, CALL, signal)).toBeUndefined();
  });

  test("a rule that ended in between is passed over for another one", async () => {
    const sent: string[] = [];
    const { rules } = rulesOver({
      deliver: async ({ id, body }) => {
        const used = body.kind === "rule" && body.act.do === "use" ? body.act.id : "";
        sent.push(used);
        return used === RULE.id ? { refused: new Fault("rule.unknown", "ended").toWire() } : { receipt: { messageId: id, sequence: 1 } };
      },
    });
    expect(await rules.letting(WORK, CALL, signal)).toBe(OTHER.id);
    expect(sent).toEqual([RULE.id, OTHER.id]);
  });

  test("a rule is made after its line of the audit, and a stopped execution makes none", async () => {
    const done: string[] = [];
    const { rules } = rulesOver({
      file: async () => void done.push("audit"),
      deliver: async ({ id }) => {
        done.push(id);
        return { receipt: { messageId: id, sequence: 1 } };
      },
    });
    await rules.make(WORK, TERMS, signal);
    expect(done).toEqual(["audit", `${RULE.id}/make`]);
    await expect(rules.make(WORK, TERMS, AbortSignal.abort(AWAY))).rejects.toBe(AWAY);
    expect(done).toHaveLength(2);
  });
});
