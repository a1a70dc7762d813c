/** @module The bars of a timeline from the events of a process: what took time, how it ended, and what stands in what. */
import { describe, expect, test } from "vitest";
import type { HandlerHistory } from "../../runtime/agent/call-history.ts";
import type { CallView } from "../../runtime/process-view.ts";
import type { ProcessEvent } from "../../runtime/process/events.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { TimelineReader } from "../../runtime/process/timeline-reader.ts";
import { type Bar, TimelineView } from "../../runtime/timeline.ts";
import { SECOND_MS } from "../../runtime/units.ts";
import { T0 } from "./machine-rig.ts";
import { call, one, ProcessRig, slipOf } from "./process-rig.ts";

type Told = readonly (readonly [event: ProcessEvent, atMs: number])[];

/** A rig that remembers when it decided what. */
class ToldRig extends ProcessRig {
  readonly told: (readonly [ProcessEvent, number])[] = [];

  override give(...given: Parameters<ProcessRig["give"]>): ReturnType<ProcessRig["give"]> {
    const decision = super.give(...given);
    this.told.push(...decision.events.map((event) => [event, this.nowMs] as const));
    return decision;
  }

  /** A second later. */
  later(): this {
    this.nowMs += SECOND_MS;
    return this;
  }

  order(kind: "pause" | "resume" | "terminate"): void {
    const body = kind === "terminate" ? ({ kind, reason: "why" } as const) : ({ kind, reason: "why", tree: true } as const);
    this.give({ kind: "message", message: this.message(`${kind}-${this.nowMs}`, body) });
  }
}

function rigOf(...stops: Parameters<typeof slipOf>[0]): ToldRig {
  const rig = new ToldRig(slipOf(stops));
  rig.accept();
  return rig;
}

function view(told: Told, handlers: Readonly<Record<string, HandlerHistory>> = {}, max = 100): TimelineView {
  const reader = new TimelineReader("p", max);
  for (const [event, atMs] of told) reader.take(event, atMs);
  const found = reader.view(new Map(Object.entries(handlers)), { run: 7, acceptedAtMs: T0 });
  // It is what the HTTP API answers.
  expect(TimelineView.parse(JSON.parse(JSON.stringify(found)))).toEqual(JSON.parse(JSON.stringify(found)));
  return found;
}

/** Kind, name, state, and the seconds from the beginning of the run to where the bar begins and ends. */
function shown({ bars, beginMs }: TimelineView): readonly (readonly [string, string, Bar["state"], number, number | undefined])[] {
  const seconds = (ms: number): number => (ms - beginMs) / SECOND_MS;
  return bars.map(({ kind, name, state, beginMs: from, endMs }) => [
    kind,
    name,
    state,
    seconds(from),
    endMs === undefined ? undefined : seconds(endMs),
  ]);
}

