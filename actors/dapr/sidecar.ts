/**
 * @module Reads the version and the components of the sidecar, once at start-up.
 *
 * It makes two plain calls without @dapr/dapr, which would keep 60 MiB in every host for them (docs/decisions.md).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type DaprVersionCheck, type DaprVersionVerdict, judgeDapr } from "../../runtime/dapr-version.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { excerpt, parseJson, SidecarClient, type SidecarOptions } from "./client.ts";

/** Pause between two requests to a sidecar that is not ready. */
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

/** The version and components that the sidecar reported. */
export interface SidecarFacts {
  readonly appId: string;
  readonly version: string;
  /** Why a version that is accepted is not a tested one. */
  readonly untested?: string;
  /** Component name to component type, such as `state.sqlite`. */
  readonly components: ReadonlyMap<string, string>;
}

/**
 * Reads the facts of the sidecar once. Waits up to `waitMs` for a sidecar that is starting.
 * @throws `sidecar.unavailable`; `dapr.version` when the check refuses its version
 */
export async function sidecarFacts(
  options: SidecarOptions,
  waitMs: number = LIMITS.sidecarCallMs,
  check: DaprVersionCheck = "newer",
): Promise<SidecarFacts> {
  const client = new SidecarClient({ ...options, timeoutMs: waitMs });
  try {
    await healthy(client, waitMs);
    const answer = await client.call({ method: "GET", path: "/v1.0/metadata" });
    if (answer.status !== STATUS_OK)
      throw new Fault(
        "sidecar.unavailable",
        `${options.origin}/v1.0/metadata: ${excerpt(answer)}; check that DAPR_API_TOKEN is the sidecar's`,
      );
    return facts(parseJson(answer.text), options.origin, check);
  } finally {
    await client.close();
  }
}

/** Waits for the sidecar's health. daprd listens before its components and actors can be used. */
async function healthy(client: SidecarClient, waitMs: number): Promise<void> {
  const end = performance.now() + waitMs;
  for (;;) {
    const said = await client.call({ method: "GET", path: "/v1.0/healthz" }).then(
      (answer) => (answer.status >= STATUS_OK && answer.status <= STATUS_OK_LAST ? "healthy" : excerpt(answer)),
      (error: unknown) => (error instanceof Error ? error.message : "no answer"),
    );
    if (said === "healthy") return;
    if (performance.now() > end)
      throw new Fault("sidecar.unavailable", `no sidecar became ready at ${client.origin} within ${waitMs} ms: ${said}`);
    await sleep(POLL_MS);
  }
}

/**
 * Whether a pubsub component delivers under a lock that the publisher waits for, so that subscribers must answer at once
 * (docs/dapr-client.md).
 */
export function answersAtOnce(componentType: string | undefined): boolean {
  return componentType === "pubsub.in-memory";
}

function facts(answer: unknown, origin: string, check: DaprVersionCheck): SidecarFacts {
  const parsed = Metadata.safeParse(answer);
  if (!parsed.success)
    throw new Fault("sidecar.unavailable", `${origin}/v1.0/metadata does not answer as a Dapr sidecar does; check the port`);
  const { id, runtimeVersion, components } = parsed.data;
  const version = runtimeVersion ?? "unknown";
  const verdict = judgeDapr(version, check);
  if (verdict.kind === "refused")
    throw new Fault("dapr.version", `the sidecar at ${origin} is Dapr ${version}: ${verdict.why}`, { version });
  return { appId: id, version, ...untested(verdict), components: new Map(components.map(({ name, type }) => [name, type])) };
}

function untested(verdict: DaprVersionVerdict): Pick<SidecarFacts, "untested"> {
  return verdict.kind === "untested" ? { untested: verdict.why } : {};
}
