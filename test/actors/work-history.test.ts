/** @module What the journals know of a process: its whole history over runs, and what the handlers of its work items recorded. */
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, route, system } from "../../agents/index.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { HistoryPage, ProcessView, StopsView } from "../../runtime/process-view.ts";
import { TimelineView } from "../../runtime/timeline.ts";
import { startReal, type RealRig } from "./http/real-rig.ts";

const Text = z.object({ text: z.string() });
const Writer = contract("Writer", 1, { input: Text, output: Text });
const Critic = contract("Critic", 1, { input: Text, output: Text });
let fails = 0;
let gate = Promise.withResolvers<void>();

const writer = agent(Writer, {
  asks: [Critic],
  handle: async ({ text }, ctx) => {
    const draft = await ctx.step("draft", () => {
      if ((fails -= 1) >= 0) throw new Fault("agent.failed", "no idea yet");
      return text.toUpperCase();
    });
    const { text: better } = await ctx.ask(Critic, { text: draft });
    return { text: better };
  },
});
const critic = agent(Critic, {
  handle: async ({ text }) => {
    await gate.promise;
    return { text: `${text}!` };
  },
});
const write = route("write", 1, Text)
  .to("page", Writer, ({ task }) => task, { retry: { backoffMs: 1, backoffMsMax: 1 } })
  .output(({ page }) => page);
const Items = z.object({ texts: z.array(z.string()) });
const many = route("many", 1, Items)
  .forEach(
    "pages",
    ({ task }) => task.texts,
    (stop) => stop(Critic, ({ item }) => ({ text: item })),
  )
  .output(({ pages }) => pages);
const press = system("press", { agents: [writer, critic], routes: [write, many] });

let rig: RealRig;
afterEach(async () => {
  gate.resolve();
  await rig.stop();
  gate = Promise.withResolvers();
});

async function get<T>(schema: z.ZodType<T>, path: string): Promise<T> {
  return schema.parse((await rig.call("GET", path)).json);
}

describe("a process whose handler waits for another agent", () => {
  test("shows what is open, what it waits for, and what was recorded", async () => {
    rig = await startReal({}, press);
    fails = 1;
    await rig.call("POST", "/tasks", { id: "one", route: "write", input: { text: "hello" } });
    const open = async (): Promise<StopsView["stops"]> => (await get(StopsView, "/processes/one/stops")).stops;
    await expect
      .poll(async () => (await open()).map(({ agent: name, state }) => [name, state]))
      .toEqual([
        ["Writer", "waiting"],
        ["Critic", "running"],
      ]);
    const [page] = await open();
    expect(page).toMatchObject({
      attempts: 2,
      calls: [{ kind: "step", name: "draft", state: "ended", attempt: 2, failures: 1 }],
    });
    expect(page?.calls?.[0]).not.toHaveProperty("code");
    const view = await get(ProcessView, "/processes/one");
    expect(view).toMatchObject({ phase: "open", stop: "page", by: "anonymous" });
    expect(view.works.find(({ kind }) => kind === "do")).toMatchObject({
      agent: "Writer",
      state: "waiting",
      waits: [{ index: 0, kind: "agent", name: "Critic" }],
    });
    gate.resolve();
    const outcome = await rig.call("POST", "/tasks?waitMs=10000", { id: "one", route: "write", input: { text: "hello" } });
    expect(outcome.json).toMatchObject({ status: "completed", output: { text: "HELLO!" } });
    expect((await get(ProcessView, "/processes/one")).works).toEqual([]);
    expect((await open()).every(({ state, dueAtMs }) => state === "answered" && dueAtMs === undefined)).toBe(true);
  });
});

test("the whole history has the lines that the process itself no longer keeps, with the same numbers", async () => {
  rig = await startReal({}, press);
  gate.resolve();
  const texts = Array.from({ length: LIMITS.historyMax }, (_, index) => `t${index}`);
  await rig.call("POST", "/tasks?waitMs=20000", { id: "long", route: "many", input: { texts } });
  const view = await get(ProcessView, "/processes/long");
  const lines: HistoryPage["lines"] = [];
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: HistoryPage = await get(HistoryPage, `/processes/long/history?limit=50&from=${from}`);
    lines.push(...page.lines);
    from = page.next;
  }
  expect(lines).toHaveLength(2 * LIMITS.historyMax);
  expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => index));
  expect(view.historyFrom).toBe(LIMITS.historyMax);
  expect(lines.slice(view.historyFrom).map(({ line: _line, run: _run, ...rest }) => rest)).toEqual(view.history);
});

test("the timeline of a run with more records than are read begins with the first of those, and says so", async () => {
  rig = await startReal({}, press);
  gate.resolve();
  const texts = Array.from({ length: LIMITS.stopsRecordsMax + 200 }, (_, index) => String(index));
  expect((await rig.call("POST", "/tasks?waitMs=60000", { id: "long", route: "many", input: { texts } })).status).toBe(200);
  const { sequence, acceptedAtMs, outcome } = await get(ProcessView, "/processes/long");
  expect(sequence).toBeGreaterThan(LIMITS.stopsRecordsMax);
  const { run, begunBefore, beginMs, endMs, bars, left = 0 } = await get(TimelineView, "/processes/long/timeline");
  expect([run, begunBefore, endMs]).toEqual([1, true, outcome?.atMs]);
  expect(beginMs).toBeGreaterThan(acceptedAtMs);
  expect(bars.every((bar) => bar.beginMs >= acceptedAtMs)).toBe(true);
  expect(bars.filter(({ kind }) => kind === "work").length + left).toBeGreaterThan(LIMITS.timelineBarsMax);
});
