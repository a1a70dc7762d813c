/** @module A real daprd with placement and scheduler as a rig; the app is a process that plays the case's script. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DaprReminders, goDuration } from "../../actors/dapr/reminders.ts";
import { SidecarClient } from "../../actors/dapr/client.ts";
import { openStore } from "../../actors/dapr/group-commit.ts";
import { sidecarFacts } from "../../actors/dapr/sidecar.ts";
import { DaprTransport } from "../../actors/dapr/transport.ts";
import type { Reminders, InsertResult, StateStore, Transport } from "../../actors/engine/ports.ts";
import {
  Cluster,
  type DaprBinaries,
  freePort,
  type RedisStore,
  renderResources,
  type Restartable,
  type Sidecar,
  startRedis,
} from "../../cli/dapr/index.ts";
import type { Json } from "../../runtime/faults.ts";
import { actorType, type Address, type Message, topics, type TurnAnswer } from "../../runtime/protocol.ts";
import { AppProcess } from "./world-app-process.ts";
import type { Case } from "./world-case.ts";
import { SpoilingProxy } from "./world-proxy.ts";
import {
  BLANKS,
  type Blank,
  type CallTrouble,
  comes,
  type Freezable,
  type Mortal,
  Script,
  type WorldRig,
  type WriteTrouble,
} from "./world-rig.ts";

const LOOPBACK = "127.0.0.1";
const READY_MS = 30_000;
const POLL_MS = 25;
/** How long a hasty caller waits. */
const HASTY_MS = 400;

/** Stops what was started, the last first. */
class Ends {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

/** Placement, scheduler and a Redis, which the rigs share. */
export class DaprGround {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly redis: RedisStore | undefined;
  readonly #ends: Ends;

  private constructor(dir: string, cluster: Cluster, redis: RedisStore | undefined, ends: Ends) {
    this.dir = dir;
    this.cluster = cluster;
    this.redis = redis;
    this.#ends = ends;
  }

  static async start(binaries: DaprBinaries, withRedis: boolean): Promise<DaprGround> {
    const ends = new Ends();
    try {
      const dir = await mkdtemp(join(tmpdir(), "troupe-world-"));
      ends.add(() => rm(dir, { recursive: true, force: true }));
      const redis = withRedis ? await startRedis({ dir: join(dir, "redis"), appendfsync: "always" }) : undefined;
      if (redis !== undefined) ends.add(() => redis.stop());
      const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log: () => undefined });
      ends.add(() => cluster.stop());
      return new DaprGround(dir, cluster, redis, ends);
    } catch (error) {
      await ends.run();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#ends.run();
  }
}

/** A rig over one daprd. */
export class DaprdRig implements WorldRig {
  readonly world: "embedded" | "redis";
  readonly system: string;
  readonly script: Script;
  readonly store: StateStore;
  readonly reminders: Reminders;
  readonly transport: Transport;
  readonly hasty: Transport;
  readonly hastyReminders: Reminders;
  readonly app: Freezable;
  readonly sidecar: Mortal;
  readonly scheduler: Mortal;
  readonly placement: Mortal;
  readonly backend: Mortal | undefined;
  readonly broker: Mortal | undefined;
  readonly #ground: DaprGround;
  readonly #ends: Ends;
  readonly #client: SidecarClient;
  readonly #proxy: SpoilingProxy;
  readonly #spoiled: { readonly store: StateStore; readonly transport: Transport };

  private constructor(parts: Parts, real: Real) {
    this.world = parts.world;
    this.system = parts.system;
    this.script = parts.script;
    this.store = parts.store;
    this.reminders = parts.reminders;
    this.transport = parts.transport;
    this.hasty = parts.hasty;
    this.hastyReminders = parts.hastyReminders;
    this.#ground = real.ground;
    this.#ends = real.ends;
    this.#client = real.client;
    this.#proxy = real.proxy;
    this.#spoiled = real.spoiled;
    const { app, sidecar, ground } = real;
    const ready = (): Promise<void> => this.#ready();
    this.app = {
      kill: () => app.kill(),
      start: async () => {
        await app.start();
        await ready();
      },
      freeze: async () => app.signal("SIGSTOP"),
      wake: async () => app.signal("SIGCONT"),
    };
    this.sidecar = mortal(sidecar, async () => {
      await sidecar.waitReady(READY_MS);
      await ready();
    });
    this.placement = mortal(ground.cluster.placement, ready);
    this.scheduler = mortal(ground.cluster.scheduler, () => this.#remindersReady());
    this.backend = this.world === "redis" && ground.redis !== undefined ? mortal(ground.redis, () => this.#storeReady()) : undefined;
    this.broker = this.backend;
  }

  static async start(ground: DaprGround, world: "embedded" | "redis"): Promise<DaprdRig> {
    const ends = new Ends();
    try {
      return await build(ground, world, ends, (parts, real) => new DaprdRig(parts, real));
    } catch (error) {
      await ends.run();
      throw error;
    }
  }

  async loseReminders(): Promise<void> {
    await this.#ground.cluster.dropSchedulerData();
    await this.#remindersReady();
  }

  /** Directly to the sidecar: the ports have no reminder without a period. */
  async setOnce({ type, id }: Address, name: string, dueMs: number): Promise<void> {
    await this.#client.call({
      method: "POST",
      path: `/v1.0/actors/${type}/${id}/reminders/${name}`,
      body: JSON.stringify({ dueTime: goDuration(dueMs) }),
    });
  }

