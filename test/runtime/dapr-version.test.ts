/** @module Which Dapr versions are accepted, and what is said of the others. */
import { describe, expect, test } from "vitest";
import { daprVersionCheck, judgeDapr } from "../../runtime/dapr-version.ts";

describe("the version of Dapr", () => {
  test.each(["1.18.0", "1.18.2", "1.19.1", "1.19.0-rc.2"])("%s is supported under each check", (version) => {
    expect(judgeDapr(version)).toEqual({ kind: "supported" });
    expect(judgeDapr(version, "strict")).toEqual({ kind: "supported" });
    expect(judgeDapr(version, "any")).toEqual({ kind: "supported" });
  });

  test.each([
    ["1.17.4", "it is older than 1.18"],
    ["1.2.0", "it is older than 1.18"],
    ["edge", "it cannot be read as a version 1.x"],
    ["2.0.1", "it cannot be read as a version 1.x"],
    ["", "it cannot be read as a version 1.x"],
    ["1.19", "it cannot be read as a version 1.x"],
    ["unknown", "it cannot be read as a version 1.x"],
  ])("%s is refused with the reason and the way around it", (version, why) => {
    for (const check of ["newer", "strict"] as const) {
      const verdict = judgeDapr(version, check);
      expect(verdict).toMatchObject({ kind: "refused" });
      expect("why" in verdict && verdict.why).toContain(why);
      expect("why" in verdict && verdict.why).toContain("TROUPE_DAPR_VERSION=any");
    }
    expect(judgeDapr(version, "any").kind).toBe("untested");
  });

  test("1.20.0 is taken with a warning; refused where the check is strict", () => {
    expect(judgeDapr("1.20.0").kind).toBe("untested");
    expect(judgeDapr("1.20.0", "strict").kind).toBe("refused");
  });

  test("the variable has three words, and nothing else passes for one", () => {
    expect(daprVersionCheck(undefined)).toBe("newer");
    expect(daprVersionCheck("")).toBe("newer");
    expect(daprVersionCheck("strict")).toBe("strict");
    expect(() => daprVersionCheck("yes")).toThrow(expect.objectContaining({ code: "dapr.version" }));
  });
});
