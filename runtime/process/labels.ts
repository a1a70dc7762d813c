/**
 * @module The labels in the state of a process: of its task, and of the outputs of its stops. Pure.
 *
 * A process without untrusted content has none of these fields. The items of a `forEach` share one label.
 */
import { entryOf, withEntry } from "../entries.ts";
import { itemsPath } from "../ids.ts";
import { asSeenBy, isUntrusted, joined, type Label, labelField, principalOrigin, signalOrigin, TRUSTED } from "../label.ts";
import type { Message } from "../protocol.ts";
import type { Principal } from "../protocol/principal.ts";
import { callsOf, type Stop } from "../slip.ts";
import type { ProcessState } from "./state.ts";

/** The state after something with a label came to a path: of a stop, a branch, or the items of a `forEach`. */
export function withLabel(state: ProcessState, path: string, label: Label | undefined): ProcessState {
  if (!isUntrusted(label)) return state;
  const labels = state.labels ?? {};
  return { ...state, labels: withEntry(labels, path, [...joined(entryOf(labels, path), label)]) };
}

/** The labels of the outputs of a stop that is done. `winner`: the path whose output an `any` has. */
export function outputLabels(
  { labels }: ProcessState,
  stop: Stop,
  winner: string | undefined,
): { readonly labels?: Record<string, string[]> } {
  if (labels === undefined) return {};
  const paths: readonly (readonly [string, string])[] =
    stop.kind === "forEach"
      ? [[stop.name, itemsPath(stop.name)]]
      : stop.kind === "any"
        ? [[stop.name, winner ?? ""]]
        : callsOf(stop).map(([path]) => [path, path]);
  const found = paths.flatMap(([name, path]) => {
    const label = entryOf(labels, path);
    return label === undefined ? [] : [[name, label] as const];
  });
  return found.length === 0 ? {} : { labels: Object.fromEntries(found) };
}

/** The label of a signal: trusted if it comes from the principal that the task acts for. */
export function signalLabel({ task }: ProcessState, { principal }: Message, name: string): { readonly label?: string[] } {
  const own = task?.principal;
  return own?.subject === principal.subject && own.tenant === principal.tenant ? {} : labelField([signalOrigin(name)]);
}

/** The label of what was decided on a request: a person vouches for it, an agent or peer does not. */
export function decisionLabel({ task }: ProcessState, { principal }: Message): { readonly label?: string[] } {
  return task === undefined ? {} : labelField(editLabel(undefined, principal, task.principal));
}

/** The label of an input that replaces another one by a decision: a person vouches for what it wrote, an agent or peer does not. */
export function editLabel(before: Label | undefined, editor: Principal, own: Principal): Label {
  return editor.kind === undefined ? TRUSTED : asSeenBy(joined(before, [principalOrigin(editor)]), own);
}
