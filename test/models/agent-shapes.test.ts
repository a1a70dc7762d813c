/** @module A model agent meets each shape of real servers once: it ends as its policy says, and repeats no request after a bad reply. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system, tool } from "../../agents/index.ts";
import { canonicalJson } from "../../runtime/canonical.ts";
import { FAULTS, type FaultCode } from "../../runtime/faults.ts";
import { runLocal, type ScriptedModel, scriptedModel, type ScriptedRequest } from "../../testing/index.ts";
import { SHAPE_NAMES } from "../../testing/scripted/shapes.ts";
import { NAMED_ENDS } from "./named-shapes.ts";

const PAYMENT = { to: "{{input.shape}}", cents: 500 };
const CALL = { text: "I pay.", calls: [{ tool: "pay", arguments: PAYMENT }] };
const SEEDS = 150;
/** A shape that hangs has no other end than the timeout; a slow one must not meet it. */
const HANG_TIMEOUT_MS = 500;
const TIMEOUT_MS = 15_000;
/** Faults of a first call after which no other request can help. */
const FINAL: readonly FaultCode[] = ["model.rejected", "model.quota", "model.filtered", "model.context-length"];

const Clerk = contract("Clerk", 1, { input: z.object({ shape: z.string() }), output: z.object({ paid: z.string() }) });

let script: ScriptedModel;
beforeAll(async () => {
  const bad = SHAPE_NAMES.map((shape) => ({ when: { input: { shape }, call: 1, attempt: 1 }, reply: { ...CALL, shape } }));
  // A result that is an error is not a payment.
  const answer = { when: { results: { pay: "/^[a-z0-9-]+$/" } }, reply: { json: { paid: "{{results.pay}}" } } };
  const mangled = Array.from({ length: SEEDS }, (_none, seed) => ({
    when: { input: { shape: `seed-${seed}` }, call: 1, attempt: 1 },
    reply: { ...CALL, mangle: seed },
  }));
  script = await scriptedModel({ script: { rules: [...bad, ...mangled, answer, { reply: CALL }] } });
});
afterAll(() => script.stop());

/** How a run ended, what was paid, and the requests that it made. */
async function meet(shape: string, timeoutMs: number): Promise<{ code: string; paid: string[]; requests: readonly ScriptedRequest[] }> {
  const paid: string[] = [];
  const pay = tool("pay", {
    input: z.object({ to: z.string(), cents: z.int() }),
    output: z.string(),
    effect: "write",
    run: ({ to }, { idempotencyKey }) => {
      paid.push(idempotencyKey);
      return to;
    },
  });
  const clerk = agent(Clerk, model({ instructions: "Pay.", tools: [pay] }));
  const errand = route("errand", 1, Clerk.input)
    .to("pay", Clerk, ({ task }) => task)
    .output(({ pay: done }) => done);
  const models = { default: openai({ model: "any", baseUrl: script.url, timeoutMs }) };
  const from = script.requests.length;
  const { status, fault } = await runLocal(system("office", { agents: [clerk], routes: [errand], models }), errand, { shape });
  return { code: status === "completed" ? status : (fault?.code ?? status), paid, requests: script.requests.slice(from) };
}

/** The same key means the same request; another key means another request. */
function expectNoneTwice(requests: readonly ScriptedRequest[], where?: string): void {
  const bodies = new Map<string, string>();
  for (const { idempotencyKey = "", body } of requests) {
    const text = canonicalJson(body);
    expect(bodies.get(idempotencyKey) ?? text, where).toBe(text);
    bodies.set(idempotencyKey, text);
  }
  expect(new Set(bodies.values()).size, where).toBe(bodies.size);
}

test.each(SHAPE_NAMES)("%s", async (shape) => {
  const { code, paid, requests } = await meet(shape, shape === "hang" ? HANG_TIMEOUT_MS : TIMEOUT_MS);
  const end = NAMED_ENDS[shape].streamed;
  const first: FaultCode | undefined = end !== "same" && "fault" in end ? end.fault : undefined;
  expectNoneTwice(requests);
  // Only a transient fault is followed by the same request.
  const isAgain = requests[1]?.attempt === 2;
  expect(isAgain).toBe(first !== undefined && FAULTS[first].retryable);
  const final = shape === "refusal-in-finish" ? "model.refused" : FINAL.find((one) => one === first);
  expect(code).toBe(final ?? "completed");
  expect(paid).toHaveLength(final === undefined ? 1 : 0);
});

test(
  `${SEEDS} first replies that were damaged by a seed: each run ends, by a code if not well, and pays at most once`,
  { timeout: 120_000 },
  async () => {
    const codes = new Map<string, number>();
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const where = `seed ${seed}`;
      const { code, paid, requests } = await meet(`seed-${seed}`, HANG_TIMEOUT_MS);
      expect(code, where).toMatch(/^(completed|model\.[a-z-]+)$/);
      expectNoneTwice(requests, where);
      expect(new Set(paid).size, where).toBe(paid.length);
      if (code === "completed") expect(paid.length, where).toBeGreaterThan(0);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.get("completed")).toBeGreaterThan(SEEDS / 2);
  },
);
