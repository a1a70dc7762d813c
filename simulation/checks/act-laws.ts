/**
 * @module The laws of acts, held at the moment at which a tool runs: within the permissions of agent, principal and task; exactly with the
 * arguments that a person approved; and with nothing of a stranger in them unless a person or a declared rule let it through.
 *
 * What is a stranger's is known by its marks, and what was approved by the records, so no rule of the policy is used here.
 */
import type { AgentWork } from "../../runtime/agent/state.ts";
import { canonicalJson, hashJson } from "../../runtime/canonical.ts";
import { holds } from "../../runtime/condition/condition.ts";
import type { Json } from "../../runtime/faults.ts";
import { principalOrigin } from "../../runtime/label.ts";
import { Verdict } from "../../runtime/people/request.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import type { Principal } from "../../runtime/protocol/principal.ts";
import type { ToolRun } from "../world/outside.ts";
import type { World } from "../world/world.ts";
import { contentOf } from "./contents.ts";
import type { Find } from "./shadow.ts";

/** What the laws of acts read. */
export interface ActLawsParts {
  readonly find: Find;
  readonly world: World;
  readonly principal: (processId: string) => Principal | undefined;
  readonly work: (workId: string) => AgentWork | undefined;
  /** Whether a standing rule has let the call through. */
  readonly isLet: (run: ToolRun) => boolean;
}

const CONSENT = "an act is exactly what was approved";

/** Holds the laws at each run of a tool. */
export class ActLaws {
  readonly #parts: ActLawsParts;
  /** Work items and tools with a line. */
  readonly #audited = new Set<string>();

  constructor(parts: ActLawsParts) {
    this.#parts = parts;
  }

  /** Lines came into the audit. */
  audited(entries: readonly IndexEntry[]): void {
    for (const { id, facts } of entries)
      if (typeof facts["tool"] === "string") this.#audited.add(lineOf(id.slice(0, id.lastIndexOf(":")), facts["tool"]));
  }

  #needsLine({ tool, input }: ToolRun, principal: Principal): boolean {
    const { permission, approve, declassify } = tool;
    return permission !== undefined || approve !== undefined || declassify !== undefined || this.#strangeIn(input, principal).length > 0;
  }

  /** A tool runs now. */
  ran(run: ToolRun): void {
    const principal = this.#parts.principal(run.processId);
    if (principal === undefined) return;
    this.#permission(run, principal);
    this.#consent(run, principal);
    if (this.#needsLine(run, principal) && !this.#audited.has(lineOf(run.workId, run.tool.name)))
      this.#parts.find("each check is in the audit before its act", `${nameOf(run)} has no line`);
  }

  /** Whether a person has given another input to the call. */
  isEdited(run: ToolRun): boolean {
    return this.#verdictsOf(run).some(({ verdict }) => verdict === "edited");
  }

  #permission(run: ToolRun, { permissions, given }: Principal): void {
    const { permission } = run.tool;
    if (permission === undefined) return;
    const tiers = [run.agent.permissions, permissions, given];
    if (tiers.some((tier) => tier?.includes(permission) === false))
      this.#parts.find("an act is within the permissions of agent, principal and task", `${nameOf(run)} needs ${permission}`);
  }

  #consent(run: ToolRun, principal: Principal): void {
    const { tool, input } = run;
    const verdict = this.#verdictsOf(run).at(-1);
    if (verdict?.verdict === "denied") return this.#parts.find(CONSENT, `${nameOf(run)} was denied`);
    if (verdict?.verdict === "approved" && verdict.hash !== hashJson(input))
      return this.#parts.find(CONSENT, `${nameOf(run)} runs with ${canonicalJson(input)}, and something else was approved`);
    if (verdict?.verdict === "edited" && canonicalJson(verdict.input ?? null) !== canonicalJson(input))
      return this.#parts.find(
        CONSENT,
        `${nameOf(run)} runs with ${canonicalJson(input)}, and ${canonicalJson(verdict.input ?? null)} was decided`,
      );
    if (verdict !== undefined || this.#parts.isLet(run)) return;
    if (tool.approve !== undefined && holds(tool.approve, { input }))
      return this.#parts.find(CONSENT, `${nameOf(run)} runs without a decision, and the tool asks for one where ${tool.approve}`);
    const strange = this.#strangeIn(input, principal);
    if (strange.length === 0 || tool.effect === "read") return;
    if (tool.declassify !== undefined && holds(tool.declassify, { input })) return;
    if (tool.effect === "write" && tool.permission !== undefined && principal.given?.includes(tool.permission) === true) return;
    this.#parts.find(
      "nothing of a stranger leaves or changes anything without consent",
      `${nameOf(run)} runs with ${canonicalJson(input)}, which is from ${strange.join(", ")}`,
    );
  }

  #strangeIn(input: Json, principal: Principal): readonly string[] {
    const own = principalOrigin(principal);
    return this.#parts.world.outside.marks.originsIn(JSON.stringify(input)).filter((origin) => origin !== own);
  }

  /** The decisions on this call, from the records of its work item. */
  #verdictsOf({ workId, key }: ToolRun): readonly Verdict[] {
    const waits = this.#parts.work(workId)?.waits.filter((wait) => wait.for.kind === "person" && wait.key.startsWith(`consent ${key}/`));
    return (waits ?? []).flatMap(({ result }) =>
      result !== undefined && "output" in result ? [Verdict.parse(contentOf(this.#parts.world, result.output))] : [],
    );
  }
}

function lineOf(workId: string, tool: string): string {
  return `${workId} ${tool}`;
}

function nameOf({ workId, key }: ToolRun): string {
  return `${key} of ${workId}`;
}
