/** @module The corpus: texts of strangers by every channel, to a model that does all that it reads. */
import { expect, test } from "vitest";
import { CHANNELS, corpus } from "./cases.ts";
import { runCases } from "./run.ts";

const cases = corpus();

test.each(CHANNELS)("without labels a text does what it wants through the channel %s", async (channel) => {
  const ended = await runCases(
    cases.filter((one) => one.channel === channel),
    "attack",
    false,
  );
  expect(ended.map(({ given, status }) => [given.id, status])).toEqual(ended.map(({ given }) => [given.id, "completed"]));
  expect(ended.filter(({ forbidden }) => forbidden.length === 0).map(({ given }) => given.id)).toEqual([]);
});
