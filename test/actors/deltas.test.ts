/** @module Pieces of replies between two hosts: one receives the replies, the other has the process, which is followed or not. */
import { beforeEach, describe, expect, test } from "vitest";
import { Deltas } from "../../actors/host/deltas.ts";
import type { Models, Transport } from "../../actors/engine/ports.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelDelta, ModelReply } from "../../runtime/model/conversation.ts";
import type { DeltaPage, DeltaPlace, DeltaRequest } from "../../runtime/model/deltas.ts";
import { idempotencyKey, modelKey, stopWorkId } from "../../runtime/ids.ts";
import { countedRandom, flush, HandClock } from "./engine-rig.ts";
import { replyOf } from "./model-rig.ts";

const PROCESS = { type: "party.ProcessManager", id: "p" };
const WORK = stopWorkId("p", 1, "items[]", 2, 1);
const CALL = modelKey("fast", "ab12", 0);

let clock: HandClock;
let sent: DeltaRequest[];
let isDown: boolean;
let away: Deltas;
let here: Deltas;

beforeEach(() => {
  [clock, sent, isDown] = [new HandClock(), [], false];
  const unused = (): Promise<never> => Promise.reject(new Error("not used"));
  const rest = { publish: unused, deliver: unused, heartbeat: unused, inspect: unused, nudge: unused, notification: unused };
  const transport: Transport = {
    ...rest,
    deltas: async (process, request) => {
      sent.push(request);
      if (isDown) throw new Fault("sidecar.unavailable", "no answer");
      return here.receive(process, request);
    },
  };
  const parts = { clock, transport, processType: PROCESS.type };
  here = new Deltas({ ...parts, random: countedRandom("here"), incarnation: "host-1" });
  away = new Deltas({ ...parts, random: countedRandom("away"), incarnation: "host-2" });
});

/** A call that a host is making. */
interface Making {
  say(delta: ModelDelta): void;
  end(fault?: Fault): Promise<unknown>;
}

function make(host: Deltas, key = CALL): Making {
  let say: (delta: ModelDelta) => void = () => {};
  const end = Promise.withResolvers<ModelReply>();
  const models: Models = {
    costMicros: () => 1,
    costMicrosMax: () => 1,
    attempt: ({ onDelta }) => {
      say = onDelta ?? say;
      return end.promise;
    },
  };
  const request = { messages: [], tools: [], toolChoice: "none", outputTokensMax: 1 } as const;
  const { signal } = new AbortController();
  const made = host
    .watched(models, "Writer")
    .attempt({ model: "fast", request, inputTokensMax: 1, idempotencyKey: idempotencyKey(WORK, key), signal });
  return {
    say: (delta) => say(delta),
    end: (fault) => {
      if (fault === undefined) end.resolve(replyOf("done"));
      else end.reject(fault);
      return made.catch((error: unknown) => error);
    },
  };
}

function read(after?: DeltaPlace): DeltaPage {
  const answer = here.receive(PROCESS, after === undefined ? {} : { after });
  if (!("entries" in answer)) throw new Error("no page");
  return answer;
}
const NAMED = { work: WORK, stop: "items[2]", agent: "Writer", call: CALL };
const next = ({ epoch, from, entries }: DeltaPage): DeltaPlace => ({ epoch, next: from + entries.length });

test("watched models answer what the models answer", () => {
  const prices = { costMicros: () => 1, costMicrosMax: () => 2 };
  const models: Models = { ...prices, providerOf: (name) => `of ${name}`, attempt: () => Promise.reject(new Error("not called")) };
  const watched = away.watched(models, "Writer");
  expect([watched.costMicros("e", { inputTokens: 1, outputTokens: 1 }), watched.costMicrosMax("m", 1, 1)]).toEqual([1, 2]);
  expect(watched.providerOf?.("fast"), "spans and metrics name the provider").toBe("of fast");
});

describe("a process that is not followed", () => {
  test("costs nothing for a call that ends soon, and one message at long intervals for a longer one", async () => {
    const short = make(away);
    short.say({ text: "quick" });
    await short.end();
    await clock.advance(LIMITS.deltaProbeMs);
    expect([sent.length, clock.pending]).toEqual([0, 0]);
    const long = make(away);
    for (let tenths = 0; tenths < 50; tenths += 1) {
      long.say({ text: "." });
      await clock.advance(100);
    }
    expect(sent).toHaveLength(3);
    await long.end();
    expect(clock.pending).toBe(0);
  });

  test("is not followed again some time after its last reader has gone", async () => {
    read();
    await clock.advance(LIMITS.deltaFollowedMs);
    const call = make(away);
    call.say({ text: "unheard" });
    await clock.advance(LIMITS.deltaBatchMs);
    expect(sent).toHaveLength(1);
    expect(here.receive(PROCESS, { add: [] })).toEqual({ followed: false });
    await call.end();
  });
});

