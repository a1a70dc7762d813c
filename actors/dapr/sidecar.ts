/**
 * @module What the sidecar is: its version and its components, asked once at the start through @dapr/dapr.
 *
 * This is the place where @dapr/dapr's client is used: metadata is asked for once, and its answer is checked here.
 */
import { CommunicationProtocolEnum, DaprClient, LogLevel } from "@dapr/dapr";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { SidecarOptions } from "./client.ts";

/** The Dapr runtimes that this was tested with. Hazards change between minor versions. */
const VERSION = /^1\.18\.\d+$/;

const Metadata = z.object({
  id: z.string(),
  runtimeVersion: z.string().optional(),
  components: z.array(z.object({ name: z.string(), type: z.string(), version: z.string().optional(), capabilities: z.array(z.string()).nullish() })).default([]),
});

/** What the sidecar said of itself when it was asked. */
export interface SidecarFacts {
  readonly appId: string;
  readonly version: string;
  /** Component name to component type, such as `state.sqlite`. */
  readonly components: ReadonlyMap<string, string>;
}

/**
 * Asks the sidecar what it is, once; a sidecar that is starting is waited for up to `waitMs`.
 * Throws `sidecar.unavailable`, and `dapr.version` when it is not 1.18.
 */
export async function sidecarFacts(options: SidecarOptions, waitMs: number = LIMITS.sidecarCallMs): Promise<SidecarFacts> {
  const url = new URL(options.origin);
  const client = new DaprClient({
    daprHost: url.hostname,
    daprPort: url.port,
    communicationProtocol: CommunicationProtocolEnum.HTTP,
    logger: { level: LogLevel.Error },
    ...(options.apiToken === undefined ? {} : { daprApiToken: options.apiToken }),
  });
  return facts(await within(client.metadata.get(), waitMs, options.origin), options.origin);
}

/** Whether a pubsub component delivers under a lock that the publisher waits for (hazards, section 0), so that subscribers must answer at once. */
export function answersAtOnce(componentType: string | undefined): boolean {
  return componentType === "pubsub.in-memory";
}

function facts(answer: unknown, origin: string): SidecarFacts {
  const parsed = Metadata.safeParse(answer);
  if (!parsed.success) throw new Fault("sidecar.unavailable", `${origin}/v1.0/metadata does not answer as Dapr does`);
  const { id, runtimeVersion, components } = parsed.data;
  const version = runtimeVersion ?? "unknown";
  if (!VERSION.test(version)) throw new Fault("dapr.version", `the sidecar at ${origin} is Dapr ${version}; 1.18 is needed`, { version });
  return { appId: id, version, components: new Map(components.map(({ name, type }) => [name, type])) };
}

/** @dapr/dapr 3.18.0 waits for a sidecar for 60 s (implementation/Client/DaprClient.js, awaitSidecarStarted) and takes no signal. */
async function within<T>(promise: Promise<T>, waitMs: number, origin: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault("sidecar.unavailable", `no sidecar answers at ${origin} within ${waitMs} ms, or it asks for another DAPR_API_TOKEN`)), waitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("sidecar.unavailable", `${origin}: ${error instanceof Error ? error.message : String(error)}`, undefined, error);
  } finally {
    clearTimeout(timer);
  }
}
