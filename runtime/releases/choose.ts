/** @module Which version of its prompt and which model a work item uses. Pure. */
import { hashJson, hashText, plainJson } from "../canonical.ts";
import type { AgentRelease, ReleaseVersion, WorkRelease } from "../release.ts";

/** What the code of an agent uses without a release. */
export interface CodeVersion {
  readonly prompt: string | undefined;
  readonly model: string;
}

/** The release of an agent as a host uses it now. */
export interface ReleaseInForce {
  readonly release: AgentRelease;
  readonly hash: string;
  /** The canary is known not to be stopped. */
  readonly canary: boolean;
}

const HASH_DIGITS = 16;
/** Digits of a SHA-256 that make a share: 48 bits, exact as a number. */
const SHARE_DIGITS = 12;
const SHARES_COUNT = 16 ** SHARE_DIGITS;

/** The name of a release: the same content of the same agent has the same one, on each host. */
export function releaseHash(agent: string, release: AgentRelease): string {
  return hashJson(plainJson({ agent, release })).slice(0, HASH_DIGITS);
}

/**
 * Where a process stands among all processes for an agent: from 0 to below 1, the same on each host. A greater share keeps the processes of
 * a smaller one, and the canaries of two agents are drawn apart.
 */
export function shareOf(agent: string, processId: string): number {
  return Number.parseInt(hashText(`${agent}/${processId}`).slice(0, SHARE_DIGITS), 16) / SHARES_COUNT;
}

/** Chooses for a work item. `processId` is that of the task: nested processes have that of their root. */
export function chooseRelease(agent: string, processId: string, code: CodeVersion, inForce: ReleaseInForce | undefined): WorkRelease {
  if (inForce === undefined) return { ...versionOf(code, {}), part: "code" };
  const { release, hash, canary: isUsed } = inForce;
  const { stable, canary } = release;
  if (canary !== undefined && isUsed && shareOf(agent, processId) < canary.share)
    return { ...versionOf(code, canary.version), part: "canary", of: hash };
  return { ...versionOf(code, stable), part: "stable", of: hash };
}

/** What a version of a release uses: what it does not name is the code's. */
export function versionOf(
  code: CodeVersion,
  { prompt = code.prompt, model = code.model }: ReleaseVersion,
): Omit<WorkRelease, "part" | "of"> {
  return { ...(prompt === undefined ? {} : { prompt }), model };
}
