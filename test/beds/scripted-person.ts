/** @module A person of a bed, who consents to exactly the calls that a task wants, and what it was asked. */
import { canonicalJson } from "../../runtime/canonical.ts";
import type { People } from "../../testing/index.ts";
import type { ScriptedCall } from "./obeying.ts";

/** What a person was asked for. */
export interface Asked extends ScriptedCall {
  readonly approved: boolean;
}

/** Makes the person. It approves a call with exactly the arguments of one that the task of the process wants, and denies all others. */
export function scriptedPerson(
  wantedBy: (processId: string) => readonly ScriptedCall[],
  note: (processId: string, asked: Asked) => void,
): People {
  return ({ processId, tool = "", input }) => {
    const approved = wantedBy(processId).some((call) => textOf(call) === textOf({ name: tool, input }));
    note(processId, { name: tool, input, approved });
    return approved ? { do: "approve" } : { do: "deny", reason: "My task does not want it." };
  };
}

/** A call as a text, the same for the same tool and arguments. */
export function textOf({ name, input }: ScriptedCall): string {
  return canonicalJson([name, input]);
}
