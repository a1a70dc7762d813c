/** @module One host of a live test: an app as a child process and its daprd. Each can be killed and restarts on its ports. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { APP_NODE_ARGS } from "../../cli/run/app-args.ts";
import { type Cluster, freePort, type Sidecar } from "../../cli/dapr/index.ts";
import { readGauges, type Gauge } from "./gauge.ts";

const APP = fileURLToPath(new URL("app.ts", import.meta.url));
const READY_MS = 60_000;
const POLL_MS = 10;
const PROBE_MS = 1_000;

export interface HostOptions {
  readonly name: string;
  /** Default `live`: all hosts of a test are one app. */
  readonly appId?: string;
  readonly dir: string;
  readonly cluster: Cluster;
  readonly resourcesDir: string;
  readonly ledgerUrl: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The token that the app requires of daprd, and the one that daprd sends; the same unless a test wants them to differ. */
  readonly tokens?: { readonly app: string; readonly daprd: string };
}

export class LiveHost {
  static readonly #alive = new Set<ChildProcess>();
  static {
    // A test that ends by an uncaught error leaves no app behind.
    process.on("exit", () => {
      for (const app of LiveHost.#alive) app.kill("SIGKILL");
    });
  }
  readonly name: string;
  readonly appPort: number;
  readonly daprPort: number;
  readonly daprGrpcPort: number;
  readonly freezeFile: string;
  readonly samplesFile: string;
  readonly logFile: string;
  readonly #options: HostOptions;
  readonly #gaugesFile: string;
  #app: ChildProcess | undefined;
  #sidecar: Sidecar | undefined;

  private constructor(options: HostOptions, appPort: number, daprPort: number, daprGrpcPort: number) {
    this.#options = options;
    this.name = options.name;
    this.appPort = appPort;
    this.daprPort = daprPort;
    this.daprGrpcPort = daprGrpcPort;
    this.#gaugesFile = join(options.dir, `${options.name}.gauges`);
    this.freezeFile = join(options.dir, `${options.name}.freeze`);
    this.samplesFile = join(options.dir, `${options.name}.samples`);
    this.logFile = join(options.dir, `${options.name}.log`);
  }

  /** Starts app and daprd, and waits until actors can be called. */
  static async start(options: HostOptions): Promise<LiveHost> {
    const host = new LiveHost(options, await freePort(), await freePort(), await freePort());
    try {
      host.startApp();
      await host.startSidecar();
      await host.sidecar.waitReady(READY_MS);
      return host;
    } catch (error) {
      await host.stop();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.appPort}`;
  }

  get sidecar(): Sidecar {
    if (this.#sidecar === undefined) throw new Error("the sidecar was not started");
    return this.#sidecar;
  }

  get appPid(): number {
    return this.#app?.pid ?? 0;
  }

  get appRunning(): boolean {
    return this.#app !== undefined && this.#app.exitCode === null && this.#app.signalCode === null;
  }

  gauges(): Readonly<Record<Gauge, number>> {
    return readGauges(this.#gaugesFile);
  }

  /** The app's output over all its lives. */
  log(): string {
    return readFileSync(this.logFile, "utf8");
  }

  startApp(more: Readonly<Record<string, string>> = {}): void {
    const file = openSync(this.logFile, "a");
    const { ledgerUrl, env, tokens } = this.#options;
    const app = spawn(process.execPath, [...APP_NODE_ARGS, APP], {
      stdio: ["ignore", file, file],
      env: {
        ...process.env,
        LIVE_APP_PORT: String(this.appPort),
        LIVE_DAPR_PORT: String(this.daprPort),
        DAPR_GRPC_PORT: String(this.daprGrpcPort),
        LIVE_LEDGER: ledgerUrl,
        LIVE_GAUGES: this.#gaugesFile,
        LIVE_FREEZE: this.freezeFile,
        LIVE_SAMPLES: this.samplesFile,
        ...(tokens === undefined ? {} : { LIVE_APP_TOKEN: tokens.app }),
        ...env,
        ...more,
      },
    });
    closeSync(file);
    this.#app = app;
    LiveHost.#alive.add(app);
    app.once("exit", () => LiveHost.#alive.delete(app));
  }

  async startSidecar(): Promise<void> {
    const { appId = "live", cluster, resourcesDir, tokens } = this.#options;
    if (this.#sidecar !== undefined) return this.#sidecar.start();
    this.#sidecar = await cluster.startSidecar({
      appId,
      appPort: this.appPort,
      resourcesDir,
      httpPort: this.daprPort,
      grpcPort: this.daprGrpcPort,
      ...(tokens === undefined ? {} : { appToken: tokens.daprd }),
    });
  }

  signalApp(signal: NodeJS.Signals): void {
    this.#app?.kill(signal);
  }

  async killApp(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const app = this.#app;
    if (app === undefined || !this.appRunning) return;
    const gone = new Promise<void>((resolve) => app.once("exit", () => resolve()));
    app.kill(signal);
    await gone;
  }

  /** The moment of the first 200 of /healthz. Throws after {@link READY_MS}. */
  async healthy(): Promise<number> {
    const end = performance.now() + READY_MS;
    while (performance.now() < end) {
      const ok = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(PROBE_MS) }).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ok) return Date.now();
      await sleep(POLL_MS);
    }
    throw new Error(`${this.name} did not become healthy:\n${this.log().slice(-4_000)}`);
  }

  async stop(): Promise<void> {
    this.signalApp("SIGCONT");
    await this.killApp();
    await this.#sidecar?.stop();
  }
}
