/** @module The timeline of a run from its events: a bar for each thing that took time, which ends when that does. */
import { describe, expect, test } from "vitest";
import type { HandlerHistory } from "../../runtime/agent/call-history.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { TimelineReader } from "../../runtime/process/timeline-reader.ts";
import type { Stop } from "../../runtime/slip.ts";
import { TimelineView, type Bar } from "../../runtime/timeline.ts";
import { T0 } from "./machine-rig.ts";
import { asksUndo, call, one, ProcessRig, type SlipParts, slipOf } from "./process-rig.ts";

const BARS_MAX = 100;
const SECOND_MS = 1_000;
const RETRIES = { attemptsMax: 3, backoffMs: SECOND_MS, backoffMsMax: SECOND_MS, jitter: 0 };
const NO_HANDLERS: ReadonlyMap<string, HandlerHistory> = new Map();

/** The timeline of events, of which a reader may get only the last. */
function timelineOf(
  events: readonly ProcessEvent[],
  { max = BARS_MAX, handlers = NO_HANDLERS, known = { run: 1, beginMs: T0 }, atMs = T0 } = {},
): TimelineView {
  const reader = new TimelineReader("p", max, known);
  for (const event of events) reader.take(event, atMs);
  // As the HTTP API gives it.
  return TimelineView.parse(JSON.parse(JSON.stringify(reader.view(handlers))));
}

function accepted(stops: readonly Stop[], parts: SlipParts = {}): ProcessRig {
  const rig = new ProcessRig(slipOf(stops, parts));
  rig.accept();
  return rig;
}

/** Kind, name, state and length of each bar. */
const short = ({ bars }: TimelineView): unknown[] =>
  bars.map(({ kind, name, state, beginMs, endMs }) => [kind, name, state, endMs === undefined ? "open" : endMs - beginMs]);

function barOf(view: TimelineView, id: string): Bar | undefined {
  return view.bars.find((bar) => bar.id === id);
}

function order(rig: ProcessRig, kind: "pause" | "resume" | "terminate"): void {
  const body = kind === "terminate" ? { kind, reason: "why" } : { kind, reason: "why", tree: true };
  rig.give({ kind: "message", message: rig.message(`order-${kind}`, body) });
}

function handler(more: Partial<HandlerHistory>): HandlerHistory {
  return { state: undefined, takeovers: 0, isWhole: true, begunAtMs: undefined, executions: [], calls: [], ...more };
}

describe("a work item", () => {
  test("is a bar from its request to its answer, and the run from its acceptance to its end", () => {
    const rig = accepted([one("a"), one("b")]);
    rig.after(2 * SECOND_MS).output(rig.id("a"));
    expect(short(timelineOf(rig.log))).toEqual([
      ["work", "A", "ended", 2 * SECOND_MS],
      ["work", "B", "open", "open"],
    ]);
    rig.after(SECOND_MS).output(rig.id("b"));
    expect(timelineOf(rig.log)).toMatchObject({ id: "p", run: 1, beginMs: T0, endMs: T0 + 3 * SECOND_MS });
    expect(timelineOf(rig.log)).not.toHaveProperty("fromMs");
  });

  test("that is tried again has a bar for the pause between the attempts, and no code once it is answered", () => {
    const rig = accepted([one("a", { retry: RETRIES })]);
    const id = rig.id("a");
    rig.after(5).fault(id, "agent.failed");
    expect(barOf(timelineOf(rig.log), id)).toMatchObject({ state: "open", code: "agent.failed", attempt: 1 });
    rig.after(SECOND_MS).tick();
    rig.after(7).output(id, "at last", 2);
    expect(short(timelineOf(rig.log))).toEqual([
      ["work", "A", "ended", SECOND_MS + 12],
      ["retry", "agent.failed", "ended", SECOND_MS],
    ]);
    expect(barOf(timelineOf(rig.log), id)).toMatchObject({ attempt: 2 });
    expect(barOf(timelineOf(rig.log), id)).not.toHaveProperty("code");
  });

  test("that failed is shown with its code, and those before it as undone when they are", () => {
    const rig = accepted([one("a"), one("b")]);
    rig.output(rig.id("a"));
    const failed = rig.fault(rig.id("b"));
    expect(barOf(timelineOf(rig.log), rig.id("b"))).toMatchObject({ state: "failed", code: "agent.refused" });
    rig.undoAll(failed);
    const view = timelineOf(rig.log);
    expect(barOf(view, rig.id("a"))).toMatchObject({ state: "undone" });
    // It is compensated, too, and is still what failed.
    expect(barOf(view, `${rig.id("b")}/undo`)).toMatchObject({ kind: "undo", state: "ended" });
    expect(barOf(view, rig.id("b"))).toMatchObject({ state: "failed", code: "agent.refused" });
    expect(barOf(view, `${rig.id("a")}/undo`)).toMatchObject({ kind: "undo", in: rig.id("a"), state: "ended" });
  });

  test("of which the answer is not waited for ends as dropped, with what is open in it", () => {
    const rig = accepted([{ kind: "any", name: "race", branches: { a: call("A"), b: call("B", { retry: RETRIES }) } }]);
    const [a, b] = [rig.id("race.a"), rig.id("race.b")];
    rig.fault(b, "agent.failed");
    rig.after(3).output(a);
    const view = timelineOf(rig.log);
    expect(barOf(view, a)).toMatchObject({ state: "ended" });
    expect(barOf(view, b)).toMatchObject({ state: "dropped", endMs: rig.nowMs });
    expect(barOf(view, `${b}/retry/1`)).toMatchObject({ state: "dropped", endMs: rig.nowMs });
  });

  test("asked by a handler stands in the bar of that handler's work item, and is dropped with it", () => {
    const rig = accepted([one("a")], { agents: { A: { asks: ["B"] } } });
    rig.question(rig.id("a"), 0, "B");
    const [ask] = rig.open.filter((id) => id !== rig.id("a"));
    expect(barOf(timelineOf(rig.log), ask ?? "")).toMatchObject({ kind: "ask", name: "B", in: rig.id("a"), state: "open" });
    rig.after(4).output(rig.id("a"));
    expect(barOf(timelineOf(rig.log), ask ?? "")).toMatchObject({ state: "dropped", endMs: rig.nowMs });
  });
});

