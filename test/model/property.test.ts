/** @module Properties of the loop over random replies, faults and texts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, type FaultCode, isHandOff, model, type Rung, tool } from "../../agents/index.ts";
import type { ModelMessage, ModelReply } from "../../runtime/model/conversation.ts";
import { callOf, conversationOf, fixedPart, withMessages } from "../../runtime/model/prompt.ts";
import { textTokens } from "../../runtime/model/tokens.ts";
import { textBytes } from "../../runtime/canonical.ts";
import { answer, calls, fault, type Ran, reply, run, type Scripted } from "./rig.ts";

const Task = z.object({ task: z.string() });
const Output = z.object({ done: z.boolean() });
const Doer = contract("Doer", 1, { input: Task, output: Output });
const Helper = contract("Helper", 1, { input: Task, output: Output });
const Page = z.object({ page: z.int() });
const read = tool("read", {
  input: Page,
  output: z.string(),
  effect: "read",
  run: ({ page }) => `${page} ${"y".repeat(400 * (page % 3))}`,
});
const CALLS_MAX = 12;

const rung = fc.constantFrom<Rung>("tell", "shorten", "summarize", "model");
const options = fc.record({
  repair: fc.array(rung, { maxLength: 8 }),
  fallback: fc.constantFrom([], ["careful"], ["careful", "other"], ["small"], ["small", "other"]),
  callsMax: fc.integer({ min: 2, max: CALLS_MAX }),
  onGiveUp: fc.constantFrom("fault" as const, { handOff: Helper }),
  onBudgetEnd: fc.constantFrom("stop" as const, "degrade" as const, { degradeTo: "small" }),
});

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constant(""));
const goodCall = fc.integer({ min: 0, max: 4 }).map((page) => ["read", { page }] as const);
const anyCall = fc.tuple(
  fc.constantFrom("read", "reed", "hand_off_to_Helper", ""),
  fc.oneof(
    anyText,
    fc.json().map((text) => JSON.stringify(text)),
  ),
);
const good = fc.array(goodCall, { minLength: 1, maxLength: 3 }).map((list) => calls(...list));
const bad: fc.Arbitrary<ModelReply> = fc.oneof(
  fc.array(anyCall, { minLength: 1, maxLength: 3 }).map((list) => calls(...list)),
  anyText.map((text) => reply({ text })),
  fc.constantFrom("length" as const, "filter" as const).chain((finish) => good.map((one) => ({ ...one, finish }))),
  fc.constant(reply({ refusal: "no" })),
  fc.constant({ ...answer({ done: true }), finish: "length" as const }),
);
const failure = fc
  .constantFrom<FaultCode>("model.context-length", "model.unavailable", "model.filtered", "budget.exhausted", "model.unknown")
  .map((code): Scripted => fault(code));
const script = fc.array(fc.oneof({ weight: 4, arbitrary: good }, { weight: 5, arbitrary: bad }, failure), { maxLength: CALLS_MAX });

/** Runs a script to its end; then the model answers. */
const play = (given: readonly Scripted[], settings: typeof options extends fc.Arbitrary<infer O> ? O : never): Promise<Ran> =>
  run(
    agent(Doer, model({ instructions: "Do it.", tools: [read], handsOffTo: [Helper], ...settings })),
    { task: "t" },
    {
      script: (_call, index) => given[index] ?? answer({ done: true }),
    },
  );

