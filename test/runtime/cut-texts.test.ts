/** @module A reason that is cut stays a text: a label with signs beyond 16 bits does not break the request that names it. */
import { expect, test } from "vitest";
import { cutReason } from "../../actors/host/call-policy.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { cutAbout } from "../../runtime/people/view.ts";

test.each([
  ["a reason", cutReason, LIMITS.requestReasonCharsMax],
  ["a line about a request", cutAbout, LIMITS.requestAboutCharsMax],
] as const)("%s", (_what, cut, max) => {
  for (const before of ["", "a"]) {
    const text = cut(`${before}${"\u{1f600}".repeat(max)}`);
    expect(text.length).toBe(max);
    expect(text.isWellFormed()).toBe(true);
  }
});
