/** @module Which faults of a tool call or an ask end the run; all others are told to the model, which goes on. Pure. */
import type { LoopFunction } from "./rules.ts";

/** A code, or the beginning of codes with a dot at its end. */
const ENDS: readonly { readonly code: string; readonly of: "tool" | "both"; readonly because: string }[] = [
  { code: "call.unknown", of: "tool", because: "it is unknown whether the effect happened" },
  { code: "call.nested", of: "both", because: "the code of a tool is wrong" },
  { code: "person.changed", of: "tool", because: "the decision is about another call" },
  { code: "tool.undeclared", of: "tool", because: "the definition is wrong" },
  { code: "ask.", of: "both", because: "the definition is wrong, or the limit of asks is reached" },
  { code: "cycle.", of: "both", because: "the agents go round in a ring" },
  { code: "budget.", of: "tool", because: "the budget is used up; its policy decides" },
  { code: "step.", of: "both", because: "the records do not fit the code, or the limit of calls is reached" },
  { code: "work.", of: "both", because: "the work item is not this execution's any longer" },
  { code: "memory.stale", of: "tool", because: "what the model was told is no longer true; the next attempt reads anew" },
  { code: "process.", of: "both", because: "the process has ended" },
  { code: "system.stopping", of: "both", because: "the host shuts down" },
  { code: "model.", of: "tool", because: "the tool was not even called" },
  { code: "definition.invalid", of: "both", because: "the definition is wrong" },
];

/** Whether a fault of a call ends the run. Faults of another agent's own work are told, with any code. */
export function endsRun(code: string, kind: LoopFunction["kind"]): boolean {
  return ENDS.some(
    (row) => (row.of === "both" || kind !== "ask") && (row.code.endsWith(".") ? code.startsWith(row.code) : code === row.code),
  );
}
