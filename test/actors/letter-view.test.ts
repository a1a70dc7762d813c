/** @module The content of a dead letter: the complete original input, ready to be fixed and resubmitted. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { CALLER, World } from "./world-rig.ts";

const Page = z.strictObject({ text: z.string() });
const Reader = contract("Reader", 1, { input: Page, output: z.int() });
const reader = agent(Reader, {
  handle: ({ text }) => {
    if (text.startsWith("x")) throw new Fault("agent.refused", "it cannot be read");
    return text.length;
  },
});
const book = system("sys", {
  agents: [reader],
  routes: [
    route("read", 1, Page)
      .to("reader", Reader, ({ task }) => task)
      .output(({ reader: length }) => length),
  ],
});
const Shown = z.looseObject({ letter: z.looseObject({ original: z.looseObject({ input: Page }) }) });

test.each([
  ["small", 3],
  ["that lies beside its record", 8 * LIMITS.valueInlineBytesMax],
])("an input %s is shown as it was given, and fixed it is done again", async (_what, length) => {
  const world = new World();
  const one = world.join(book, "one");
  const { operations } = one;
  const text = "x".repeat(length);
  await operations.submit({ id: "p", route: "read", input: { text } }, CALLER, 0);
  await world.until(one, "p");
  await world.clock.advance(4 * LIMITS.askAgainMs);
  const { input } = Shown.parse(await operations.deadLetter("p:1")).letter.original;
  expect(input).toEqual({ text });
  expect(await operations.process("p")).toMatchObject({ outcome: { deadLetter: { original: { input: { text } } } } });
  await operations.redrive("p:1", { input: { text: input.text.replace("x", "y") } }, CALLER);
  expect(await world.until(one, "p")).toMatchObject({ status: "completed", output: length });
});
