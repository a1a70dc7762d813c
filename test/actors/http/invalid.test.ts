/** @module Invalid messages on any topic: stored in the dead letter queue with their bytes, then acknowledged, and not handled before. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../../../runtime/faults.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { PROCESS } from "./operations-fakes.ts";
import { event, gate, message, raw, startRig, type HttpRig } from "./rig.ts";

const SUCCESS = { status: "SUCCESS" };
const RETRY = { status: "RETRY" };
const DAY_MS = 86_400_000;
/** Bytes that are text in no encoding. */
const BINARY = Uint8Array.from({ length: 256 }, (_, index) => 255 - index);

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig();
  rig.behaviour.process = async (id) => {
    throw new Fault("process.unknown", `there is no process ${id}`);
  };
});
afterEach(async () => rig.host.drain());

async function post(route: string, body: unknown): Promise<unknown> {
  const answer = await rig.call("POST", `/topics/${route}`, body);
  expect(answer.status).toBe(200);
  return answer.json;
}

function sent(body: unknown): string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
}

/** Messages that are invalid on every topic. */
const ANYWHERE: readonly (readonly [string, unknown, string])[] = [
  ["bytes that are no JSON", "{oops", "body.invalid"],
  ["no bytes", "", "body.invalid"],
  ["bytes that are no text", BINARY, "body.invalid"],
  ["an empty event", {}, "message.invalid"],
  ["a list", [], "message.invalid"],
  ["an event without data", event(undefined), "message.invalid"],
  ["an event without an id", event({ route: "trip", input: 1 }, { id: "" }), "message.invalid"],
  ["an event without a time", event({ route: "trip", input: 1 }, { time: undefined }), "message.invalid"],
  ["a trace that is a number", event({ route: "trip", input: 1 }, { traceparent: 5 }), "message.invalid"],
  ["binary data", event(undefined, { data_base64: "AAEC", datacontenttype: "application/octet-stream" }), "message.invalid"],
  ["data that is text", event("hello"), "message.invalid"],
  ["data that is nothing", event(null), "message.invalid"],
  ["half a character", '{"id":"a","data":"\\ud800"}', "body.invalid"],
  ["brackets without an end", "[".repeat(10_000), "body.invalid"],
];

const TASKS: readonly (readonly [string, unknown, string])[] = [
  ["an unknown key", event({ route: "trip", input: 1, extra: 1 }), "message.invalid"],
  ["no input", event({ route: "trip" }), "message.invalid"],
  ["no route", event({ input: 1 }), "message.invalid"],
  ["an id that is none", event({ id: "a/b", route: "trip", input: 1 }), "id.invalid"],
  ["a lifetime of no time", event({ route: "trip", input: 1, timeoutMs: 0 }), "message.invalid"],
  [
    "an event of the day before yesterday",
    event({ route: "trip", input: 1 }, { time: new Date(Date.now() - 2 * DAY_MS).toISOString() }),
    "message.expired",
  ],
  [
    "an event whose own time to live is over",
    event({ route: "trip", input: 1 }, { expiration: new Date(Date.now() - 1_000).toISOString() }),
    "message.expired",
  ],
  ["a message between actors", event(message("m")), "message.invalid"],
];

const MESSAGES: readonly (readonly [string, unknown, string])[] = [
  ["a message with more", event({ ...message("m"), more: 1 }), "message.invalid"],
  ["a message with less", event({ ...message("m"), trace: undefined }), "message.invalid"],
  ["a message of an unknown kind", event({ ...message("m"), body: { kind: "wish" } }), "message.invalid"],
  ["a message for another system", event(message("m", { type: "feast.Planner", id: "p" })), "message.invalid"],
  ["a message for an agent that is nowhere", event(message("m", { type: "party.Unknown", id: "p" })), "message.invalid"],
  ["a message of an older version", event({ ...message("m"), v: 0 }), "message.invalid"],
  ["a message of a newer version", event({ ...message("m"), v: 2 }), "journal.newer"],
  ["a task from outside", event({ route: "trip", input: 1 }), "message.invalid"],
];

const KINDS = [
  ...[...ANYWHERE, ...TASKS].map((kind) => ["tasks", "party.tasks", ...kind] as const),
  ...[...ANYWHERE, ...MESSAGES].map((kind) => ["agent/Planner", "party.agent.Planner", ...kind] as const),
  ...[...ANYWHERE, ...MESSAGES].map((kind) => ["manager", "party.manager", ...kind] as const),
];

test.each(KINDS)("on %s (%s): %s is kept with its bytes, and then acknowledged", async (route, topic, _name, body, code) => {
  const kept = gate();
  rig.behaviour.invalid = () => kept.opened;
  const answer = post(route, raw(sent(body)));
  await expect.poll(() => rig.seen.inQueue).toBe(1);
  expect(rig.seen.invalid).toEqual([]);
  kept.open();
  expect(await answer).toEqual(SUCCESS);
  expect(rig.seen.invalid).toMatchObject([{ topic, fault: { code } }]);
  expect(Buffer.from(rig.seen.invalid[0]?.raw.bytes ?? []).equals(Buffer.from(sent(body)))).toBe(true);
  expect([rig.seen.submitted, rig.seen.delivered]).toEqual([[], []]);
});

test("bytes that are not daprd's envelope are invalid and kept unchanged", async () => {
  expect(await post("tasks", "{oops")).toEqual(SUCCESS);
  expect(await post("tasks", '{"data_base64":7}')).toEqual(SUCCESS);
  expect(rig.seen.invalid.map(({ bytes }) => bytes)).toEqual(["{oops", '{"data_base64":7}']);
});

