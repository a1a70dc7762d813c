/** @module Signatures of messages: what the system sent passes, on topics and to actors; anything else is an invalid message. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MessageKeys, SIGNATURE_BYTES } from "../../actors/engine/signatures.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { event, message, startRig, type HttpRig } from "./http/rig.ts";

const [OLD, NEW, OTHER] = ["o", "n", "x"].map((letter) => letter.repeat(LIMITS.messageKeyCharsMin)) as [string, string, string];
const RECEIVE = "/actors/party.Planner/p-1/method/receive";
const unsigned = { code: "message.signature" };

/** The message as daprd delivers it: keys in another order, and numbers and letters written in another way. */
function reencoded(sealed: string): Record<string, unknown> {
  const keys = Object.entries(JSON.parse(sealed) as Record<string, unknown>).toReversed();
  return JSON.parse(JSON.stringify(Object.fromEntries(keys)).replaceAll("<", "\\u003c").replaceAll("0.5", "5e-1")) as Record<
    string,
    unknown
  >;
}

describe("a message", () => {
  const sent = {
    ...message("m"),
    body: { kind: "answer", workId: "w", index: 0, result: { output: { json: [0.5, "<&> 😀\u2028"] } } },
  } as const;

  test("is opened as it was, however its JSON was written", () => {
    const keys = new MessageKeys([NEW]);
    expect(keys.open(reencoded(keys.seal(sent)))).toEqual(sent);
    expect(Buffer.byteLength(keys.seal(sent)) - Buffer.byteLength(JSON.stringify(sent))).toBe(SIGNATURE_BYTES);
  });

  test("is refused when it is not signed, signed with another key, or changed", () => {
    const keys = new MessageKeys([NEW]);
    const sealed = JSON.parse(keys.seal(sent)) as Record<string, unknown>;
    const forged = [
      sent,
      JSON.parse(new MessageKeys([OTHER]).seal(sent)),
      { ...sealed, principal: { subject: "root", tenant: "t", permissions: [] } },
      { ...sealed, extra: 1 },
      { ...sealed, mac: "" },
      { ...sealed, mac: null },
      { ...sealed, mac: `${String(sealed["mac"])}A` },
      { mac: sealed["mac"], deep: JSON.parse(`${"[".repeat(260)}${"]".repeat(260)}`) as unknown },
    ];
    for (const one of forged) expect(() => keys.open(one)).toThrow(expect.objectContaining(unsigned));
  });

  test("keeps passing while a key is replaced", () => {
    const steps = [[], [OLD], [OLD, NEW], [NEW, OLD], [NEW]].map((keys) => new MessageKeys(keys));
    for (const [index, keys] of steps.entries())
      for (const neighbour of steps.slice(Math.max(0, index - 1), index + 2)) {
        // The first key alone is the exception: a host that has it refuses the unsigned messages of those that have none yet.
        if (keys.isSigning && !neighbour.isSigning) continue;
        expect(keys.open(JSON.parse(neighbour.seal(sent)))).toEqual(sent);
      }
  });

  test("a key that can be guessed is refused", () => {
    expect(() => new MessageKeys([NEW, "secret"])).toThrow(expect.objectContaining({ code: "tokens.invalid" }));
  });
});

describe("a host with keys", () => {
  const keys = new MessageKeys([NEW, OLD]);
  let rig: HttpRig;
  beforeEach(async () => {
    rig = await startRig({ keys });
  });
  afterEach(async () => rig.host.drain());

  test("takes signed messages from topics and daprd, and keeps others as invalid messages", async () => {
    const signed = (id: string): unknown => JSON.parse(keys.seal(message(id)));
    const topic = async (data: unknown): Promise<unknown> => (await rig.call("POST", "/topics/agent/Planner", event(data))).json;
    expect(await topic(signed("m-1"))).toEqual({ status: "SUCCESS" });
    expect((await rig.call("PUT", RECEIVE, signed("m-2"))).status).toBe(200);
    expect([rig.seen.delivered, rig.seen.received]).toEqual([[message("m-1")], [message("m-2")]]);

    expect(await topic(message("m-3"))).toEqual({ status: "SUCCESS" });
    const direct = await rig.call("PUT", RECEIVE, message("m-4"));
    expect([direct.status, direct.json]).toEqual([403, expect.objectContaining({ error: expect.objectContaining(unsigned) })]);
    expect([rig.seen.delivered.length, rig.seen.received.length]).toEqual([1, 1]);
    expect(rig.seen.invalid).toEqual([expect.objectContaining({ topic: "party.agent.Planner", fault: expect.objectContaining(unsigned) })]);
  });

  test("takes unsigned tasks from outside, as an anonymous principal's", async () => {
    const task = { route: "trip", input: 1 };
    expect((await rig.call("POST", "/topics/tasks", event(task))).json).toEqual({ status: "SUCCESS" });
    expect(rig.seen.submitted[0]?.caller.principal).toEqual({ subject: "anonymous", tenant: "default", permissions: [] });
    await rig.call("POST", "/topics/tasks", event({ ...task, principal: { subject: "root", tenant: "default", permissions: [] } }));
    expect([rig.seen.submitted.length, rig.seen.invalid[0]?.fault.code]).toEqual([1, "message.invalid"]);
  });
});
