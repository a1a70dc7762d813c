/** @module Where the target of a line of the audit is shown. Pure. */
import type { AuditEntry } from "../../../runtime/answers.ts";
import { TO } from "./paths.ts";

/** Acts whose target is no process, dead letter or request, by their name. */
const ELSEWHERE: Readonly<Record<string, (target: string) => string>> = {
  "memory-forget": memoryOf,
  "memory-promote": memoryOf,
  "canary stopped": () => TO.releases,
  sync: () => TO.memories,
  digest: () => TO.digest(),
  purge: () => TO.system,
  "set-aside": () => TO.system,
};

/** The id of an invalid message: its time slice and its hash. A process may have a name that begins like it. */
const INVALID_ID = /^invalid-\d+-[0-9a-f]+$/;

/** Acts on requests to people. A process may have a name that ends like a request. */
const ON_REQUESTS: ReadonlySet<string> = new Set(["approve", "edit", "deny", "answer", "expire", "close", "rule made", "rule revoked"]);

/** The screen of what a line is about; undefined if there is none. */
export function targetPath({ what, kind, target }: Pick<AuditEntry, "what" | "kind" | "target">): string | undefined {
  if (kind === "memory") return TO.memory(target);
  const elsewhere = Object.hasOwn(ELSEWHERE, what) ? ELSEWHERE[what] : undefined;
  if (elsewhere !== undefined) return elsewhere(target);
  if (target === "") return undefined;
  if (kind === "process") return TO.run(target);
  if (kind === "deadletter" || /:\d+$/.test(target) || INVALID_ID.test(target)) return TO.deadLetter(target);
  return kind === "request" || ON_REQUESTS.has(what) ? TO.request(target) : TO.run(target);
}

/** The memory of a fact, which is named `memory/fact`. */
function memoryOf(target: string): string {
  return TO.memory(target.slice(0, Math.max(0, target.lastIndexOf("/"))));
}