test("an envelope whose keys are in another order is still unwrapped", async () => {
  const { data_base64, ...more } = JSON.parse(raw(JSON.stringify(event({ id: "t", route: "trip", input: 1 })))) as Readonly<
    Record<string, string>
  >;
  expect(await post("tasks", { ...more, data_base64 })).toEqual(SUCCESS);
  expect(rig.seen.submitted.map(({ submission }) => submission.id)).toEqual(["t"]);
});

describe("too large", () => {
  test.each([
    ["a little", LIMITS.bodyBytesMax + 1],
    ["more than is read at once", 2 * LIMITS.bodyBytesMax + 1],
  ])("by %s: the first bytes, the size and the hash are kept", async (_name, size) => {
    const bytes = Buffer.alloc(size, '{"data":"0123456789');
    for (const [route, body] of [
      ["tasks", raw(bytes)],
      ["agent/Planner", raw(bytes)],
      ["manager", bytes],
    ] as const)
      expect(await post(route, body)).toEqual(SUCCESS);
    for (const { raw: kept, fault } of rig.seen.invalid) {
      expect(fault.code).toBe("message.too-large");
      expect(kept.size).toBe(size);
      expect(kept.sha256 ?? createHash("sha256").update(kept.bytes).digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect(Buffer.from(kept.bytes).subarray(0, LIMITS.invalidBytesMax).equals(bytes.subarray(0, LIMITS.invalidBytesMax))).toBe(true);
    }
    expect(rig.seen.invalid).toHaveLength(3);
  });
});

test("an expired event of a task that was done in time is not invalid", async () => {
  const old = event({ route: "trip", input: 1 }, { time: new Date(Date.now() - 2 * DAY_MS).toISOString() });
  rig.behaviour.process = async () => PROCESS;
  expect(await post("tasks", raw(JSON.stringify(old)))).toEqual(SUCCESS);
  rig.behaviour.process = async () => {
    throw new Fault("process.purged", "gone");
  };
  expect(await post("tasks", raw(JSON.stringify(old)))).toEqual(SUCCESS);
  rig.behaviour.process = async () => {
    throw new Fault("sidecar.unavailable", "no host answers");
  };
  expect(await post("tasks", raw(JSON.stringify(old)))).toEqual(RETRY);
  expect([rig.seen.invalid, rig.seen.submitted]).toEqual([[], []]);
});

test("a message that an actor cannot accept, and that no sender of ours repeats, is kept", async () => {
  for (const code of ["message.invalid", "agent.unknown"] as const) {
    rig.behaviour.deliver = async () => ({ refused: { code, message: "no" } });
    expect(await post("agent/Planner", event(message("m")))).toEqual(SUCCESS);
  }
  expect(rig.seen.invalid.map(({ fault }) => fault.code)).toEqual(["message.invalid", "agent.unknown"]);
});

describe("when a broker must be answered at once", () => {
  beforeEach(async () => {
    await rig.host.drain();
    rig = await startRig({ answerAtOnce: true });
  });

  test("an invalid message is acknowledged, and offered until the dead letter queue has stored it", async () => {
    const faults = [new Fault("store.unavailable", "down"), new Fault("sidecar.unavailable", "down")];
    rig.behaviour.invalid = async () => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
    };
    for (const route of ["tasks", "manager", "agent/Planner"]) expect(await post(route, raw(`{${route}`))).toEqual(SUCCESS);
    await expect.poll(() => rig.seen.invalid.map(({ bytes }) => bytes).sort()).toEqual(["{agent/Planner", "{manager", "{tasks"]);
  });

  test("the queue is bounded, and valid tasks pass it", async () => {
    const kept = gate();
    rig.behaviour.invalid = () => kept.opened;
    let taken = 0;
    for (let n = 0; n < 2 * LIMITS.invalidQueueMax; n += 1)
      if (JSON.stringify(await post("tasks", raw(`{${n}`))) === JSON.stringify(SUCCESS)) taken += 1;
    expect(taken).toBeGreaterThanOrEqual(LIMITS.invalidQueueMax);
    expect(taken).toBeLessThan(2 * LIMITS.invalidQueueMax);
    expect(await post("tasks", raw(JSON.stringify(event({ id: "good", route: "trip", input: 1 }))))).toEqual(SUCCESS);
    expect(rig.seen.submitted.map(({ submission }) => submission.id)).toEqual(["good"]);
    kept.open();
    await rig.host.drain();
    expect(rig.seen.invalid).toHaveLength(taken);
  });
});

test("messages that arrive before the sidecar is known wait for it", async () => {
  await rig.host.drain();
  const known = gate();
  let waited = 0;
  rig = await startRig({
    ready: () => {
      waited += 1;
      return known.opened;
    },
  });
  const answers = [post("tasks", raw(JSON.stringify(event({ id: "early", route: "trip", input: 1 })))), post("manager", raw("{"))];
  await expect.poll(() => waited).toBe(2);
  expect([rig.seen.submitted, rig.seen.inQueue]).toEqual([[], 0]);
  known.open();
  expect(await Promise.all(answers)).toEqual([SUCCESS, SUCCESS]);
  expect([rig.seen.submitted.map(({ submission }) => submission.id), rig.seen.invalid.length]).toEqual([["early"], 1]);
});

test("while the broker is unknown, an invalid message is acknowledged on the dead letter queue's receipt", async () => {
  await rig.host.drain();
  rig = await startRig({ answerAtOnce: () => undefined });
  rig.behaviour.invalid = async () => {
    throw new Fault("store.unavailable", "down");
  };
  expect(await post("tasks", raw("{"))).toEqual(RETRY);
});
