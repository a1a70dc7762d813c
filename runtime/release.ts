/**
 * @module Releases: which version of its prompt and which model a model agent uses, for all processes or for a share of them. Pure.
 *
 * The choice is in releases/choose.ts, the check of a content in releases/check.ts, the rules for stopping in releases/judge.ts.
 */
import { z } from "zod";

/** What the stop of a canary is in the audit. */
export const CANARY_STOPPED = "canary stopped";

const Version = z.string().regex(/^[\w.-]{1,64}$/, "1 to 64 characters A-Z a-z 0-9 _ . -");

/** A version: of the prompt, the model, or both. What is absent is the code's default. */
export const ReleaseVersion = z.strictObject({ prompt: Version.optional(), model: Version.optional() });
/** A version of an agent. */
export type ReleaseVersion = z.infer<typeof ReleaseVersion>;

/** What a rule for stopping can count. `failed` is 0 or 1 for a process; the others are numbers of its summary. */
export const STOP_COUNTS = ["failed", "repairs", "fallbacks", "refusals", "ungrounded", "usd", "retries"] as const;

/** When a canary is stopped. It is stated before the canary begins. */
export const StopRule = z.strictObject({
  /** What is counted of the ended processes that used the version. */
  of: z.enum(STOP_COUNTS),
  /** Stopped when the mean per process is above this, or above this many times the mean of the stable version. */
  above: z.number().nonnegative(),
  than: z.enum(["number", "stable"]).default("number"),
  /** Not before this many processes of the version have ended. */
  processesMin: z.int().positive().max(10_000).default(20),
});
/** When a canary is stopped. */
export type StopRule = z.infer<typeof StopRule>;

/** The release of one agent. */
export const AgentRelease = z.strictObject({
  stable: ReleaseVersion.default({}),
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
/** The release of one agent. */
export type AgentRelease = z.infer<typeof AgentRelease>;

/** The releases of a system by agent: the content of a file, or of a key of a Dapr configuration store. */
export const Releases = z.record(z.string(), AgentRelease);
/** The releases of a system by agent. */
export type Releases = z.infer<typeof Releases>;
/** The same as a person writes them, without what has a default. */
export type GivenReleases = z.input<typeof Releases>;

/**
 * What one work item of a model agent uses, chosen when its actor accepts it. `of` is the hash of the release that it came from; absent:
 * the code's own. Persisted: changing this needs a version bump.
 */
export const WorkRelease = z.strictObject({
  /** Absent: the prompt has no versions. */
  prompt: z.string().optional(),
  model: z.string(),
  part: z.enum(["code", "stable", "canary"]),
  of: z.string().optional(),
});
/** What one work item of a model agent uses. */
export type WorkRelease = z.infer<typeof WorkRelease>;

/** A version as facts, metrics and lists name it: `prompt/model`. A prompt without versions is `-`. */
export function versionText({ prompt, model }: Pick<WorkRelease, "prompt" | "model">): string {
  return `${prompt ?? "-"}/${model}`;
}

const EpochMs = z.int().nonnegative().describe("Epoch, milliseconds.");
const Count = z.int().nonnegative();

/** What was counted of the ended processes of one version since the release began. */
export const VersionCounts = z.object({
  part: z.enum(["stable", "canary"]),
  version: z.string().describe("`prompt/model`; a prompt without versions is `-`."),
  processes: Count,
  of: z.partialRecord(z.enum(STOP_COUNTS), z.number()).describe("Sums over the processes. A sum of 0 is absent."),
});
/** What was counted of one version. */
export type VersionCounts = z.infer<typeof VersionCounts>;

/** The release of an agent as it is used now. */
export const ReleaseView = z.object({
  agent: z.string(),
  prompts: z.array(z.string()).describe("The versions of its prompt that the code has."),
  release: AgentRelease,
  from: z.enum(["code", "file", "configuration"]),
  hash: z.string().optional().describe("Of this release of this agent; absent: the code's own."),
  sinceMs: EpochMs.optional().describe("When the first host used this release; absent: no host has yet."),
  canary: z.enum(["none", "waiting", "in force", "stopped"]).describe("`waiting`: this host does not know yet whether it was stopped."),
  stopped: z.object({ atMs: EpochMs, by: z.string(), why: z.string() }).optional().describe("The canary was stopped."),
  broken: z.array(z.string()).describe("Rules for stopping that are broken now, as sentences."),
  counts: z.array(VersionCounts).describe("Stable first. Empty without a canary."),
});
/** The release of an agent as it is used now. */
export type ReleaseView = z.infer<typeof ReleaseView>;

/** The releases of a system. */
export const ReleasesView = z.object({
  releases: z.array(ReleaseView),
  problem: z.string().optional().describe("The present content cannot be used, so the last good one is in force."),
});
/** The releases of a system. */
export type ReleasesView = z.infer<typeof ReleasesView>;
