/** @module Both ends of the tables of shapes: the scripted model sends each over HTTP, and the endpoint reads it as the table says. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import { type ScriptedModel, scriptedModel } from "../../testing/index.ts";
import type { ScriptContent } from "../../testing/scripted/script.ts";
import { SHAPE_NAMES } from "../../testing/scripted/shapes.ts";
import { expectNamedEnd, NAMED_ENDS } from "./named-shapes.ts";
import { scriptReply } from "./mangling.ts";
import { connectTo, replyTo } from "./provider.ts";
import { expectEnd, SHAPES } from "./shapes.ts";

type Rules = ScriptContent["rules"];

/** What only the timeout of an attempt ends is given this time. */
const HANG_MS = 200;
const KINDS = ["text", "calls"] as const;

const NAMED: Rules = KINDS.flatMap((kind) => [
  { when: { user: `/^valid ${kind}$/` }, reply: scriptReply(kind) },
  ...SHAPE_NAMES.map((shape) => ({ when: { user: `/^${shape} ${kind}$/` }, reply: { ...scriptReply(kind), shape } })),
]);
const RAW: Rules = SHAPES.map(({ sent: { status, headers, body, cut }, name }) => ({
  when: { user: `/^row ${SHAPES.findIndex((shape) => shape.name === name)}$/` },
  reply: { raw: { status, headers: { ...headers }, body, end: cut ? "cut" : "complete" } },
}));

let model: ScriptedModel;
beforeAll(async () => {
  model = await scriptedModel({ script: { rules: [...NAMED, ...RAW] } });
});
afterAll(() => model.stop());

describe.each(["streamed", "whole"] as const)("named shapes over HTTP, %s", (form) => {
  it.each(SHAPE_NAMES.flatMap((name) => KINDS.map((kind) => ({ name, kind }))))("$name: $kind", async ({ name, kind }) => {
    const provider = await connectTo(model.url, { stream: form === "streamed" });
    const valid = await replyTo(provider, `valid ${kind}`);
    if (valid instanceof Fault) throw valid;
    const got = await replyTo(provider, `${name} ${kind}`, name === "hang" ? { timeoutMs: HANG_MS } : {});
    expectNamedEnd(NAMED_ENDS[name][form], got, valid);
  });
});

describe("the table of answers over HTTP", () => {
  it.each(SHAPES.map((shape, index) => ({ shape, index, title: shape.name })))("$title", async ({ shape, index }) => {
    const provider = await connectTo(model.url, { stream: shape.streamed });
    expectEnd(shape, await replyTo(provider, `row ${index}`));
  });
});

it("a request that no rule matches is refused as the provider's own fault, and not tried again", async () => {
  const got = await replyTo(await connectTo(model.url), "sing");
  expect(got).toMatchObject({ code: "model.rejected", message: expect.stringContaining('whose last message (user) is "sing"') });
});

it("pieces of a streamed reply arrive while it is received", async () => {
  const provider = await connectTo(model.url);
  const texts: string[] = [];
  const got = await replyTo(provider, "slow-drip text", { onDelta: ({ text }) => texts.push(text ?? "") });
  expect(texts.length).toBeGreaterThan(3);
  expect(got).toMatchObject({ text: texts.join("") });
});
