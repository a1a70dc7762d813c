/** @module Damaged replies, each by its seed, read by the endpoint: 10,000 without a network, and some hundreds over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fault } from "../../runtime/faults.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import type { Provider } from "../../agents/model/endpoint.ts";
import { type ScriptedModel, scriptedModel } from "../../testing/index.ts";
import { type Damaged, damagedBy, expectSound, scriptReply } from "./mangling.ts";
import { MemoryFetch } from "./memory-fetch.ts";
import { connectTo, replyTo } from "./provider.ts";

const SEEDS = 10_000;
const HTTP_SEEDS = 400;
/** Requests at the same time. */
const LANES = 20;
/** What only the timeout of an attempt ends is given this time. */
const HANG_MS = 30;
const HTTP_HANG_MS = 300;

const hangs = ({ answer }: Damaged): boolean => answer.end === "hang";

/** Reads the damaged replies of all seeds, some at a time. Returns how often each end came. */
async function readAll(count: number, read: (damaged: Damaged, lane: number) => Promise<ChatReply | Fault>): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  let seed = 0;
  const lane = async (number: number): Promise<void> => {
    for (seed += 1; seed <= count; seed += 1) {
      const damaged = damagedBy(seed);
      const got = await read(damaged, number);
      expectSound(damaged, got);
      const end = got instanceof Fault ? got.code : "reply";
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_none, number) => lane(number)));
  return ends;
}

it(`${SEEDS} damaged replies: each is a reply or a coded fault, and no call is made of a cut one`, { timeout: 120_000 }, async () => {
  const fetches = Array.from({ length: LANES }, () => new MemoryFetch());
  const connect = (stream: boolean): Promise<Provider[]> =>
    Promise.all(fetches.map(({ fetch }) => connectTo("http://127.0.0.1:1/v1", { fetch, stream })));
  const [streamed, whole] = [await connect(true), await connect(false)];
  const ends = await readAll(SEEDS, async (damaged, lane) => {
    const [memory, provider] = [fetches[lane], (damaged.isStreamed ? streamed : whole)[lane]];
    if (memory === undefined || provider === undefined) throw new Error("no such lane");
    memory.next = damaged.answer;
    return replyTo(provider, "go", hangs(damaged) ? { timeoutMs: HANG_MS } : {});
  });
  // The seeds reach every end.
  for (const end of ["reply", "model.unavailable", "model.malformed", "model.rate-limited", "model.rejected"])
    expect(ends.get(end), end).toBeGreaterThan(SEEDS / 100);
});

describe("over HTTP", () => {
  let model: ScriptedModel;
  beforeAll(async () => {
    const rules = Array.from({ length: HTTP_SEEDS }, (_none, index) => {
      const { kind } = damagedBy(index + 1);
      return { when: { user: `/^seed ${index + 1}$/` }, reply: { ...scriptReply(kind), mangle: index + 1 } };
    });
    model = await scriptedModel({ script: { rules } });
  });
  afterAll(() => model.stop());

  it(`${HTTP_SEEDS} damaged replies end in the same ways`, { timeout: 60_000 }, async () => {
    const [streamed, whole] = [await connectTo(model.url), await connectTo(model.url, { stream: false })];
    const ends = await readAll(HTTP_SEEDS, (damaged) =>
      replyTo(damaged.isStreamed ? streamed : whole, `seed ${damaged.seed}`, hangs(damaged) ? { timeoutMs: HTTP_HANG_MS } : {}),
    );
    for (const end of ["reply", "model.unavailable", "model.malformed"]) expect(ends.get(end), end).toBeGreaterThan(HTTP_SEEDS / 40);
  });
});

it("the same seed does the same damage, and the seeds use every way to damage", () => {
  const steps = new Set<string>();
  for (let seed = 1; seed <= SEEDS / 10; seed += 1) {
    const damaged = damagedBy(seed);
    expect(damagedBy(seed)).toEqual(damaged);
    for (const step of damaged.steps) steps.add(step);
  }
  expect(steps.size).toBeGreaterThan(80);
});
