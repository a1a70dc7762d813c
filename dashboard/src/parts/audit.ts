/** @module Lines of the audit as the page shows them: what was done, and where its target stands. Pure. */
import { type AuditEntry, lookedAtText } from "../../../runtime/answers.ts";
import { TO } from "./paths.ts";

/** What was done; of a look also at what. */
export function doneText({ what, kind }: Pick<AuditEntry, "what" | "kind">): string {
  return kind === undefined ? what : `${what} of a ${lookedAtText(kind)}`;
}

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
