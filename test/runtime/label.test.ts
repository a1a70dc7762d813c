/** @module The names of origins: two principals are never one, no matter how their names are written. */
import { expect, test } from "vitest";
import { canonicalJson } from "../../runtime/canonical.ts";
import { asSeenBy, isUntrusted, Label, principalOrigin, signalOrigin } from "../../runtime/label.ts";

const long = "a".repeat(300);

test.each([
  ["subjects with the same long beginning", { tenant: "t", subject: `${long}1` }, { tenant: "t", subject: `${long}2` }],
  ["tenants with the same long beginning", { tenant: `${long}1`, subject: "s" }, { tenant: `${long}2`, subject: "s" }],
  ["a slash in the tenant or in the subject", { tenant: "t/u", subject: "s" }, { tenant: "t", subject: "u/s" }],
  ["a slash, and what stands for one", { tenant: "t/u", subject: "s" }, { tenant: "t%2Fu", subject: "s" }],
])("%s: what one principal wrote is a stranger's to the other", (_what, one, other) => {
  const label = Label.parse([principalOrigin(one)]);
  expect(isUntrusted(asSeenBy(label, one))).toBe(false);
  expect(isUntrusted(asSeenBy(label, other))).toBe(true);
});

test("the origin of a long name is text, at each place of the cut", () => {
  for (let length = 200; length < 240; length += 1) {
    const origin = signalOrigin(`${"a".repeat(length)}${"\u{1f600}".repeat(60)}`);
    expect(Label.parse([origin])).toEqual([origin]);
    expect(() => canonicalJson(origin)).not.toThrow();
  }
});
