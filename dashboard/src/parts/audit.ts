/** @module Where the target of a line of the audit is shown. Pure. */
import type { AuditEntry } from "../../../runtime/answers.ts";
import { TO } from "./paths.ts";

/** Acts whose target is no process, dead letter or request, by their name. */
const ELSEWHERE: Readonly<Record<string, (target: string) => string>> = {
  "memory-forget": memoryOf,
  "memory-promote": memoryOf,
  "canary stopped": () => TO.releases,
  sync: () => TO.memories,
  purge: () => TO.system,
  "set-aside": () => TO.system,
};

/** The screen of what a line is about; undefined if there is none. */
export function targetPath({ what, kind, target }: Pick<AuditEntry, "what" | "kind" | "target">): string | undefined {
  if (kind === "memory") return TO.memory(target);
  const elsewhere = Object.hasOwn(ELSEWHERE, what) ? ELSEWHERE[what] : undefined;
  if (elsewhere !== undefined) return elsewhere(target);
  if (target === "") return undefined;
  if (kind === "deadletter" || /:\d+$/.test(target) || target.startsWith("invalid-")) return TO.deadLetter(target);
  return kind === "request" || /\.r\d+$/.test(target) ? TO.request(target) : TO.run(target);
}

/** The memory of a fact, which is named `memory/fact`. */
function memoryOf(target: string): string {
  return TO.memory(target.slice(0, Math.max(0, target.lastIndexOf("/"))));
}
