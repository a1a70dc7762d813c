/**
 * @module Crash everywhere: one run for every durable write and every outside effect, with a crash exactly there.
 */
import type { Finding } from "./checks/check.ts";
import { NO_FAULTS } from "./world/faults.ts";
import { runSeed, type Scenario } from "./run.ts";
import type { CallFault } from "./world/faults.ts";

export interface Everywhere {
  /** Writes and effects of the run without faults. */
  readonly points: number;
  readonly runs: number;
  readonly findings: readonly (Finding & { readonly where: string })[];
}

const RESTART_MS = 700;
const KINDS = ["crash-before", "crash-after", "freeze"] as const;

/** Runs a seed once without faults, and then once for each point, kind of fault and way of coming back. */
export async function everywhere(scenario: Scenario, seed: number): Promise<Everywhere> {
  const base = { scenario, seed, most: NO_FAULTS, exact: true, plan: { nodes: 2, keepDead: true, safetyMs: 60_000 } };
  const calm = await runSeed(base);
  const findings = calm.findings.map((finding) => ({ ...finding, where: `seed ${seed} without any fault` }));
  let runs = 1;
  for (const call of calm.world.durableCalls) {
    for (const kind of KINDS) {
      for (const forMs of [RESTART_MS, undefined]) {
        // Freezing for ever is a crash that placement finds out late; one way of coming back is enough.
        if (kind === "freeze" && forMs === undefined) continue;
        const fault: CallFault = { call, kind, forMs: kind === "freeze" ? 12 * RESTART_MS : forMs };
        const result = await runSeed({ ...base, atCalls: new Map([[call, fault]]) });
        runs += 1;
        for (const finding of result.findings)
          findings.push({ ...finding, where: `seed ${seed}, ${kind} call ${call}, ${forMs === undefined ? "for good" : "and back"}` });
      }
    }
  }
  return { points: calm.world.durableCalls.length, runs, findings };
}
