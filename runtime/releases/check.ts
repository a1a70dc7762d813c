/** @module Checks the content of a file or key of releases against the agents of a system. Pure. */
import { z } from "zod";
import { entryOf } from "../entries.ts";
import { LIMITS } from "../limits.ts";
import { type AgentRelease, Releases, type ReleaseVersion } from "../release.ts";
import { type CodeVersion, versionOf } from "./choose.ts";

/** What is known of an agent of the system. */
export interface KnownAgent {
  /** The versions of its prompt; empty: it has none. */
  readonly prompts: readonly string[];
  readonly code: CodeVersion;
}

/** The agents and models of the system. */
export interface KnownSystem {
  /** Model agents, by name. */
  readonly agents: ReadonlyMap<string, KnownAgent>;
  /** Agents that have no model here, but may stand in a file for all apps: hosted by other apps. */
  readonly remote: ReadonlySet<string>;
  readonly hasModel: (name: string) => boolean;
  readonly models: readonly string[];
}

/** The content can be used as a whole, or not at all: then each problem is a sentence. */
export type CheckedReleases = { readonly releases: Releases } | { readonly problems: readonly string[] };

/** Checks a content. Nothing, as an empty file has it, is no release. */
export function checkReleases(content: unknown, known: KnownSystem): CheckedReleases {
  const parsed = Releases.safeParse(content ?? {});
  if (!parsed.success) return { problems: parsed.error.issues.slice(0, LIMITS.releaseProblemsMax).map(issueText) };
  const names = Object.keys(parsed.data);
  const problems = names.flatMap((agent) => {
    const release = entryOf(parsed.data, agent);
    return release === undefined ? [] : problemsOf(agent, release, known);
  });
  return problems.length === 0 ? { releases: parsed.data } : { problems: problems.slice(0, LIMITS.releaseProblemsMax) };
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

function problemsOf(agent: string, { stable, canary }: AgentRelease, known: KnownSystem): readonly string[] {
  const found = known.agents.get(agent);
  if (found === undefined) {
    if (known.remote.has(agent)) return [];
    return [`${agent}: the system has no agent of this name with a model; it has ${listed([...known.agents.keys()])}`];
  }
  const wrong = [...versionProblems(`${agent}.stable`, stable, found, known)];
  if (canary === undefined) return wrong;
  wrong.push(...versionProblems(`${agent}.canary.version`, canary.version, found, known));
  const [a, b] = [versionOf(found.code, stable), versionOf(found.code, canary.version)];
  if (a.prompt === b.prompt && a.model === b.model)
    wrong.push(`${agent}.canary: its version is that of stable, so nothing could be compared`);
  return wrong;
}

function versionProblems(
  where: string,
  { prompt, model }: ReleaseVersion,
  { prompts }: KnownAgent,
  { hasModel, models }: KnownSystem,
): readonly string[] {
  const hasPrompt = prompt === undefined || prompts.includes(prompt);
  return [
    ...(hasPrompt ? [] : [`${where}.prompt: the instructions have no version ${prompt}; they have ${listed(prompts)}`]),
    ...(model === undefined || hasModel(model) ? [] : [`${where}.model: the system has no model ${model}; it has ${listed(models)}`]),
  ];
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