describe("over any replies", () => {
  test("no request is ever sent twice in one run", async () => {
    await fc.assert(
      fc.asyncProperty(script, options, async (given, settings) => {
        const hashes = (await play(given, settings)).requests.map(({ hash }) => hash);
        expect(new Set(hashes).size).toBe(hashes.length);
      }),
    );
  });

  test("the same replies and results lead to the same requests, hashes, calls and end", async () => {
    await fc.assert(
      fc.asyncProperty(script, options, async (given, settings) => {
        const [one, other] = [await play(given, settings), await play(given, settings)];
        expect(other.requests).toEqual(one.requests);
        expect(other.made).toEqual(one.made);
        expect(JSON.stringify(other.result)).toBe(JSON.stringify(one.result));
      }),
    );
  });

  test("the run ends within its calls, with an answer that fits, a hand-off or a coded fault", async () => {
    await fc.assert(
      fc.asyncProperty(script, options, async (given, settings) => {
        const { result, requests } = await play(given, settings);
        expect(requests.length).toBeLessThanOrEqual(settings.callsMax);
        const isKnown = result instanceof Fault || isHandOff(result) || Output.safeParse(result).success;
        expect(isKnown, String(result)).toBe(true);
      }),
    );
  });

  test("only calls of replies that are whole and right in every call are made", async () => {
    await fc.assert(
      fc.asyncProperty(script, options, async (given, settings) => {
        const { made, requests } = await play(given, settings);
        const whole = given.slice(0, requests.length).flatMap((one) => {
          if (one instanceof Fault || one.finish === "length" || one.finish === "filter") return [];
          const parsed = one.calls.map(({ name, arguments: text }) => (name === "read" ? pageOf(text) : undefined));
          return parsed.every((page) => page !== undefined) ? parsed : [];
        });
        expect(
          isSubsequence(
            made.map(([, input]) => JSON.stringify(input)),
            whole.map((page) => JSON.stringify(page)),
          ),
        ).toBe(true);
      }),
    );
  });
});

function pageOf(text: string): unknown {
  try {
    const parsed = Page.strict().safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function isSubsequence(part: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const one of all) if (at < part.length && one === part[at]) at += 1;
  return at === part.length;
}

const message: fc.Arbitrary<ModelMessage> = fc.oneof(
  fc.record({ role: fc.constantFrom("system" as const, "user" as const), text: fc.string() }),
  fc.record({
    role: fc.constant("assistant" as const),
    text: fc.string(),
    calls: fc.array(fc.record({ id: fc.string(), name: fc.string(), arguments: fc.string() }), { maxLength: 2 }),
  }),
  fc.record({ role: fc.constant("tool" as const), callId: fc.string(), name: fc.string(), text: fc.string() }),
);

describe("a conversation", () => {
  test("has the same hash and tokens, made at once or message by message", () => {
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const grown = messages.reduce((conversation, one) => withMessages(conversation, [one]), conversationOf([]));
        expect(grown).toEqual(conversationOf(messages));
      }),
    );
  });

  test("costs only what is new: a request reads no message of the ones before", () => {
    const unread: ModelMessage = {
      role: "user",
      get text(): string {
        throw new Error("an old message was read");
      },
    };
    const before = { ...conversationOf([{ role: "user", text: "old" }]), messages: Array.from({ length: 1_000 }, () => unread) };
    const grown = withMessages(before, [{ role: "user", text: "new" }]);
    const fixed = fixedPart([], undefined, { outputTokensMax: 5, temperature: undefined, seed: undefined });
    const parts = { model: "fast", prompt: "p", toolChoice: "none", outputTokensMax: 5, rung: undefined } as const;
    const call = callOf(fixed, { ...parts, conversation: grown });
    expect(call.request.messages).toHaveLength(1_001);
    expect(call.hash).not.toBe(callOf(fixed, { ...parts, conversation: before }).hash);
  });

  test("has another hash if any message differs", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1 }), message, fc.nat(), (messages, other, at) => {
        const index = at % messages.length;
        const changed = messages.with(index, other);
        const isSame = JSON.stringify(messages[index]) === JSON.stringify(other);
        if (!isSame) expect(conversationOf(changed).hash).not.toBe(conversationOf(messages).hash);
      }),
    );
  });

  test("the upper bound of tokens is at least the estimate where texts are words, and never above the bytes", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { max } = textTokens(text);
        expect(max).toBeLessThanOrEqual(textBytes(text));
      }),
    );
    const words = "The quick brown fox jumps over the lazy dog. ".repeat(20);
    expect(textTokens(words).max).toBeGreaterThanOrEqual(200);
    expect(textTokens(words).max).toBeLessThan(400);
    // Random letters and digits: nearly every second character is a token.
    expect(textTokens("c29tZSByYW5kb20gYnl0ZXMgaGVyZSwgYmFzZTY0").max).toBeGreaterThanOrEqual(30);
  });
});
