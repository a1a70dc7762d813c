/** @module Dapr's actor protocol: only the allowed methods, only messages for the actor, and an orderly shutdown. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codedFault } from "../../../actors/dapr/client.ts";
import { Fault } from "../../../runtime/faults.ts";
import { ErrorAnswer, event, gate, message, startRig, type Answer, type HttpRig } from "./rig.ts";

const RECEIVE = "/actors/party.Planner/p-1/method/receive";

let rig: HttpRig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => rig.host.drain());

function code(answer: Answer): string {
  expect(answer.text).not.toMatch(/node_modules|\.ts:|<html/);
  return ErrorAnswer.parse(answer.json).error.code;
}

describe("actors", () => {
  test("the configuration names the types and keeps turns safe", async () => {
    expect((await rig.call("GET", "/dapr/config")).json).toEqual({
      entities: ["party.Planner", "party.ProcessManager"],
      actorIdleTimeout: "900s",
      drainOngoingCallTimeout: "2s",
      drainRebalancedActors: true,
      reentrancy: { enabled: false },
    });
  });

  test("receive passes the message to the host and returns its answer", async () => {
    expect((await rig.call("PUT", RECEIVE, message("m-1"))).json).toEqual({ receipt: { messageId: "m-1", sequence: 1 } });
    expect(rig.seen.received).toEqual([message("m-1")]);
    rig.behaviour.receive = async () => ({ refused: { code: "agent.busy", message: "full" } });
    const refused = await rig.call("PUT", RECEIVE, message("m-2"));
    expect([refused.status, refused.json]).toEqual([200, { refused: { code: "agent.busy", message: "full" } }]);
  });

  test("the other methods", async () => {
    expect(
      (await rig.call("PUT", "/actors/party.Planner/p-1/method/heartbeat", { workId: "w", token: "t", state: "running" })).status,
    ).toBe(200);
    expect((await rig.call("PUT", "/actors/party.Planner/p-1/method/inspect", {})).json).toEqual({ id: "p-1" });
    expect((await rig.call("PUT", "/actors/party.Planner/p-1/method/nudge", {})).json).toEqual({ phase: "open", bucket: "b" });
    expect((await rig.call("PUT", "/actors/party.Planner/p-1/method/remind/run-1", { dueTime: "1s" })).status).toBe(200);
    expect((await rig.call("PUT", "/actors/party.Planner/p-1/method/remind/run-1", { data: [1] })).status).toBe(200);
    expect((await rig.call("PUT", "/actors/party.Planner/p-1/method/remind/run-1", [1])).status).toBe(400);
    for (const id of ["p-1", "never-seen"]) expect((await rig.call("DELETE", `/actors/party.Planner/${id}`)).status).toBe(200);
    expect((await rig.call("DELETE", "/actors/other.Type/x")).status).toBe(200);
    expect(rig.seen.events).toEqual([
      "beat party.Planner/p-1 w t",
      "nudge party.Planner/p-1",
      "tick party.Planner/p-1 run-1",
      "tick party.Planner/p-1 run-1 [1]",
      "deactivate party.Planner/p-1",
      "deactivate party.Planner/never-seen",
    ]);
  });

  test.each(["constructor", "toString", "tick", "deactivate", "__proto__", "timer/x", "receive/x", "getDaprClient"])(
    "the method %s is refused",
    async (method) => {
      // A 404 would lose its body in daprd, so it is sent as a 500.
      const answer = await rig.call("PUT", `/actors/party.Planner/p-1/method/${method}`, {});
      expect([answer.status, code(answer)]).toEqual([500, "route.unknown"]);
      expect([rig.seen.events, rig.seen.received]).toEqual([[], []]);
    },
  );

  test.each([
    ["not JSON", "{", RECEIVE, "body.invalid"],
    ["no body", "", RECEIVE, "message.invalid"],
    ["an unknown key", { ...message("m"), extra: 1 }, RECEIVE, "message.invalid"],
    ["no version", { ...message("m"), v: undefined }, RECEIVE, "message.invalid"],
    ["a version that never was", { ...message("m"), v: 0 }, RECEIVE, "message.invalid"],
    ["a newer version, which may pass", { ...message("m"), v: 2 }, RECEIVE, "journal.newer"],
    ["a body of unknown kind", { ...message("m"), body: { kind: "other" } }, RECEIVE, "message.invalid"],
    ["a message for another actor", message("m", { type: "party.Planner", id: "p-2" }), RECEIVE, "message.invalid"],
    ["a message for another type", message("m", { type: "party.ProcessManager", id: "p-1" }), RECEIVE, "message.invalid"],
    ["a type not served", message("m", { type: "party.Other", id: "p-1" }), "/actors/party.Other/p-1/method/receive", "agent.unknown"],
    ["an id that is none", message("m"), "/actors/party.Planner/a%2Fb/method/receive", "id.invalid"],
    [
      "a heartbeat with more",
      { workId: "w", token: "t", state: "running", x: 1 },
      "/actors/party.Planner/p-1/method/heartbeat",
      "body.invalid",
    ],
  ])("%s is refused", async (_name, body, path, expected) => {
    const answer = await rig.call("PUT", path, body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).not.toBe(404);
    expect(code(answer)).toBe(expected);
    expect([rig.seen.events, rig.seen.received]).toEqual([[], []]);
  });

  test("a turn or a tick that throws is an answer, and the next one runs", async () => {
    rig.behaviour.receive = async () => {
      throw new Error("swordfish");
    };
    rig.behaviour.tick = async () => {
      throw null;
    };
    expect(code(await rig.call("PUT", RECEIVE, message("m")))).toBe("turn.failed");
    expect(code(await rig.call("PUT", "/actors/party.Planner/p-1/method/remind/a", {}))).toBe("turn.failed");
    rig.behaviour.receive = async () => {
      throw new Fault("store.unavailable", "down");
    };
    const down = await rig.call("PUT", RECEIVE, message("m"));
    expect([down.status, code(down)]).toEqual([503, "store.unavailable"]);
    // The sender finds the code again, also when daprd wraps the body.
    expect(codedFault(down.text)?.code).toBe("store.unavailable");
    expect(
      codedFault(
        JSON.stringify({
          errorCode: "ERR_ACTOR_INVOKE_METHOD",
          message: `error invoke actor method: error from actor service: (503) ${down.text}`,
        }),
      )?.code,
    ).toBe("store.unavailable");
  });
});

describe("the end", () => {
  test("a stopping host refuses new work, reports that, and finishes what it has", async () => {
    const turn = gate();
    const begun = gate();
    rig.behaviour.receive = async ({ id }) => {
      begun.open();
      await turn.opened;
      return { receipt: { messageId: id, sequence: 7 } };
    };
    const running = rig.call("PUT", RECEIVE, message("m-1"));
    await begun.opened;
    const drained = rig.host.drain();
    expect((await rig.call("GET", "/healthz")).status).toBe(503);
    expect(code(await rig.call("POST", "/tasks", { route: "trip", input: 1 }))).toBe("system.stopping");
    expect(code(await rig.call("PUT", RECEIVE, message("m-2")))).toBe("system.stopping");
    expect((await rig.call("POST", "/topics/tasks", event({ route: "trip", input: 1 }))).json).toEqual({ status: "RETRY" });
    expect((await rig.call("DELETE", "/actors/party.Planner/p-1")).status).toBe(200);
    turn.open();
    expect((await running).json).toEqual({ receipt: { messageId: "m-1", sequence: 7 } });
    await drained;
    await expect(fetch(`${rig.origin}/healthz`)).rejects.toThrow();
    expect([rig.seen.submitted, rig.seen.invalid, rig.seen.received.length]).toEqual([[], [], 1]);
  });

  test("a port that is taken has a code", async () => {
    const other = await startRig();
    const port = Number(new URL(rig.origin).port);
    await other.host.drain();
    const third = await startRig();
    await third.host.drain();
    await expect(third.host.listen(port)).rejects.toMatchObject({ code: "port.taken" });
  });
});
