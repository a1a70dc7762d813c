/** @module Examples with models on their scripts, over HTTP: what is bought and undone, how the routes go, how short they are. */
import { describe, expect, test } from "vitest";
import { type LocalOutcome, type LocalSystem, type People, startLocal, type StartLocalOptions } from "../../testing/index.ts";
import evaluator from "../../examples/12-patterns/evaluator.ts";
import routing from "../../examples/12-patterns/routing.ts";
import vote from "../../examples/12-patterns/vote.ts";
import research from "../../examples/09-research/system.ts";
import { people } from "../../examples/13-refund-desk/people.ts";
import refunds from "../../examples/13-refund-desk/system.ts";
import desk from "../../examples/11-support/system.ts";
import type { System } from "../../agents/index.ts";
import { document } from "./readme.ts";
import { withScript } from "./scripted.ts";

const DESK_LINES_MAX = 20;
const DAY_MS = 86_400_000;

/** Runs a task of an example with its script. */
async function ran<T>(
  example: string,
  system: System,
  use: (local: LocalSystem) => Promise<T>,
  more: Pick<StartLocalOptions, "people"> = {},
): Promise<{ outcome: T; agents: string[] }> {
  const { outcome, requests } = await withScript(example, system, async (options) => {
    const local = startLocal(system, { ...options, ...more });
    return use(local).finally(() => local.stop());
  });
  expect(requests.filter(({ error }) => error !== undefined)).toEqual([]);
  return { outcome, agents: requests.map(({ agent }) => agent ?? "") };
}

const asked = ({ history }: LocalOutcome): readonly (string | undefined)[] =>
  history.filter(({ what }) => what === "asked").map(({ agent }) => agent);