  insert(trouble: WriteTrouble, key: string, text: string): Promise<InsertResult> {
    this.#proxy.spoilNext(trouble);
    return this.#spoiled.store.insert(key, text);
  }

  deliver(trouble: CallTrouble, message: Message): Promise<TurnAnswer> {
    this.#proxy.spoilNext(trouble);
    return this.#spoiled.transport.deliver(message);
  }

  blank(actor: Address, how: Blank): void {
    this.script.once(actor.id, BLANKS[how]);
  }

  elapse(ms: number): Promise<void> {
    return sleep(ms);
  }

  comes(condition: () => boolean, withinMs: number): Promise<boolean> {
    return comes(this.script, (ms, run) => void setTimeout(run, ms), condition, withinMs);
  }

  run(one: Case): Promise<Json> {
    return one.run(this);
  }

  stop(): Promise<void> {
    return this.#ends.run();
  }

  #ready(): Promise<void> {
    return eventually(() => this.hasty.inspect(this.#probe));
  }

  #remindersReady(): Promise<void> {
    return eventually(async () => {
      await this.reminders.set(this.#probe, "ready", READY_MS, READY_MS);
      await this.reminders.remove(this.#probe, "ready");
    });
  }

  #storeReady(): Promise<void> {
    return eventually(() => this.store.read(["ready"]));
  }

  get #probe(): Address {
    return { type: actorType(this.system, "Doer"), id: "ready" };
  }
}

interface Real {
  readonly ground: DaprGround;
  readonly ends: Ends;
  readonly app: AppProcess;
  readonly sidecar: Sidecar;
  readonly client: SidecarClient;
  readonly proxy: SpoilingProxy;
  readonly spoiled: { readonly store: StateStore; readonly transport: Transport };
}

type Parts = Pick<DaprdRig, "world" | "system" | "script" | "store" | "reminders" | "transport" | "hasty" | "hastyReminders">;

async function build(
  ground: DaprGround,
  world: "embedded" | "redis",
  ends: Ends,
  make: (parts: Parts, real: Real) => DaprdRig,
): Promise<DaprdRig> {
  const system = `world-${world}`;
  const script = new Script();
  const dir = join(ground.dir, world);
  const resourcesDir = await renderResources(world, { dir, ...(ground.redis === undefined ? {} : { redisHost: ground.redis.host }) });
  await writeFile(join(resourcesDir, "results.yaml"), subscription(topics.results(system)));
  const [appPort, httpPort] = [await freePort(), await freePort()];
  const app = new AppProcess([system, String(appPort), String(httpPort), world === "embedded" ? "in-memory" : "redis"], script);
  ends.add(() => app.kill());
  await app.start();
  const sidecar = await ground.cluster.startSidecar({ appId: system, appPort, httpPort, resourcesDir });
  ends.add(() => sidecar.stop());
  await sidecar.waitReady(READY_MS);
  const proxy = await SpoilingProxy.start(httpPort);
  ends.add(() => proxy.stop());
  const origin = `http://${LOOPBACK}:${httpPort}`;
  const clients = {
    patient: new SidecarClient({ origin }),
    hasty: new SidecarClient({ origin, timeoutMs: HASTY_MS }),
    spoiled: new SidecarClient({ origin: proxy.origin, timeoutMs: HASTY_MS }),
  };
  ends.add(() => Promise.all(Object.values(clients).map((client) => client.close())));
  const { components } = await sidecarFacts({ origin });
  const store = (client: SidecarClient): StateStore => openStore(client, "statestore", components.get("statestore"));
  const transport = (client: SidecarClient): Transport => new DaprTransport(client, { pubsub: "pubsub", source: system });
  return make(
    {
      world,
      system,
      script,
      store: store(clients.patient),
      reminders: new DaprReminders(clients.patient),
      transport: transport(clients.patient),
      hasty: transport(clients.hasty),
      hastyReminders: new DaprReminders(clients.hasty),
    },
    {
      ground,
      ends,
      app,
      sidecar,
      client: clients.patient,
      proxy,
      spoiled: { store: store(clients.spoiled), transport: transport(clients.spoiled) },
    },
  );
}

function mortal(part: Restartable, ready: () => Promise<void>): Mortal {
  return {
    kill: () => part.kill("SIGKILL"),
    start: async () => {
      await part.start();
      await ready();
    },
  };
}

/** Retries an action while a part restarts. */
async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + READY_MS; ;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** The notifications' topic, which no host reads. */
function subscription(topic: string): string {
  return JSON.stringify({
    apiVersion: "dapr.io/v2alpha1",
    kind: "Subscription",
    metadata: { name: "results" },
    spec: { pubsubname: "pubsub", topic, routes: { default: "/topics/results" } },
  });
}