describe("a followed process", () => {
  test("gets the pieces of a call on another host in batches, in order, and its end", async () => {
    let news = 0;
    here.listen("p", () => (news += 1));
    let place = next(read());
    const call = make(away);
    for (const text of ["It ", "is ", "so."]) call.say({ text });
    call.say({ tool: "pay" });
    await clock.advance(LIMITS.deltaBatchMs);
    expect(read(place).entries).toEqual([
      { ...NAMED, text: "It is so." },
      { ...NAMED, tool: "pay" },
    ]);
    place = next(read(place));
    call.say({ reasoning: "Hm" });
    await call.end();
    await clock.advance(LIMITS.deltaBatchMs);
    expect(read(place).entries).toEqual([
      { ...NAMED, reasoning: "Hm" },
      { ...NAMED, ended: "reply" },
    ]);
    expect([sent.length, news, clock.pending]).toEqual([2, 2, 0]);
  });

  test("gets the pieces of a call on its own host at once", async () => {
    const place = next(read());
    const call = make(here);
    call.say({ text: "now" });
    expect(read(place).entries).toEqual([{ ...NAMED, text: "now" }]);
    await call.end(new Fault("model.unavailable", "cut"));
    expect(read(place).entries.at(-1)).toEqual({ ...NAMED, ended: "fault" });
    expect(sent).toEqual([]);
  });

  test("learns that a call was restarted, also on another host", async () => {
    const place = next(read());
    const first = make(away);
    first.say({ text: "half of" });
    await clock.advance(LIMITS.deltaBatchMs);
    const second = make(here);
    second.say({ text: "the whole" });
    second.say({ text: " reply" });
    const texts = read(place).entries.map(({ text, restarted }) => [text, restarted]);
    expect(texts).toEqual([
      ["half of", undefined],
      ["the whole", true],
      [" reply", undefined],
    ]);
    await Promise.all([first.end(), second.end()]);
  });

  test("gets what a call said before it was followed, as far as it was kept", async () => {
    const call = make(away);
    call.say({ text: "early " });
    await clock.advance(LIMITS.deltaBatchMs);
    const place = next(read());
    call.say({ text: "late" });
    await clock.advance(LIMITS.deltaProbeMs);
    expect(read(place).entries).toEqual([{ ...NAMED, text: "early late" }]);
    await call.end();
  });

  test("loses a batch while its host is not reachable no more than once, and the call goes on", async () => {
    const place = next(read());
    isDown = true;
    const call = make(away);
    call.say({ text: "one " });
    await clock.advance(LIMITS.deltaBatchMs);
    isDown = false;
    call.say({ text: "two" });
    await clock.advance(LIMITS.deltaProbeMs);
    expect(read(place).entries).toEqual([{ ...NAMED, text: "one two" }]);
    expect(await call.end()).toMatchObject({ text: "done" });
  });
});

describe("bounds", () => {
  test("what waits to be sent is bounded, and the gap is told", async () => {
    const call = make(away);
    for (let piece = 0; piece < 40; piece += 1) {
      call.say({ text: "x".repeat(LIMITS.deltaPendingCharsMax / 20) });
      call.say({ tool: `tool-${piece}` });
    }
    read();
    await clock.advance(LIMITS.deltaBatchMs);
    const { entries } = read();
    expect(entries.length).toBeLessThan(42);
    expect(entries[0]?.skipped).toBe(true);
    expect(entries.at(-1)?.tool).toBe("tool-39");
    await call.end();
  });

  test("what is kept of a process is bounded, and a reader who comes late sees where it begins", async () => {
    const place = next(read());
    const call = make(here);
    for (let piece = 0; piece < 40; piece += 1) call.say({ text: `${piece}`.padEnd(LIMITS.deltaRingCharsMax / 20) });
    await flush();
    const page = read(place);
    expect(page.from).toBe(20);
    expect(page.entries[0]?.text?.trim()).toBe("20");
    await call.end();
  });

  test("a place of another host, or of one before its restart, gives all that is kept", () => {
    read();
    here.receive(PROCESS, { add: [{ ...NAMED, attempt: "a", text: "kept" }] });
    expect(read({ epoch: "0123abcd", next: 7 })).toMatchObject({ from: 0, entries: [{ text: "kept" }] });
  });
});
