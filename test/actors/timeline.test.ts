/** @module The timeline of a process of a running system: queue, code and waits from the journals of agents, and trimmed journals. */
import { expect, test } from "vitest";
import { keys } from "../../actors/engine/journal.ts";
import { type HeadStone, RECORD_VERSION } from "../../runtime/record.ts";
import type { Bar } from "../../runtime/timeline.ts";
import { flush } from "./engine-rig.ts";
import { type Member, submit, systemOf, textTool } from "./handler-rig.ts";
import { gate, World } from "./world-rig.ts";

const NAP_MS = 30_000;
const SLACK_MS = 1_000;

async function barsOf(member: Member): Promise<readonly Bar[]> {
  return (await member.operations.timeline("p")).bars;
}

const short = (bars: readonly Bar[]): unknown[] => bars.map(({ kind, name, state }) => [kind, name, state]);

test("a handler is queued, executes, waits without executing, and executes again", async () => {
  const world = new World();
  const note = textTool("note");
  const handle = async (_n: number, ctx: Parameters<Parameters<typeof systemOf>[0]["handle"]>[1]): Promise<string> => {
    const noted = await ctx.call(note, "x");
    await ctx.sleep(NAP_MS);
    return noted;
  };
  const one = world.join(systemOf({ tools: [note], handle, last: () => gate<string>().promise }), "one");
  await submit(one);
  expect(short(await barsOf(one))).toEqual(
    expect.arrayContaining([
      ["work", "Doer", "open"],
      ["queue", "queue", "ended"],
      ["handler", "Doer", "ended"],
      ["tool", "note", "ended"],
      ["timer", "timer", "open"],
    ]),
  );
  await world.clock.advance(NAP_MS + SLACK_MS);
  await flush();
  const bars = await barsOf(one);
  const work = bars.find(({ kind }) => kind === "work");
  const executions = bars.filter(({ kind, in: parent }) => kind === "handler" && parent === work?.id);
  expect(executions.map(({ state }) => state)).toEqual(["ended", "ended"]);
  const nap = bars.find(({ kind }) => kind === "timer");
  expect(nap).toMatchObject({ state: "ended", in: work?.id });
  // No execution lies in the wait.
  expect(executions[0]?.endMs).toBeLessThanOrEqual((nap?.beginMs ?? 0) + 1);
  expect(executions[1]?.beginMs).toBeGreaterThanOrEqual(nap?.endMs ?? Infinity);
  expect(short(bars)).toContainEqual(["handler", "Last", "open"]);
});

test("of a trimmed journal it has the run's number and beginning, what is left, and since when that is", async () => {
  const world = new World();
  const one = world.join(systemOf({ handle: async () => "done", last: () => gate<string>().promise }), "one");
  await submit(one);
  await world.clock.advance(NAP_MS);
  const whole = await one.operations.timeline("p");
  expect(whole).not.toHaveProperty("fromMs");
  const type = "sys.ProcessManager";
  const prefix = `sys/${type}/p/`;
  const last = Math.max(
    ...world.store
      .keys(prefix)
      .map((key) => Number(key.slice(prefix.length)))
      .filter(Number.isInteger),
  );
  expect(last).toBeGreaterThan(1);
  const stone: HeadStone = { v: RECORD_VERSION, headStone: true, first: last, snapshot: 1, from: 2, fromSnapshot: 1 };
  for (let sequence = 1; sequence < last; sequence += 1) world.store.drop(keys.record("sys", type, "p", sequence));
  await world.store.insert(keys.record("sys", type, "p", 1), JSON.stringify(stone));
  const trimmed = await one.operations.timeline("p");
  expect(trimmed).toMatchObject({ id: "p", run: 1, beginMs: whole.beginMs });
  expect(trimmed.fromMs).toBeGreaterThanOrEqual(whole.beginMs);
  expect(trimmed.bars.length).toBeLessThan(whole.bars.length);
  for (const bar of trimmed.bars) expect(whole.bars).toContainEqual(bar);
});
