/**
 * @module What the sidecar is: its version and its components, asked once at the start.
 *
 * Two plain calls, without @dapr/dapr: loading that would keep 60 MiB in every host for them (docs/decisions.md).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { excerpt, parseJson, SidecarClient, type SidecarOptions } from "./client.ts";

/** The Dapr runtimes that this was tested with. Hazards change between minor versions. */
const VERSION = /^1\.18\.\d+$/;

/** Pause before a sidecar that is not ready is asked again. */
const POLL_MS = 50;
const STATUS_OK = 200;
const STATUS_OK_LAST = 299;

const Metadata = z.object({
  id: z.string(),
  runtimeVersion: z.string().optional(),
  components: z
    .array(z.object({ name: z.string(), type: z.string(), version: z.string().optional(), capabilities: z.array(z.string()).nullish() }))
    .default([]),
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
  const client = new SidecarClient({ ...options, timeoutMs: waitMs });
  try {
    await healthy(client, waitMs);
    const answer = await client.call({ method: "GET", path: "/v1.0/metadata" });
    if (answer.status !== STATUS_OK)
      throw new Fault("sidecar.unavailable", `${options.origin}/v1.0/metadata: ${excerpt(answer)}; it may ask for another DAPR_API_TOKEN`);
    return facts(parseJson(answer.text), options.origin);
  } finally {
    await client.close();
  }
}

/** daprd listens before its components and actors can be used. */
async function healthy(client: SidecarClient, waitMs: number): Promise<void> {
  const end = performance.now() + waitMs;
  for (;;) {
    const said = await client.call({ method: "GET", path: "/v1.0/healthz" }).then(
      (answer) => (answer.status >= STATUS_OK && answer.status <= STATUS_OK_LAST ? "healthy" : excerpt(answer)),
      (error: unknown) => (error instanceof Error ? error.message : "no answer"),
    );
    if (said === "healthy") return;
    if (performance.now() > end)
      throw new Fault("sidecar.unavailable", `no sidecar is ready at ${client.origin} within ${waitMs} ms: ${said}`);
    await sleep(POLL_MS);
  }
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
