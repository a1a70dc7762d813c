/** @module The version of a work item: by hash, by share, the same everywhere. */
import { describe, expect, it } from "vitest";
import type { AgentRelease } from "../../runtime/release.ts";
import { AgentRelease as Release } from "../../runtime/release.ts";
import { chooseRelease, releaseHash, shareOf } from "../../runtime/releases/choose.ts";

const CODE = { prompt: "v1", model: "fast" };
const IDS = Array.from({ length: 10_000 }, (_, index) => `task-${index}`);

function releaseOf(given: unknown): AgentRelease {
  return Release.parse(given);
}

function inForce(release: AgentRelease, canary = true): Parameters<typeof chooseRelease>[3] {
  return { release, hash: releaseHash("Refunds", release), canary };
}

const canaryAt = (share: number): AgentRelease =>
  releaseOf({ stable: { prompt: "v1" }, canary: { version: { prompt: "v2", model: "smart" }, share } });

describe("the version of a work item", () => {
  it("is the code's own without a release", () => {
    expect(chooseRelease("Refunds", "p", CODE, undefined)).toEqual({ prompt: "v1", model: "fast", part: "code" });
    expect(chooseRelease("Refunds", "p", { ...CODE, prompt: undefined }, undefined)).toEqual({ model: "fast", part: "code" });
  });

  it("is that of the release, whose omissions are the code's", () => {
    const release = releaseOf({ stable: { model: "smart" } });
    const of = releaseHash("Refunds", release);
    expect(chooseRelease("Refunds", "p", CODE, inForce(release))).toEqual({ prompt: "v1", model: "smart", part: "stable", of });
  });

  it("is stable for everyone while it is not known that the canary goes on", () => {
    const parts = new Set(IDS.map((id) => chooseRelease("Refunds", id, CODE, inForce(canaryAt(1), false)).part));
    expect([...parts]).toEqual(["stable"]);
  });

  it.each([0, 0.01, 0.1, 0.5, 0.9, 1])("follows a share of %d over 10,000 ids within four standard errors", (share) => {
    const count = IDS.filter((id) => chooseRelease("Refunds", id, CODE, inForce(canaryAt(share))).part === "canary").length;
    const error = Math.sqrt(IDS.length * share * (1 - share));
    expect(Math.abs(count - IDS.length * share)).toBeLessThanOrEqual(4 * error);
  });

  it("keeps the canary of a process when the share grows, and draws apart for another agent", () => {
    const small = IDS.filter((id) => shareOf("Refunds", id) < 0.1);
    const large = new Set(IDS.filter((id) => shareOf("Refunds", id) < 0.3));
    expect(small.every((id) => large.has(id))).toBe(true);
    const both = small.filter((id) => shareOf("Writer", id) < 0.1).length;
    expect(both).toBeLessThan(small.length / 4);
  });

  it("is the same for the same id, again and again", () => {
    const first = IDS.map((id) => chooseRelease("Refunds", id, CODE, inForce(canaryAt(0.1))).part);
    expect(IDS.map((id) => chooseRelease("Refunds", id, CODE, inForce(canaryAt(0.1))).part)).toEqual(first);
  });
});

describe("the name of a release", () => {
  it("is that of its content and its agent", () => {
    expect(releaseHash("Refunds", canaryAt(0.1))).toBe(releaseHash("Refunds", canaryAt(0.1)));
    expect(releaseHash("Refunds", canaryAt(0.1))).not.toBe(releaseHash("Refunds", canaryAt(0.2)));
    expect(releaseHash("Refunds", canaryAt(0.1))).not.toBe(releaseHash("Writer", canaryAt(0.1)));
  });
});