describe("a wait", () => {
  test("is a bar that ends with its timer", () => {
    const rig = accepted([{ kind: "one", name: "nap", call: call("A", { target: { kind: "timer" }, input: { literal: SECOND_MS } }) }]);
    expect(short(timelineOf(rig.log))).toEqual([["timer", "timer", "open", "open"]]);
    rig.after(SECOND_MS).tick();
    expect(short(timelineOf(rig.log))).toEqual([["timer", "timer", "ended", SECOND_MS]]);
  });

  test("of a handler ends with the work item", () => {
    const rig = accepted([one("a")]);
    rig.body({ kind: "wait", workId: rig.id("a"), index: 0, for: { kind: "timer", ms: 60 * SECOND_MS } });
    rig.after(6).fault(rig.id("a"));
    const [, nap] = timelineOf(rig.log).bars;
    expect(nap).toMatchObject({ kind: "timer", in: rig.id("a"), state: "dropped", endMs: rig.nowMs });
  });
});

describe("a run", () => {
  test("that was paused shows for how long, and who paused it", () => {
    const rig = accepted([one("a")]);
    order(rig, "pause");
    expect(short(timelineOf(rig.log, { atMs: rig.nowMs }))).toContainEqual(["paused", "ada", "open", "open"]);
    rig.after(9 * SECOND_MS);
    order(rig, "resume");
    expect(short(timelineOf(rig.log))).toContainEqual(["paused", "ada", "ended", 9 * SECOND_MS]);
  });

  test("that is terminated while it is paused was paused until then", () => {
    const rig = accepted([one("a")]);
    order(rig, "pause");
    rig.after(SECOND_MS);
    order(rig, "terminate");
    expect(short(timelineOf(rig.log))).toContainEqual(["paused", "ada", "ended", SECOND_MS]);
  });

  test.each(["cancel", "terminate"] as const)("waits for nothing after a %s", (what) => {
    const rig = accepted([one("a"), one("b")]);
    rig.output(rig.id("a"));
    rig.after(SECOND_MS);
    if (what === "terminate") order(rig, what);
    else rig.undoAll(rig.cancel());
    const view = timelineOf(rig.log);
    expect(view.endMs).toBe(rig.nowMs);
    expect(barOf(view, rig.id("b"))).toMatchObject({ endMs: rig.nowMs });
    expect(view.bars.filter(({ endMs }) => endMs === undefined)).toEqual([]);
  });

  test("that compensates waits for its compensations", () => {
    const rig = accepted([one("a"), one("b")]);
    rig.output(rig.id("a"));
    expect(asksUndo(rig.cancel()).length).toBeGreaterThan(0);
    expect(
      timelineOf(rig.log)
        .bars.filter(({ state }) => state === "open")
        .map(({ kind }) => kind),
    ).toEqual(["undo"]);
  });

  test("that was redriven shows only itself, from its redrive on", () => {
    const rig = accepted([one("a"), one("b")]);
    rig.output(rig.id("a"));
    rig.undoAll(rig.fault(rig.id("b")));
    rig.after(SECOND_MS).redrive();
    const view = timelineOf(rig.log);
    expect(view).toMatchObject({ run: 2, beginMs: T0 + SECOND_MS });
    expect(view).not.toHaveProperty("endMs");
    expect(view.bars.every(({ id }) => id.startsWith("p:2:"))).toBe(true);
  });

  test("with too many bars shows the newest, and says how many are not shown", () => {
    const rig = accepted([one("a"), one("b"), one("c")]);
    for (const stop of ["a", "b", "c"]) rig.after(1).output(rig.id(stop));
    const view = timelineOf(rig.log, { max: 2 });
    expect(view.bars.map(({ name }) => name)).toEqual(["B", "C"]);
    expect(view.left).toBe(1);
  });
});