describe("work items", () => {
  test("go on until they are answered; the run ends with its outcome", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().output(rig.id("a"));
    expect(shown(view(rig.told))).toEqual([
      ["work", "A", "ended", 0, 1],
      ["work", "B", "open", 1, undefined],
    ]);
    rig.later().output(rig.id("b"));
    const { run, beginMs, endMs } = view(rig.told);
    expect([run, beginMs, endMs]).toEqual([1, T0, T0 + 2 * SECOND_MS]);
  });

  test("an attempt that failed is followed by a pause until the next one; the answer leaves no fault", () => {
    const rig = rigOf(one("a", { retry: { attemptsMax: 2, backoffMs: 1_000, backoffMsMax: 1_000, jitter: 0 } }));
    rig.later().fault(rig.id("a"), "agent.failed");
    expect(view(rig.told).bars.map(({ kind, state, code }) => [kind, state, code])).toEqual([
      ["work", "open", "agent.failed"],
      ["retry", "open", "agent.failed"],
    ]);
    rig.later().tick();
    rig.later().output(rig.id("a"), "well", 2);
    const found = view(rig.told);
    expect(shown(found)).toEqual([
      ["work", "A", "ended", 0, 3],
      ["retry", "agent.failed", "ended", 1, 2],
    ]);
    expect(found.bars.map(({ in: parent, attempt, code }) => [parent, attempt, code])).toEqual([
      [undefined, 2, undefined],
      [rig.id("a"), 1, "agent.failed"],
    ]);
  });

  test("one that failed stays failed after its compensation; one that was answered is undone", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().output(rig.id("a"));
    rig.undoAll(rig.later().fault(rig.id("b")), () => true);
    expect(shown(view(rig.told)).map(([kind, name, state]) => [kind, name, state])).toEqual([
      ["work", "A", "undone"],
      ["work", "B", "failed"],
      ["undo", "B", "ended"],
      ["undo", "A", "ended"],
    ]);
    const [, , undo] = view(rig.told).bars;
    expect(undo?.in).toBe(rig.id("b"));
  });

  test("a compensation that failed is marked with its fault, and its attempts are told", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().output(rig.id("a"));
    rig.later().fault(rig.id("b"));
    for (let attempt = 1; attempt <= LIMITS.undoAttemptsMax; attempt += 1) {
      rig.fault(`${rig.id("b")}/undo`, "agent.failed", attempt);
      rig.nowMs += LIMITS.undoBackoffMsMax;
      rig.tick();
    }
    const { bars } = view(rig.told);
    expect(bars.find(({ kind, name }) => kind === "undo" && name === "B")).toMatchObject({ state: "failed", code: "compensation.failed" });
    const retries = bars.filter(({ kind }) => kind === "retry");
    expect(retries.length).toBe(LIMITS.undoAttemptsMax - 1);
    expect(retries.filter(({ state }) => state === "open")).toEqual([]);
  });

  test("the losers of an any end when the winner is known, before they are undone", () => {
    const rig = rigOf({ kind: "any", name: "best", branches: { x: call("B"), y: call("C") } }, one("a"));
    rig.later().output(rig.id("best.x"));
    const states = (): unknown => view(rig.told).bars.map(({ kind, name, state, endMs }) => [kind, name, state, endMs !== undefined]);
    expect(states()).toEqual([
      ["work", "B", "ended", true],
      ["work", "C", "dropped", true],
      ["work", "A", "open", false],
      ["undo", "C", "open", false],
    ]);
  });

  test("a cancellation drops what is open; a redrive begins anew", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().output(rig.id("a"));
    rig.undoAll(rig.later().fault(rig.id("b")));
    rig.later().redrive();
    const found = view(rig.told);
    expect([found.run, found.beginMs, found.endMs]).toEqual([2, T0 + 3 * SECOND_MS, undefined]);
    expect(shown(found)).toEqual([["work", "B", "open", 0, undefined]]);
    const cancelled = rigOf(one("a"));
    cancelled.later().cancel();
    expect(shown(view(cancelled.told))[0]).toEqual(["work", "A", "dropped", 0, 1]);
  });

  test("a termination ends everything, also a pause", () => {
    const rig = rigOf(one("a"));
    rig.later().order("pause");
    rig.later().order("terminate");
    expect(shown(view(rig.told))).toEqual([
      ["work", "A", "dropped", 0, 2],
      ["paused", "paused", "ended", 1, 2],
    ]);
  });
});

describe("pauses and waits", () => {
  test("a pause is a bar from the order until the next one", () => {
    const rig = rigOf(one("a"));
    rig.later().order("pause");
    expect(shown(view(rig.told))).toEqual([
      ["work", "A", "open", 0, undefined],
      ["paused", "paused", "open", 1, undefined],
    ]);
    rig.later().order("resume");
    rig.later().order("pause");
    rig.later().order("resume");
    expect(shown(view(rig.told)).slice(1)).toEqual([
      ["paused", "paused", "ended", 1, 2],
      ["paused", "paused", "ended", 3, 4],
    ]);
  });

  test("timers of stops, and what a handler asked, stand in what waits", () => {
    const timer = call("A", { target: { kind: "timer" }, input: { literal: 1_000 } });
    const rig = rigOf({ kind: "one", name: "nap", call: timer }, one("b"));
    rig.later().tick();
    expect(shown(view(rig.told))).toEqual([
      ["timer", "timer", "ended", 0, 1],
      ["work", "B", "open", 1, undefined],
    ]);
    const asking = new ToldRig(slipOf([one("a")], { agents: { A: { asks: ["B"] } } }));
    asking.accept();
    asking.later().question(asking.id("a"), 0, "B");
    const [work, ask] = view(asking.told).bars;
    expect([work?.kind, ask?.kind, ask?.in]).toEqual(["work", "ask", work?.id]);
    // The handler ended without the answer.
    asking.later().output(asking.id("a"));
    expect(shown(view(asking.told)).slice(0, 2)).toEqual([
      ["work", "A", "ended", 0, 2],
      ["ask", "B", "dropped", 1, 2],
    ]);
  });

  test("a timer that lost an any ends with the stop", () => {
    const timer = call("A", { target: { kind: "timer" }, input: { literal: 60_000 } });
    const rig = rigOf({ kind: "any", name: "best", branches: { x: call("B"), late: timer } }, one("a"));
    rig.later().output(rig.id("best.x"));
    expect(shown(view(rig.told))).toEqual([
      ["timer", "timer", "dropped", 0, 1],
      ["work", "B", "ended", 0, 1],
      ["work", "A", "open", 1, undefined],
    ]);
  });

  test("what a handler still waits for when it ends is no longer waited for", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().body({ kind: "wait", workId: rig.id("a"), index: 0, for: { kind: "timer", ms: 60_000 } });
    expect(shown(view(rig.told))[1]).toEqual(["timer", "timer", "open", 1, undefined]);
    rig.later().output(rig.id("a"));
    expect(shown(view(rig.told))[1]).toEqual(["timer", "timer", "dropped", 1, 2]);
  });
});

