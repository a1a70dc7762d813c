/** @module A whole system in memory behind a real socket: a host, its operations and the HTTP server, with a sidecar that can be down. */
import { pino } from "pino";
import { Writable } from "node:stream";
import { z } from "zod";
import { agent } from "../../../agents/agent.ts";
import { contract } from "../../../agents/contract.ts";
import { route } from "../../../agents/route.ts";
import { system, type System } from "../../../agents/system.ts";
import { fork } from "../../../actors/fork/fork.ts";
import { Host } from "../../../actors/host/host.ts";
import { HttpHost, type HttpHostOptions } from "../../../actors/http/server.ts";
import { MemoryStore } from "../../../actors/memory/store.ts";
import { LocalWorld } from "../../../actors/memory/world.ts";
import { SILENT } from "../../../actors/engine/log.ts";
import type { Models, Ports, ReleaseSource } from "../../../actors/engine/ports.ts";
import { systemRandom, systemClock } from "../../../actors/engine/system-clock.ts";
import { SystemOperations } from "../../../actors/operations/system-operations.ts";
import { Fault } from "../../../runtime/faults.ts";
import { caller, gate, type Answer } from "./rig.ts";

const Order = z.object({ item: z.string().min(1), mood: z.enum(["good", "bad", "slow"]) });
const Till = contract("Till", 1, { input: Order, output: z.object({ paid: z.string() }) });

/** A system in memory. */
export interface RealRig {
  readonly origin: string;
  readonly log: readonly string[];
  readonly http: HttpHost;
  readonly host: Host;
  /** Bytes in the store. */
  readonly storedBytes: () => number;
  /** Lets slow orders through. */
  readonly serve: () => void;
  /** While down, sidecar and store answer nothing. */
  down: boolean;
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Submits and waits for the outcome. */
  run(id: string, mood: "good" | "bad"): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it, by default with a shop whose till takes orders in a mood. */
export async function startReal(
  options: Partial<HttpHostOptions> = {},
  served?: System,
  models?: Models,
  releases?: ReleaseSource,
): Promise<RealRig> {
  const slow = gate();
  const shop = served ?? shopOf(slow.opened);
  const store = new MemoryStore();
  const world = new LocalWorld({ clock: systemClock, random: systemRandom, store, withDeltas: true, models });
  const state = { down: false };
  const ports = failing(world.ports, () => state.down);
  const host = new Host({ system: shop, ports, log: SILENT, releases });
  world.attach(host);
  const newId = counted("made");
  const operations = new SystemOperations({
    ...{ system: shop, ports, host, newId },
    forking: async (cassette, wanted) => (await fork({ system: shop, models }, { ...wanted, cassette })).report,
  });
  await operations.releasing.look();
  const log: string[] = [];
  const logger = pino(
    { level: "warn" },
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log.push(chunk.toString());
        done();
      },
    }),
  );
  const http = new HttpHost({
    system: shop.name,
    agents: [...shop.agents.keys()],
    host,
    operations,
    transport: ports.transport,
    pubsub: "pubsub",
    answerAtOnce: false,
    logger,
    ...options,
  });
  const origin = `http://127.0.0.1:${await http.listen(0)}`;
  const call = caller(origin);
  return {
    origin,
    log,
    http,
    host,
    serve: () => slow.open(),
    storedBytes: () => store.bytes(),
    call,
    get down() {
      return state.down;
    },
    set down(down: boolean) {
      state.down = down;
    },
    run: async (id, mood) => {
      const answer = await call(
        "POST",
        "/tasks?waitMs=10000",
        { id, route: "order", input: { item: `item of ${id}`, mood } },
        options.appToken === undefined ? {} : { authorization: `Bearer ${options.appToken}` },
      );
      if (answer.status !== 200) throw new Error(`${id} did not end: ${answer.text}`);
    },
    stop: async () => {
      slow.open();
      await http.drain(host.stop(0));
    },
  };
}

/** A shop whose till takes slow orders when it is opened. */
function shopOf(opened: Promise<void>): System {
  const till = agent(Till, {
    handle: async ({ item, mood }, { signal }) => {
      if (mood === "slow") await Promise.race([opened, aborted(signal)]);
      if (mood === "bad") throw new Fault("agent.refused", `no till sells ${item}`);
      return { paid: item };
    },
  });
  const orders = route("order", 1, Order)
    .to("pay", Till, ({ task }) => task)
    .output(({ pay }) => pay);
  return system("shop", { agents: [till], routes: [orders] });
}

/** Ids that count up. */
function counted(name: string): () => string {
  let made = 0;
  return () => `${name}-${(made += 1)}`;
}

/** Rejects when the signal comes. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
}

/** Ports that answer nothing while `down`. */
function failing(ports: Ports, down: () => boolean): Ports {
  const sidecar = (): never => {
    throw new Fault("sidecar.unavailable", "the sidecar does not answer");
  };
  // Methods that never throw report an unknown result.
  const store = (method: string): unknown => {
    if (method === "insert") return "unknown";
    if (method === "replace") return false;
    throw new Fault("store.unavailable", "the state store does not answer");
  };
  return {
    ...ports,
    store: whileDown(ports.store, down, store),
    reminders: whileDown(ports.reminders, down, sidecar),
    transport: whileDown(ports.transport, down, sidecar),
  };
}

/** A part whose every method does something else while `down`. */
function whileDown<T extends object>(part: T, down: () => boolean, instead: (method: string) => unknown): T {
  return new Proxy(part, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function") return member;
      return async (...given: readonly unknown[]): Promise<unknown> =>
        down() ? instead(String(key)) : (Reflect.apply(member, target, given) as unknown);
    },
  });
}
