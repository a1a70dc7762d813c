/**
 * @module Dapr's own client, for handlers that use its building blocks: secrets, configuration, bindings, invocation, publish.
 *
 * `@dapr/dapr` is loaded by the first call, because it costs about 60 MiB. Its `pubsub.publish`, `state.save` and `state.delete` report
 * errors in their answer and do not throw (docs/dapr-client.md).
 */
import type { DaprClient } from "@dapr/dapr";

/** Where the sidecar is. The defaults are what daprd and `dapr run` put into the environment of an app. */
export interface DaprClientOptions {
  /** @default 127.0.0.1 */
  readonly daprHost?: string;
  /** @default DAPR_HTTP_PORT, else 3500; with gRPC DAPR_GRPC_PORT, else 50001 */
  readonly daprPort?: string;
  /**
   * The client's configuration building block needs gRPC.
   * @default http
   */
  readonly protocol?: "http" | "grpc";
  /** @default DAPR_API_TOKEN */
  readonly daprApiToken?: string;
}

const PORTS = {
  http: { variable: "DAPR_HTTP_PORT", otherwise: "3500" },
  grpc: { variable: "DAPR_GRPC_PORT", otherwise: "50001" },
} as const;
const made = new Map<string, Promise<DaprClient>>();

/**
 * Returns Dapr's client for this app's sidecar. The same options give the same client. A program that ends may call its `stop`; it
 * holds no connection while it is idle.
 */
export function daprClient(options: DaprClientOptions = {}): Promise<DaprClient> {
  const { env } = process;
  const daprHost = options.daprHost ?? "127.0.0.1";
  const protocol = options.protocol ?? "http";
  const daprPort = options.daprPort ?? env[PORTS[protocol].variable] ?? PORTS[protocol].otherwise;
  const daprApiToken = options.daprApiToken ?? env["DAPR_API_TOKEN"];
  const key = JSON.stringify([protocol, daprHost, daprPort, daprApiToken]);
  const known = made.get(key);
  if (known !== undefined) return known;
  const client = load({ protocol, daprHost, daprPort }, daprApiToken);
  made.set(key, client);
  client.catch(() => made.delete(key));
  return client;
}

async function load(
  { protocol, ...at }: Required<Pick<DaprClientOptions, "protocol" | "daprHost" | "daprPort">>,
  daprApiToken: string | undefined,
): Promise<DaprClient> {
  const { CommunicationProtocolEnum, DaprClient: Client, LogLevel } = await import("@dapr/dapr");
  const communicationProtocol = protocol === "grpc" ? CommunicationProtocolEnum.GRPC : CommunicationProtocolEnum.HTTP;
  // It would tell on stdout of each start.
  const logger = { level: LogLevel.Warn };
  return new Client({ ...at, communicationProtocol, logger, ...(daprApiToken === undefined ? {} : { daprApiToken }) });
}