describe("what handlers recorded", () => {
  const CALL: CallView = {
    ...{ kind: "model", key: "model 0", name: "large", state: "ended", attempt: 1, failures: 0 },
    ...{ begunAtMs: T0 + 10, endedAtMs: T0 + 30 },
  };

  test("the queue is the time from the request of the last attempt until its handler began", () => {
    const rig = rigOf(one("a", { retry: { attemptsMax: 2, backoffMs: 1_000, backoffMsMax: 1_000, jitter: 0 } }));
    const id = rig.id("a");
    const handler = (begunAtMs: number | undefined): Readonly<Record<string, HandlerHistory>> => ({
      [id]: { state: undefined, takeovers: 0, begunAtMs, calls: [] },
    });
    expect(shown(view(rig.told, handler(undefined)))[1]).toEqual(["queue", "queue", "open", 0, undefined]);
    rig.later().fault(id, "agent.failed");
    rig.later().tick();
    expect(shown(view(rig.told, handler(T0 + 3 * SECOND_MS))).filter(([kind]) => kind === "queue")).toEqual([
      ["queue", "queue", "ended", 2, 3],
    ]);
  });

  test("a call has its times, tokens and cost, and stands in its work item", () => {
    const rig = rigOf(one("a"));
    const calls: readonly CallView[] = [
      { ...CALL, inputTokens: 3, outputTokens: 4, usd: 0.01, tries: 2, answered: "large-2026", prompt: "v1" },
      { ...CALL, kind: "call", key: "book#0", name: "book", state: "failed", code: "tool.failed" },
    ];
    const { bars } = view(rig.told, { [rig.id("a")]: { state: "running", takeovers: 0, begunAtMs: T0 + 5, calls } });
    expect(bars.slice(2)).toMatchObject([
      { kind: "model", name: "large", state: "ended", in: rig.id("a"), tokens: 7, usd: 0.01, tries: 2, model: "large-2026", prompt: "v1" },
      { kind: "tool", name: "book", state: "failed", code: "tool.failed", beginMs: T0 + 10, endMs: T0 + 30 },
    ]);
    expect(bars[3]).not.toHaveProperty("tokens");
  });
});

describe("a run of which only the newest records are read", () => {
  test("begins at the first of them, says so, and has the bars of what began since", () => {
    const rig = rigOf(one("a"), one("b"));
    rig.later().output(rig.id("a"));
    rig.later().output(rig.id("b"));
    const cut = rig.told.filter(([, atMs]) => atMs > T0);
    const found = view(cut);
    expect(found).toMatchObject({ run: 7, beginMs: T0 + SECOND_MS, endMs: T0 + 2 * SECOND_MS, begunBefore: true });
    expect(shown(found)).toEqual([["work", "B", "ended", 0, 1]]);
    expect(view(rig.told)).not.toHaveProperty("begunBefore");
  });

  test("without any record it begins at its acceptance", () => {
    expect(view([])).toEqual({ id: "p", run: 7, beginMs: T0, begunBefore: true, bars: [] });
  });

  test("a fault, a compensation, or an end of what began before changes nothing else", () => {
    const rig = rigOf(one("a", { retry: { attemptsMax: 2, backoffMs: 1_000, backoffMsMax: 1_000, jitter: 0 } }), one("b"));
    rig.later().fault(rig.id("a"), "agent.failed");
    rig.later().tick();
    rig.undoAll(rig.later().fault(rig.id("a"), "agent.refused", 2));
    for (let from = 0; from < rig.told.length; from += 1) view(rig.told.slice(from));
  });
});

test("at most so many bars are kept, the newest; the others are counted", () => {
  const rig = rigOf(one("a"), one("b"), one("c"));
  for (const stop of ["a", "b"]) rig.later().output(rig.id(stop));
  const found = view(rig.told, {}, 2);
  expect([found.bars.map(({ name }) => name), found.left]).toEqual([["B", "C"], 1]);
  expect(view(rig.told)).not.toHaveProperty("left");
});
