/** @module A running daprd beside one app. */
import { answers, Part, type Restartable } from "./part.ts";
import type { SidecarPorts } from "./plans.ts";
import { LOOPBACK } from "./ports.ts";

/** A daprd that can be killed and started again at the same ports. */
export interface Sidecar extends Restartable {
  readonly appId: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Starts daprd again without waiting until it is ready, because that needs the app. */
  start(): Promise<void>;
  /** Resolves when daprd is ready and, if the app hosts actors, their types are placed. */
  waitReady(timeoutMs: number): Promise<void>;
  /** Stops daprd and releases its ports. */
  stop(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 1_000;

/** The implementation of `Sidecar`. */
export class SidecarPart implements Sidecar {
  readonly appId: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly #part: Part;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #onStop: () => void;

  constructor(part: Part, ports: SidecarPorts, options: { readonly appId: string; readonly apiToken?: string }, onStop: () => void) {
    this.appId = options.appId;
    this.httpPort = ports.http;
    this.grpcPort = ports.grpc;
    this.#part = part;
    this.#headers = options.apiToken === undefined ? {} : { "dapr-api-token": options.apiToken };
    this.#onStop = onStop;
  }

  get pid(): number {
    return this.#part.pid;
  }

  get running(): boolean {
    return this.#part.running;
  }

  async start(): Promise<void> {
    if (!this.running) await this.#part.launch();
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#part.kill(signal);
  }

  async waitReady(timeoutMs: number): Promise<void> {
    await this.#part.waitReady(
      timeoutMs,
      async () => (await answers(this.httpPort, "/v1.0/healthz", PROBE_TIMEOUT_MS, this.#headers)) && (await this.#actorsPlaced()),
    );
  }

  async stop(): Promise<void> {
    await this.#part.stop();
    this.#onStop();
  }

  /** /v1.0/healthz answers 204 before the app's actor types are placed; the metadata tell when they are. */
  async #actorsPlaced(): Promise<boolean> {
    try {
      const response = await fetch(`http://${LOOPBACK}:${this.httpPort}/v1.0/metadata`, {
        headers: this.#headers,
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
      const body: unknown = await response.json();
      return response.ok && placed(body);
    } catch {
      // Not listening, or not yet ready to answer.
      return false;
    }
  }
}

/** `actorRuntime.runtimeStatus` is DISABLED for an app without actors; otherwise `hostReady` must be true. */
function placed(body: unknown): boolean {
  if (typeof body !== "object" || body === null || !("actorRuntime" in body)) return false;
  const runtime = body.actorRuntime;
  if (typeof runtime !== "object" || runtime === null) return false;
  if ("runtimeStatus" in runtime && runtime.runtimeStatus === "DISABLED") return true;
  return "hostReady" in runtime && runtime.hostReady === true;
}
