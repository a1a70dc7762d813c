/** @module The project passes its own checks. */
import { describe, expect, test } from "vitest";
import { type CheckName, CHECKS } from "./checks.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { type Finding, line, readProject } from "./project.ts";

const project = readProject();

/** The findings that are not accepted, and the accepted ones that no longer exist. */
/** Each check reads the whole project, and the first that asks for types builds them all: also on a busy machine. */
const CHECK_MS = 120_000;

function remaining(check: CheckName, found: readonly Finding[]): readonly string[] {
  const exceptions = EXCEPTIONS.filter((exception) => exception.check === check);
  const left = found.filter(({ path }) => !exceptions.some((exception) => exception.path === path)).map(line);
  for (const { path, findings } of exceptions) {
    const here = found.filter((finding) => finding.path === path);
    if (here.length > findings) left.push(`${path}: ${here.length} findings, accepted are ${findings}:`, ...here.map(line));
    if (here.length < findings)
      left.push(`${path}: ${here.length} findings, accepted are ${findings}: lower the number in test/tidy/exceptions.ts`);
  }
  return left;
}

describe("the project", () => {
  test("is read completely", () => {
    for (const folder of ["runtime/", "agents/", "actors/", "cli/", "test/"])
      expect([...project.sources.keys()].filter((path) => path.startsWith(folder)).length).toBeGreaterThan(5);
  });

  test.each(Object.entries(CHECKS))("%s", { timeout: CHECK_MS }, (name, check) => {
    expect(remaining(name as CheckName, check(project))).toEqual([]);
  });
});

test("an exception names one check and file once, with a reason and a number of findings", () => {
  const keys = EXCEPTIONS.map(({ check, path }) => `${check} ${path}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { reason, findings } of EXCEPTIONS) expect([reason.length > 10, findings > 0]).toEqual([true, true]);
});
