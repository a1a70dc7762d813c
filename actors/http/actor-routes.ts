/**
 * @module Dapr's actor protocol on our own routes.
 *
 * @dapr/dapr 3.18.0 serves it too, but a throwing reminder ends the Node process, every prototype method can be called
 * from outside, and deactivating an unknown actor is an error (implementation/Server/HTTPServer/actor.js).
 */
import { Router, type Request } from "express";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { isId } from "../../runtime/ids.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { DeltaRequest } from "../../runtime/model/deltas.ts";
import { type Address, WorkStatus } from "../../runtime/protocol.ts";
import type { ActorHost } from "../engine/ports.ts";
import type { MessageKeys } from "../engine/signatures.ts";
import { check, readJson } from "./body.ts";
import { checkMessage } from "./message.ts";

const SECOND_MS = 1_000;

/**
 * Idle time after which daprd deactivates an actor. daprd counts it from the beginning of the last turn and deactivates
 * even during a turn (dapr 1.18.2 pkg/actors/targets/app/app.go). It is 1.5 times the most distant reminder: no actor
 * at which a reminder rings becomes idle, and none exactly when it rings.
 */
const IDLE_S = Math.ceil((1.5 * LIMITS.reminderMs) / SECOND_MS);

/**
 * How long daprd waits for turns in flight while placement changes; all calls of the type wait meanwhile. A turn lasts
 * milliseconds, and one that is cut off is fenced by the journal. It must stay below placement's --disseminate-timeout
 * (8 s, and 4 s as cli/dapr/plans.ts sets it), or placement drops the host.
 */
const DRAIN_S = 2;

/** What daprd sends with a ring: what was set, with the data of the reminder. */
const RingBody = z.looseObject({ data: z.json().optional() });
const NudgeBody = z.strictObject({ run: z.int().nonnegative().optional() });
const HeartbeatBody = WorkStatus.extend({ workId: z.string().min(1), token: z.string().min(1) });

/** The configuration that daprd requests when it starts. */
function daprConfig(host: ActorHost): object {
  return {
    entities: [...host.types],
    actorIdleTimeout: `${IDLE_S}s`,
    drainOngoingCallTimeout: `${DRAIN_S}s`,
    drainRebalancedActors: true,
    reentrancy: { enabled: false },
  };
}

/** The routes of the actor protocol. `admit` throws `system.stopping` when no new turn may begin. */
export function actorRoutes(host: ActorHost, keys: MessageKeys, admit: () => void): Router {
  const router = Router({ caseSensitive: true });
  router.get("/dapr/config", (_request, response) => {
    response.json(daprConfig(host));
  });
  router.put("/actors/:type/:id/method/receive", async (request, response) => {
    admit();
    const actor = actorOf(host, request);
    const message = checkMessage(keys, await readJson(request), "the message");
    if (message.to.type !== actor.type || message.to.id !== actor.id) {
      throw new Fault(
        "message.invalid",
        `message ${message.id} is for ${message.to.type}/${message.to.id} but was sent to ${actor.type}/${actor.id}`,
      );
    }
    response.json(await host.receive(message));
  });
  router.put("/actors/:type/:id/method/heartbeat", async (request, response) => {
    const actor = actorOf(host, request);
    host.heartbeat(actor, check(HeartbeatBody, await readJson(request), "body.invalid", "the heartbeat"));
    response.json({});
  });
  router.put("/actors/:type/:id/method/deltas", async (request, response) => {
    const actor = actorOf(host, request);
    const asked = check(DeltaRequest, await readJson(request), "body.invalid", "the pieces of replies");
    response.json(host.deltas?.(actor, asked) ?? { followed: false });
  });
  router.put("/actors/:type/:id/method/inspect", async (request, response) => {
    response.json(await host.inspect(actorOf(host, request)));
  });
  router.put("/actors/:type/:id/method/nudge", async (request, response) => {
    admit();
    const { run } = check(NudgeBody, (await readJson(request)) ?? {}, "body.invalid", "the nudge");
    response.json(await host.nudge(actorOf(host, request), run));
  });
  router.put("/actors/:type/:id/method/remind/:name", async (request, response) => {
    admit();
    const { data } = check(RingBody, (await readJson(request)) ?? {}, "body.invalid", "the reminder");
    await host.tick(actorOf(host, request), request.params.name, data);
    response.json({});
  });
  router.put("/actors/:type/:id/method/{*rest}", (request) => {
    actorOf(host, request);
    throw new Fault("route.unknown", "an actor has only the methods receive, heartbeat, deltas, inspect and nudge");
  });
  router.delete("/actors/:type/:id", (request, response) => {
    // Any actor, known or not, is inactive here afterwards. daprd would only log an answer other than 200.
    const { type, id } = request.params;
    if (host.types.includes(type)) host.deactivate({ type, id });
    response.json({});
  });
  return router;
}

function actorOf(host: ActorHost, request: Request): Address {
  const { type, id } = request.params;
  if (typeof type !== "string" || !host.types.includes(type))
    throw new Fault("agent.unknown", `this host serves no actors of type ${String(type).slice(0, LIMITS.idLengthMax)}`);
  if (typeof id !== "string" || !isId(id))
    throw new Fault("id.invalid", `${JSON.stringify(String(id).slice(0, LIMITS.idLengthMax))} is not an actor id`);
  return { type, id };
}
