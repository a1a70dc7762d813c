/** @module The models of a system, endpoints, and what of them is refused at definition. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  agent,
  configuration,
  contract,
  endpoint,
  model,
  openai,
  PRICES,
  route,
  secret,
  system,
  type SystemOptions,
} from "../../agents/index.ts";
import { priceIn } from "../../agents/model/prices.ts";
import { refusal } from "./refusal.ts";

const Words = z.strictObject({ text: z.string() });
const Writer = contract("Writer", 1, { input: Words, output: Words });
const write = route("write", 1, Words)
  .to("text", Writer, ({ task }) => task)
  .output(({ text }) => text);
const writer = (name?: string): SystemOptions["agents"][number] =>
  agent(Writer, model({ instructions: "Write.", ...(name === undefined ? {} : { model: name }) }));
const desk = (models: SystemOptions["models"], name?: string): unknown =>
  system("desk", { agents: [writer(name)], routes: [write], ...(models && { models }) });

const fast = openai({ model: "gpt-5-mini" });

describe("the models of a system", () => {
  it("are endpoints by name, one or several", () => {
    const second = openai({ model: "gpt-5-mini", baseUrl: "http://localhost:11434/v1" });
    const made = system("desk", { agents: [writer("careful")], routes: [write], models: { fast, careful: [fast, second] } });
    expect([...made.models].map(([name, all]) => [name, all.map((one) => one.name)])).toEqual([
      ["fast", ["gpt-5-mini"]],
      ["careful", ["gpt-5-mini", "gpt-5-mini@localhost:11434"]],
    ]);
  });

  it("may be one that no agent names, or one named default", () => {
    expect(() => desk({ any: fast })).not.toThrow();
    expect(() => desk({ default: fast, other: openai({ model: "o3" }) })).not.toThrow();
  });

  it.each<readonly [string, SystemOptions["models"], string | undefined, string]>([
    [
      "none at all",
      undefined,
      "fast",
      'agent "Writer" uses model "fast", but the system has no models; give it models: { fast: openai({ model }) }',
    ],
    ["another one", { slow: fast }, "fast", 'agent "Writer" uses model "fast", but the system has only "slow"'],
    ["two, and none named", { slow: fast, fast }, undefined, 'agent "Writer" uses model "default", but the system has only "slow", "fast"'],
    ["one without endpoints", { fast: [] }, "fast", "it has 0 endpoints, but must have 1 to 64"],
    ["one with an endpoint twice", { fast: [fast, fast] }, "fast", "it has an endpoint twice"],
    ["two endpoints of one name", { fast: [fast, openai({ model: "gpt-5-mini" })] }, "fast", 'there are two endpoints named "gpt-5-mini"'],
    ["a name with a space", { "so fast": fast }, undefined, "a name must have 1 to 64 characters"],
    [
      "no endpoint",
      { fast: "gpt-5-mini" as unknown as typeof fast },
      "fast",
      "one of its endpoints is not an endpoint; make one with openai({ model })",
    ],
  ])("are refused: %s", (_name, models, used, text) => {
    const [code, message] = refusal(() => desk(models, used));
    expect(code).toBe("definition.invalid");
    expect(message).toContain(text);
  });
});

describe("openai", () => {
  it.each<readonly [string, () => unknown, string]>([
    ["an unknown option", () => openai({ model: "m", modle: "m" } as unknown as { model: string }), 'unknown option "modle"'],
    ["no model", () => openai({} as unknown as { model: string }), "model must be a text"],
    ["an address that is none", () => openai({ model: "m", baseUrl: "localhost:11434" }), "baseUrl must be an address"],
    ["an unknown form", () => openai({ model: "m", answers: "xml" as unknown as "text" }), "answers must be one of schema, object, text"],
    ["a negative weight", () => openai({ model: "m", weight: -1 }), "weight is -1"],
    ["no slot", () => openai({ model: "m", concurrency: 0 }), "concurrency is 0"],
    ["a price that is none", () => openai({ model: "m", price: { inputPerMillion: -1, outputPerMillion: 1 } }), "price.inputPerMillion"],
    ["a key that is a number", () => openai({ model: "m", apiKey: 7 as unknown as string }), "apiKey must be"],
    ["a secret without a name", () => secret("vault", ""), "name must be a text"],
    ["a configured weight out of bounds", () => openai({ model: "m", weight: configuration("settings", "w", -1) }), "weight is -1"],
  ])("refuses %s", (_name, make, text) => {
    const [code, message] = refusal(make);
    expect(code).toBe("definition.invalid");
    expect(message).toContain(text);
  });

  it("has defaults, and takes configured settings with a value until the store answers", () => {
    expect(fast).toMatchObject({ name: "gpt-5-mini", provider: "openai", weight: 1, timeoutMs: 120_000, concurrency: 64, configured: {} });
    const model = configuration("settings", "model", "gpt-5");
    expect(openai({ model })).toMatchObject({ model: "gpt-5", name: "gpt-5", configured: { model } });
  });
});

describe("prices", () => {
  it("are those of a dated table, also for dated versions of a model", () => {
    expect(PRICES.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(fast.price("gpt-5-mini")).toEqual({ inputPerMillion: 0.25, outputPerMillion: 2 });
    expect(priceIn(PRICES, "gpt-5-mini-2025-08-07")).toEqual(priceIn(PRICES, "gpt-5-mini"));
  });

  it("are unknown for models that are not listed, and at other providers", () => {
    expect(fast.price("gpt-99")).toBeUndefined();
    expect(fast.price("toString")).toBeUndefined();
    expect(openai({ model: "gpt-5-mini", baseUrl: "http://localhost:1/v1" }).price("gpt-5-mini")).toBeUndefined();
  });

  it("can be given for one endpoint, or as a table", () => {
    const price = { inputPerMillion: 1, outputPerMillion: 2 };
    expect(openai({ model: "m", price }).price("m")).toEqual(price);
    const prices = { asOf: "2026-11-27", source: "the contract", models: { m: price } };
    expect(openai({ model: "m", baseUrl: "http://localhost:1/v1", prices }).price("m")).toEqual(price);
    expect(
      endpoint({ name: "e", model: "m", provider: "p", connect: () => ({ chat: () => Promise.reject(new Error("no")) }) }).price("m"),
    ).toBeUndefined();
  });
});
