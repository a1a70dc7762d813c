/** @module The option `memory`: what is a definition error, and what it means where it says nothing. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, type MemoryOptions, model, tool } from "../../agents/index.ts";

const Keyed = contract("Keyed", 1, { input: z.object({ who: z.string() }), output: z.string(), key: ({ who }) => who });
const Plain = contract("Plain", 1, { input: z.object({ who: z.string() }), output: z.string() });
const handle = (): string => "done";

test.each<[string, MemoryOptions, string]>([
  ["nothing", {}, "it is empty"],
  ["an unknown option", { facts: { scope: "key", forever: true } } as never, 'unknown option "forever"'],
  ["an unknown scope", { facts: { scope: "team" } } as never, "the scope of facts must be one of agent, key, principal"],
  ["a key without a key", { facts: { scope: "key" } }, 'the scope "key" needs a contract with a key'],
  ["a rule that reads what a fact does not have", { facts: { scope: "agent", promote: 'fact.colour == "red"' } }, "facts.promote"],
  ["a conversation without a model", { conversation: { tokensMax: 100 } }, "a conversation is kept for models only"],
  ["a source that is none", { sources: ["handbook"] } as never, "sources must be a list of sources"],
])("%s is refused", (_name, memory, text) => {
  expect(() => agent(Plain, { handle, memory })).toThrow(text);
});

test("a conversation has a bound of tokens", () => {
  const memory = { conversation: { tokensMax: 0 } };
  expect(() => agent(Keyed, model({ instructions: "x", memory }))).toThrow("tokensMax is 0, but must be an integer from 1");
});

test("the scope of a conversation alone is the key of the contract, and the principal where it has none", () => {
  const memory = { conversation: { tokensMax: 100 } };
  expect(agent(Keyed, model({ instructions: "x", memory })).memory).toMatchObject({ scope: "key", hasFacts: false, tokensMax: 100 });
  expect(agent(Plain, model({ instructions: "x", memory })).memory).toMatchObject({ scope: "principal" });
  expect(agent(Plain, { handle }).memory).toBeUndefined();
});

test("a tool may not take the name of a function of the memory", () => {
  const memory = { facts: { scope: "key" as const } };
  const remember = tool("remember", { input: z.object({}), output: z.string(), effect: "write", run: () => "" });
  expect(() => agent(Keyed, model({ instructions: "x", memory, tools: [remember] }))).toThrow(
    'two functions of the model have the name "remember"',
  );
});
