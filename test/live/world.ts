/**
 * @module A whole installation for one live test: store, placement, scheduler, hosts, ledger and a careful client.
 *
 * Everything is in one temporary folder and listens on loopback; `stop` leaves nothing behind.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, findDapr, type Profile, renderResources, type Restartable, startPostgres, startRedis } from "../../cli/dapr/index.ts";
import { Client } from "./client.ts";
import { LiveHost } from "./host.ts";
import { Ledger } from "./ledger.ts";
import { makeRandom } from "./random.ts";

const ANSWER_MS_MAX = 30;
const DAPR_LOG = "dapr.log";

export interface WorldOptions {
  readonly profile: Profile;
  readonly hosts?: number;
  readonly seed: number;
  /** More environment for the apps. */
  readonly env?: Readonly<Record<string, string>>;
  readonly answerMsMax?: number;
  /** With a configuration store `settings` in Redis, in that profile. */
  readonly hasSettings?: boolean;
  readonly tokens?: { readonly app: string; readonly daprd: string };
  /** @default info */
  readonly daprLogLevel?: "debug";
}

function settingsIn(redisHost: string): string {
  const metadata = `[{ name: redisHost, value: ${JSON.stringify(redisHost)} }, { name: redisPassword, value: "" }]`;
  return [
    "apiVersion: dapr.io/v1alpha1",
    "kind: Component",
    "metadata: { name: settings }",
    `spec: { type: configuration.redis, version: v1, metadata: ${metadata} }`,
    "",
  ].join("\n");
}

interface Store extends Restartable {
  stop(): Promise<void>;
}

export class World {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly store: Store | undefined;
  readonly resourcesDir: string;
  readonly hosts: readonly LiveHost[];
  readonly ledger: Ledger;
  readonly client: Client;
  /** Redis's port in that profile. */
  readonly storePort: number;

  private constructor(parts: Omit<World, "client" | "stop" | "host" | "daprLog">, token: string | undefined) {
    this.dir = parts.dir;
    this.cluster = parts.cluster;
    this.store = parts.store;
    this.resourcesDir = parts.resourcesDir;
    this.storePort = parts.storePort;
    this.hosts = parts.hosts;
    this.ledger = parts.ledger;
    this.client = new Client(() => this.hosts.map((host) => host.url), token);
  }

  /** The only host, or the first. */
  get host(): LiveHost {
    const [first] = this.hosts;
    if (first === undefined) throw new Error("the world has no host");
    return first;
  }

  static async start(options: WorldOptions): Promise<World> {
    const { profile, hosts: count = 1, seed, env, answerMsMax = ANSWER_MS_MAX, tokens } = options;
    const binaries = await findDapr();
    if (binaries === undefined) throw new Error("no Dapr programs were found: run `npm start -- doctor --install`");
    const dir = await mkdtemp(join(tmpdir(), "troupe-live-"));
    const log = (source: string, line: string): void => appendFileSync(join(dir, DAPR_LOG), `${source} ${line}\n`);
    const begun: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
    try {
      const redis = profile === "redis" ? await startRedis({ dir: join(dir, "redis"), appendfsync: "always" }) : undefined;
      if (redis !== undefined) begun.push(() => redis.stop());
      const postgres = profile === "postgres" ? await startPostgres({ dir: join(dir, "postgres") }) : undefined;
      if (postgres !== undefined) begun.push(() => postgres.stop());
      const cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log, logLevel: options.daprLogLevel ?? "info" });
      begun.push(() => cluster.stop());
      const resourcesDir = await renderResources(profile, {
        dir,
        ...(redis === undefined ? {} : { redisHost: redis.host }),
        ...(postgres === undefined ? {} : { postgresUrl: postgres.url }),
      });
      if (options.hasSettings === true && redis !== undefined) await writeFile(join(resourcesDir, "settings.yaml"), settingsIn(redis.host));
      const ledger = await Ledger.start({ answerMsMax, random: makeRandom(seed ^ 0x1ed6e5) });
      begun.push(() => ledger.stop());
      const hosts: LiveHost[] = [];
      for (let index = 0; index < count; index += 1) {
        hosts.push(
          await LiveHost.start({
            name: `host${index}`,
            dir,
            cluster,
            resourcesDir,
            ledgerUrl: ledger.url,
            ...(env === undefined ? {} : { env }),
            ...(tokens === undefined ? {} : { tokens }),
          }),
        );
      }
      return new World({ dir, cluster, store: redis ?? postgres, storePort: redis?.port ?? 0, resourcesDir, hosts, ledger }, tokens?.app);
    } catch (error) {
      // A start that fails half-way leaves nothing behind either.
      for (const end of begun.toReversed()) await end();
      throw error;
    }
  }

  /** What Dapr's programs printed. */
  daprLog(): string {
    return readFileSync(join(this.dir, DAPR_LOG), "utf8");
  }

  /** Stops everything. The folder stays if `keep` is set, to investigate a failure. */
  async stop(keep = process.env["LIVE_KEEP"] !== undefined): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    await this.cluster.stop();
    await this.store?.stop();
    await this.ledger.stop();
    if (keep) process.stdout.write(`kept: ${this.dir}\n`);
    else await rm(this.dir, { recursive: true, force: true });
  }
}