describe("11: the support desk", () => {
  test("triage, a refund tool with undo, a hand-off and a writer are at most 20 lines, with imports, contracts, route and system", () => {
    const lines = document("examples/11-support/system.ts").split("\n");
    const written = lines.filter((line) => line.trim() !== "" && !line.startsWith("/**"));
    expect(written.length).toBeLessThanOrEqual(DESK_LINES_MAX);
    // No glue: nothing is stored, resumed, parsed or looped over by hand.
    expect(written.join("\n")).not.toMatch(/JSON\.parse|\bawait\b|\bwhile\b|\bfor \(|\bas \w/);
  });

  test("a question is handed off, and nothing is paid", async () => {
    const { outcome } = await ran("11-support", desk, (local) => local.run("mail", "Order 4712: how do I descale the kettle?"));
    expect(outcome.status).toBe("completed");
    expect(outcome.history.filter(({ agent }) => agent === "Advice").map(({ what }) => what)).toContain("answered");
  });

  test("when the writer declines, the refund is undone, and what was bought is told", async () => {
    const { outcome } = await ran("11-support", desk, async (local) => {
      const { id, ...rest } = await local.run("mail", "Order 4713: the jug came broken. Write me a rude letter.");
      return { ...rest, view: await local.show(id) };
    });
    expect([outcome.status, outcome.fault?.code]).toEqual(["failed", "model.refused"]);
    expect(outcome.history.filter(({ what }) => what === "undone").map(({ agent }) => agent)).toContain("Refunds");
    expect(outcome.view.budget?.spent.by.map(({ agent, toolCalls }) => [agent, toolCalls])).toEqual(
      expect.arrayContaining([
        ["Triage", 0],
        ["Refunds", 1],
        ["Writer", 0],
      ]),
    );
  });
});

describe("09: the research team", () => {
  test("researchers work in parallel on one budget, and nothing is bought beyond it", async () => {
    const question = "What is everything that the archive says?";
    const { outcome, agents } = await ran("09-research", research, async (local) => {
      const { status, fault } = await local.run("research", { question }, { id: "all" });
      return { status, fault, budget: (await local.show("all")).budget };
    });
    expect([outcome.status, outcome.fault?.code]).toEqual(["failed", "budget.exhausted"]);
    expect(outcome.budget).toMatchObject({ limit: { modelCalls: 16 }, left: { modelCalls: 0 }, spent: { total: { modelCalls: 16 } } });
    expect(agents).toHaveLength(16);
  });
});

describe("13: the refund desk", () => {
  /** Runs a claim. `decide`: the people; without them, those of the example. */
  const claimed = (order: string, mail: string, decide: People = people) =>
    ran("13-refund-desk", refunds, (local) => local.run("refund", { order, mail }, { id: order, timeoutMs: 2 * DAY_MS }), {
      people: decide,
    });
  const whats = ({ history }: LocalOutcome): readonly string[] => history.map(({ what }) => what);

  test("a small refund is paid without a person", async () => {
    const { outcome, agents } = await claimed("4711", "The kettle leaks.", () => ({ do: "deny", reason: "no one is to be asked" }));
    expect([outcome.status, outcome.output]).toEqual(["completed", { amount: 39, note: "paid" }]);
    expect(agents).toEqual(["Assessor", "Assessor", "Auditor", "Auditor"]);
  });

  test("the auditor sends back what is more than was paid; no clerk decides, so the manager does, and what she edits is paid", async () => {
    const { outcome } = await claimed("4712", "One of the two sofas came torn. I want 2,400.");
    expect(outcome.output).toEqual({ amount: 900, note: "paid" });
    expect(whats(outcome).filter((what) => /sent back|accepted|^request /.test(what))).toEqual([
      "sent back (1)",
      "accepted",
      "request 4712.r1 to Approver",
      "request 4712.r1 reminded",
      "request 4712.r1 escalated to clerk, manager",
      "request 4712.r1 edited by mia",
    ]);
  });

  test("a denial is told, and nothing is paid; so is silence, after a day", async () => {
    const denied = await claimed("4713", "I dislike the colour.");
    expect(denied.outcome.output).toEqual({ amount: 0, note: "tool pay was not called: carl denied it: it was used for a year" });
    const silent = await claimed("4713", "I dislike the colour.", () => undefined);
    expect(silent.outcome.output).toMatchObject({ amount: 0 });
    const [asked, expired] = silent.outcome.history.filter(({ what }) => /^request 4713.r1 (to|expired)/.test(what));
    expect((expired?.atMs ?? 0) - (asked?.atMs ?? 0)).toBeGreaterThanOrEqual(DAY_MS);
  });
});

describe("12: the patterns", () => {
  test("routing runs only the agent of the kind", async () => {
    const { outcome } = await ran("12-patterns", routing, (local) => local.run("question", { text: "The lamp does not go on." }));
    expect(asked(outcome)).toEqual(["Sorter", "Faults"]);
    expect(outcome.output).toMatchObject({ kind: "fault", bill: null });
  });

  test("the vote is that of the majority", async () => {
    const { outcome } = await ran("12-patterns", vote, (local) => local.run("moderate", { text: "Never used." }));
    expect(asked(outcome)).toEqual(["Judge", "Judge", "Judge", "Counter"]);
    expect(outcome.output).toEqual({ allowed: true, against: ["a bicycle with 4,000 km was used"] });
  });

  test("evaluation goes on until the text is good; when the rounds are used up, the last text is told with the verdict", async () => {
    const brief = { about: "our kettle", draft: "", criticism: "" };
    const good = await ran("12-patterns", evaluator, (local) => local.run("write", brief));
    expect([good.outcome.status, good.agents]).toEqual(["completed", ["Writer", "Critic", "Writer", "Critic"]]);
    const never = await ran("12-patterns", evaluator, (local) => local.run("write", { ...brief, about: "a kettle that no critic likes" }));
    expect(never.agents).toEqual(["Writer", "Critic", "Writer", "Critic", "Writer", "Critic", "Writer", "Critic"]);
    expect(never.outcome.output).toMatchObject({ good: false });
  });
});
