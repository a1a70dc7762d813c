/** @module What the command reads and prints, without Dapr: run files, tasks, steps and outcomes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { HistoryLine } from "../../client/index.ts";
import type { Bar } from "../../runtime/timeline.ts";
import { timelineText } from "../../cli/text/timeline.ts";
import { outcomeText, stepText, succeeded } from "../../cli/text/progress.ts";
import { runPlan } from "../../cli/run/run-file.ts";
import { makeStateFolder } from "../../cli/run/state-folder.ts";
import { taskInput } from "../../cli/commands/demo.ts";

const line = (atMs: number, what = "asked"): HistoryLine => ({ atMs, what, stop: "plan", agent: "PlannerAgent", attempt: 1 });

describe("steps", () => {
  test("a step tells when, where, who and what, with attempt and code", () => {
    expect(stepText({ ...line(1_250, "attempt failed"), attempt: 2, code: "agent.failed" }, 1_000)).toBe(
      "    0.250  plan      PlannerAgent  attempt failed, attempt 2 (agent.failed)",
    );
  });

  test("an outcome ends with its status; a fault comes with what to do", () => {
    expect(outcomeText({ status: "completed", atMs: 1_500, output: { city: "Vienna" } }, 1_000, "t")).toBe(
      "  city: Vienna\n\ncompleted in 0.500 s",
    );
    const failed = outcomeText({ status: "failed", atMs: 1_500, fault: { code: "agent.refused", message: "no" } }, 1_000, "abc");
    expect(failed).toMatch(/^agent\.refused: no\nWhat to do: .+\nA dead letter .+\n.+ shows it\.\nTrace: abc\n\nfailed in 0\.500 s$/);
    expect(outcomeText({ status: "completed", atMs: 61_000 }, 1_000, "t", 2)).toBe("completed in run 2, 60.000 s after it was accepted");
    expect([succeeded({ status: "partial", atMs: 0 }), succeeded({ status: "expired", atMs: 0 })]).toEqual([true, false]);
  });
});

describe("a timeline", () => {
  const bar = (more: Partial<Bar>): Bar => ({
    id: "w",
    kind: "work",
    name: "Planner",
    stop: "plan",
    beginMs: 1_000,
    state: "open",
    ...more,
  });
  const view = { id: "p", run: 1, beginMs: 1_000, bars: [] };

  test("draws each bar to one scale, those that go on to the present", () => {
    const queue = bar({ id: "q", in: "w", kind: "queue", name: "queue", endMs: 3_000, state: "ended" });
    const [, work, queued] = timelineText({ ...view, bars: [bar({}), queue] }, 5_000).split("\n");
    expect(work).toMatch(/^plan +work Planner +4\.000\+ +={36}$/);
    expect(queued).toMatch(/^plan +queue queue +2\.000 +\.{18}$/);
  });

  test("says what of it is not shown", () => {
    const text = timelineText({ ...view, endMs: 2_000, fromMs: 1_500, left: 3, bars: [bar({ endMs: 2_000 })] }, 9_000);
    expect(text).toContain("3 older ones are not shown.");
    expect(text).toContain("What began before 1970-01-01T00:00:01.500Z is not shown");
    expect(timelineText(view, 9_000)).not.toContain("not shown");
  });
});

describe("a task", () => {
  test("is a wish in plain words, or JSON, or the default", () => {
    expect(taskInput("music and cake")).toEqual({ wish: "music and cake", days: 4, budget: 900 });
    expect(taskInput(' {"wish":"x","days":3,"budget":1} ')).toEqual({ wish: "x", days: 3, budget: 1 });
    expect(taskInput(undefined)).toMatchObject({ days: 4 });
    expect(() => taskInput('{"wish"')).toThrow(expect.objectContaining({ code: "USAGE" }));
  });
});

test("a state folder that cannot be one is refused, with what to do", () => {
  const file = fileURLToPath(import.meta.url);
  for (const dir of [file, join(file, "below")])
    expect(() => makeStateFolder(dir)).toThrow(expect.objectContaining({ code: "STATE_FOLDER", fix: expect.stringContaining("--state") }));
});

describe("a run file", () => {
  const app = { appID: "a", appDirPath: "one", appPort: 3_000, command: ["node", "x.ts"] };
  const plan = (apps: readonly object[], common: object = { resourcesPaths: ["components"] }): ReturnType<typeof runPlan> =>
    runPlan({ version: 1, common, apps }, "dapr.yaml", "/base");

  test("paths of common count from the file, those of an app from its folder; env is merged", () => {
    const { apps } = plan([{ ...app, resourcesPaths: ["own"], configFilePath: "c.yaml", env: { A: 1, B: true } }], {
      resourcesPath: "shared",
      env: { A: "0", C: "x" },
    });
    expect(apps[0]).toMatchObject({
      dir: "/base/one",
      resourcesPaths: ["/base/one/own", "/base/shared"],
      configFile: "/base/one/c.yaml",
      env: { A: "1", B: "true", C: "x" },
    });
  });

  test("unused keys are named at every level", () => {
    const { warnings } = runPlan(
      {
        version: 1,
        odd: 1,
        common: { resourcesPaths: ["r"], appSSL: false },
        apps: [{ ...app, metricsPort: 9_090, enableAppHealthCheck: true }],
      },
      "dapr.yaml",
      "/base",
    );
    expect(warnings).toEqual([
      "dapr.yaml: odd is not used here",
      "dapr.yaml: common.appSSL is not used here",
      "dapr.yaml: apps.0.metricsPort is not used here",
    ]);
  });

  test.each([
    ["another version", { version: 2, apps: [app] }, "version"],
    ["no apps", { version: 1, apps: [] }, "apps"],
    ["no port", { version: 1, common: { resourcesPaths: ["r"] }, apps: [{ ...app, appPort: undefined }] }, "apps.0.appPort"],
    [
      "grpc",
      { version: 1, common: { resourcesPaths: ["r"] }, apps: [{ ...app, appProtocol: "grpc" }] },
      "apps.0.appProtocol: only http is supported",
    ],
    ["one id twice", { version: 1, common: { resourcesPaths: ["r"] }, apps: [app, { ...app, appPort: 1 }] }, "two apps with the id a"],
    ["one port twice", { version: 1, common: { resourcesPaths: ["r"] }, apps: [app, { ...app, appID: "b" }] }, "two apps on port 3000"],
    ["no resources", { version: 1, apps: [app] }, "has no resourcesPaths"],
  ])("%s is refused with its place", (_name, content, message) => {
    expect(() => runPlan(content, "dapr.yaml", "/base")).toThrow(
      expect.objectContaining({ code: "RUN_FILE", message: expect.stringContaining(message) }),
    );
  });

  test("the project's own dapr.yaml is used whole", async () => {
    const { apps, warnings } = runPlan(parse(await readFile(new URL("../../dapr.yaml", import.meta.url), "utf8")), "dapr.yaml", "/base");
    expect(warnings).toEqual([]);
    expect(apps).toMatchObject([
      {
        appId: "party",
        dir: "/base",
        appPort: 3_100,
        httpPort: 3_500,
        resourcesPaths: ["/base/components/redis"],
        configFile: "/base/components/configuration.yaml",
      },
    ]);
  });
});
