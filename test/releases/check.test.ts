/** @module A content of releases is checked as a whole, and what is wrong is named. */
import { describe, expect, it } from "vitest";
import { checkReleases } from "../../runtime/releases/check.ts";

const KNOWN = {
  agents: new Map([
    ["Refunds", { prompts: ["v1", "v2"], code: { prompt: "v1", model: "fast" } }],
    ["Writer", { prompts: [], code: { prompt: undefined, model: "fast" } }],
  ]),
  remote: new Set(["Booker"]),
  hasModel: (name: string) => name === "fast" || name === "smart",
  models: ["fast", "smart"],
};

describe("a content of releases", () => {
  it("is used with its defaults", () => {
    const content = { Refunds: { canary: { version: { prompt: "v2" }, share: 0.1, stop: [{ of: "failed", above: 0.2 }] } } };
    expect(checkReleases(content, KNOWN)).toEqual({
      releases: {
        Refunds: {
          stable: {},
          canary: {
            version: { prompt: "v2" },
            share: 0.1,
            stop: [{ of: "failed", above: 0.2, than: "number", processesMin: 20 }],
            automatic: true,
          },
        },
      },
    });
  });

  it("may be empty, and may name agents of other apps", () => {
    expect(checkReleases(null, KNOWN)).toEqual({ releases: {} });
    expect(checkReleases({ Booker: { stable: { prompt: "any" } } }, KNOWN)).toHaveProperty("releases");
  });

  it.each<[why: string, content: unknown, problem: string]>([
    ["a list", [], "expected record"],
    ["an unknown key", { Refunds: { shares: 1 } }, 'Refunds: Unrecognized key: "shares"'],
    ["a share above 1", { Refunds: { canary: { version: { prompt: "v2" }, share: 10 } } }, "Refunds.canary.share: Too big"],
    [
      "an unknown count of a rule",
      { Refunds: { canary: { version: { prompt: "v2" }, share: 1, stop: [{ of: "tears", above: 1 }] } } },
      "Refunds.canary.stop.0.of",
    ],
    ["an unknown agent", { Refund: {} }, "Refund: the system has no agent of this name with a model; it has Refunds, Writer"],
    [
      "an unknown version",
      { Refunds: { stable: { prompt: "v3" } } },
      "Refunds.stable.prompt: the instructions have no version v3; they have v1, v2",
    ],
    [
      "a version of a prompt without versions",
      { Writer: { stable: { prompt: "v1" } } },
      "Writer.stable.prompt: the instructions have no version v1; they have none",
    ],
    [
      "an unknown model",
      { Refunds: { stable: { model: "slow" } } },
      "Refunds.stable.model: the system has no model slow; it has fast, smart",
    ],
    [
      "a canary that is the stable version",
      { Refunds: { stable: { model: "fast" }, canary: { version: { prompt: "v1" }, share: 0.1 } } },
      "Refunds.canary: its version is that of stable, so nothing could be compared",
    ],
  ])("is refused for %s, which is named", (_why, content, problem) => {
    const checked = checkReleases(content, KNOWN);
    expect("problems" in checked ? checked.problems.join("; ") : "used").toContain(problem);
  });

  it("is refused as a whole, with all that is wrong", () => {
    const checked = checkReleases({ Refund: {}, Refunds: { stable: { prompt: "v3", model: "slow" } } }, KNOWN);
    expect(checked).toHaveProperty("problems.length", 3);
  });
});