describe("a run whose first records are trimmed", () => {
  const known = { run: 3, beginMs: T0 - SECOND_MS };

  test("has its number and its beginning from the process, and says from when on it is shown", () => {
    const rig = accepted([one("a"), one("b"), one("c")]);
    rig.after(SECOND_MS).output(rig.id("a"));
    const since = rig.log.length;
    rig.after(SECOND_MS).output(rig.id("b"));
    const view = timelineOf(rig.log.slice(since), { known, atMs: rig.nowMs });
    expect(view).toMatchObject({ ...known, fromMs: rig.nowMs });
    // The request of B is among the records that are gone.
    expect(view.bars.map(({ name, state }) => [name, state])).toEqual([["C", "open"]]);
  });

  test("is shown whole again after a redrive", () => {
    const rig = accepted([one("a"), one("b")]);
    const since = rig.log.length;
    rig.output(rig.id("a"));
    rig.undoAll(rig.fault(rig.id("b")));
    rig.redrive();
    const view = timelineOf(rig.log.slice(since), { known });
    expect(view).toMatchObject({ run: 2 });
    expect(view).not.toHaveProperty("fromMs");
  });

  test("of which nothing is read has no bars, and is still a timeline", () => {
    expect(timelineOf([], { known })).toEqual({ id: "p", ...known, bars: [] });
  });
});

describe("what agents recorded", () => {
  const rig = accepted([one("a")]);
  const id = rig.id("a");
  const asked = [...rig.log];
  rig.after(10 * SECOND_MS).output(id);
  const withHandler = (events: readonly ProcessEvent[], more: Partial<HandlerHistory>): TimelineView =>
    timelineOf(events, { handlers: new Map([[id, handler(more)]]) });

  test("tells the queue from the code, once for each execution", () => {
    const view = withHandler(rig.log, {
      begunAtMs: T0 + 100,
      executions: [
        { attempt: 1, beginMs: T0 + 100, endMs: T0 + 300 },
        { attempt: 1, beginMs: T0 + 900, endMs: T0 + 1_000 },
      ],
    });
    expect(short(view)).toEqual([
      ["work", "A", "ended", 10 * SECOND_MS],
      ["queue", "queue", "ended", 100],
      ["handler", "A", "ended", 200],
      ["handler", "A", "ended", 100],
    ]);
    expect(view.bars.slice(1).every(({ in: parent, work }) => parent === id && work === id)).toBe(true);
  });

  test("has no queue where its first record is gone: what is known first may be a later execution", () => {
    const view = withHandler(rig.log, {
      isWhole: false,
      begunAtMs: T0 + 900,
      executions: [{ attempt: 1, beginMs: T0 + 900, endMs: T0 + 950 }],
    });
    expect(short(view)).toEqual([
      ["work", "A", "ended", 10 * SECOND_MS],
      ["handler", "A", "ended", 50],
    ]);
  });

  test("goes on while the work item does, and ends with it where its end was not recorded", () => {
    const begun = { begunAtMs: T0 + 100, executions: [{ attempt: 1, beginMs: T0 + 100 }] };
    expect(short(withHandler(asked, begun))[2]).toEqual(["handler", "A", "open", "open"]);
    expect(short(withHandler(rig.log, begun))[2]).toEqual(["handler", "A", "dropped", 10 * SECOND_MS - 100]);
    expect(short(withHandler(asked, {}))[1]).toEqual(["queue", "queue", "open", "open"]);
    expect(short(withHandler(rig.log, {}))[1]).toEqual(["queue", "queue", "dropped", 10 * SECOND_MS]);
  });

  test("a model call has its tokens, cost, tries and model", () => {
    const model = { kind: "model", key: "fast/1", name: "fast", state: "ended", attempt: 1, failures: 0 } as const;
    const [, , bar] = withHandler(rig.log, {
      begunAtMs: T0,
      calls: [
        { ...model, begunAtMs: T0 + 1, endedAtMs: T0 + 5, tries: 2, inputTokens: 30, outputTokens: 4, usd: 0.01, answered: "m-1" },
        { ...model, key: "fast/2", state: "failed", code: "model.unavailable", endedAtMs: T0 + 9, usd: 0 },
      ],
    }).bars;
    expect(bar).toMatchObject({ kind: "model", call: "fast/1", model: "m-1", tokens: 34, usd: 0.01, tries: 2, state: "ended" });
  });
});
