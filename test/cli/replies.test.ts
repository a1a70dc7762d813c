/** @module Pieces of replies on a terminal: behind the step in which their agent was asked, never long, and behind a margin. */
import { expect, test } from "vitest";
import type { FollowedDelta } from "../../client/index.ts";
import { ReplyText } from "../../cli/text/replies.ts";

const NOW_MS = 1_795_000_000_000;

function terminal() {
  const clock = { nowMs: NOW_MS };
  const printed: string[] = [];
  return {
    clock,
    printed,
    text: () => printed.join(""),
    replies: new ReplyText(
      (part) => printed.push(part),
      () => clock.nowMs,
    ),
  };
}

const piece = (agent: string, text: string): FollowedDelta => ({
  ...{ id: "1", stop: "trip", agent, work: `w-${agent}`, call: "c", model: "m", text },
});

test("a piece that comes before its step waits for it, and for no other agent's", () => {
  const { replies, text } = terminal();
  replies.piece(piece("Snark", "Nice."));
  expect(text()).toBe("");
  replies.told({ stop: "trip", agent: "Planner" });
  expect(text()).toBe("");
  replies.told({ stop: "trip", agent: "Snark" });
  expect(text()).toMatch(/Snark +> Nice\.$/);
  replies.piece(piece("Snark", " Very."));
  expect(text()).toMatch(/> Nice\. Very\.$/);
});

test("a piece whose step does not come is printed with the next one after a second", () => {
  const { clock, replies, text } = terminal();
  replies.piece(piece("Snark", "Ni"));
  clock.nowMs += 1_000;
  replies.piece(piece("Snark", "ce."));
  expect(text()).toMatch(/> Nice\.$/);
});

test("what still waits at the end is printed", () => {
  const { replies, text } = terminal();
  replies.piece(piece("Snark", "Nice."));
  replies.end();
  expect(text()).toMatch(/> Nice\.\n$/);
});
