/**
 * @module Releases: which version of its prompt and which model a model agent uses, for all processes or for a share of them. Pure.
 */
import { z } from "zod";

const Version = z.string().regex(/^[\w.-]{1,64}$/);

/** A version: of the prompt, the model, or both. What is absent is the code's default. */
export const ReleaseVersion = z.strictObject({ prompt: Version.optional(), model: Version.optional() });
/** A version of an agent. */
export type ReleaseVersion = z.infer<typeof ReleaseVersion>;

/** When a canary is stopped. It is said before the canary begins. */
export const StopRule = z.strictObject({
  /** What is counted of the ended processes that used the version. */
  of: z.enum(["failed", "repairs", "fallbacks", "refusals", "ungrounded", "usd", "retries"]),
  /** Stopped when the mean per process is above this, or above this many times the other version's. */
  above: z.number().nonnegative(),
  than: z.enum(["number", "stable"]).default("number"),
  /** Not before this many processes of the version have ended. */
  processesMin: z.int().positive().max(10_000).default(20),
});
export type StopRule = z.infer<typeof StopRule>;

/** The release of one agent. */
export const AgentRelease = z.strictObject({
  stable: ReleaseVersion,
  /** A second version for a share of the processes, by the hash of their ids. */
  canary: z
    .strictObject({
      version: ReleaseVersion,
      /** From 0 to 1. 1 is the second half of a blue-green release. */
      share: z.number().min(0).max(1),
      stop: z.array(StopRule).max(8).default([]),
      /** Stopped without a person. @default true */
      automatic: z.boolean().default(true),
    })
    .optional(),
});
export type AgentRelease = z.infer<typeof AgentRelease>;

/** The releases of a system by agent: the content of a file, or of a key of a Dapr configuration store. */
export const Releases = z.record(z.string(), AgentRelease);
export type Releases = z.infer<typeof Releases>;

/** The release of an agent as it is used now. */
export const ReleaseView = z.object({
  agent: z.string(),
  prompts: z.array(z.string()),
  release: AgentRelease,
  from: z.enum(["code", "file", "configuration"]),
  stopped: z.object({ atMs: z.int().nonnegative(), by: z.string(), why: z.string() }).optional().describe("The canary was stopped."),
  counts: z.array(z.object({ version: z.string(), processes: z.int().nonnegative(), of: z.record(z.string(), z.number()) })),
});
export type ReleaseView = z.infer<typeof ReleaseView>;
/** The releases of a system. */
export const ReleasesView = z.object({ releases: z.array(ReleaseView) });
export type ReleasesView = z.infer<typeof ReleasesView>;
