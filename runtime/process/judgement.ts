/** @module Whether the current stop waits, has failed, or is done. Pure. */
import { entryOf } from "../entries.ts";
import { wireFault, type WireFault } from "../faults.ts";
import { itemsPath, placeOf } from "../ids.ts";
import { callsOf, type Stop } from "../slip.ts";
import type { ForEach } from "../slip-use.ts";
import type { Value } from "../value.ts";
import type { ProcessBuilder } from "./decision-builder.ts";
import { joinFault } from "./join.ts";
import { endedCount } from "./parts.ts";
import type { Progress } from "./state.ts";

type Judgement =
  | "wait"
  | { readonly fault: WireFault }
  | {
      readonly outputs: Readonly<Record<string, Value>>;
      readonly undo: readonly string[];
      /** Of an `any`: the path whose output it has. */
      readonly winner?: string | undefined;
    };

const NOTHING: Value = { json: null };

/** Whether a stop waits, has failed, or is done, and with which outputs. `undo` names the places whose work items must be undone. */
export function judge(builder: ProcessBuilder, stop: Stop, progress: Progress): Judgement {
  if (stop.kind === "any") return judgeAny(stop, progress);
  if (stop.kind === "forEach") return judgeItems(builder, stop, progress);
  const outputs = new Map<string, Value>();
  const undo: string[] = [];
  let waiting = false;
  for (const [path, call] of callsOf(stop)) {
    const output = entryOf(progress.outputs, path);
    const fault = entryOf(progress.failed, path);
    if (output !== undefined) outputs.set(path, output);
    else if (fault === undefined) waiting = true;
    else if (!call.optional) return { fault };
    else {
      outputs.set(path, NOTHING);
      undo.push(placeOf(path, 0));
    }
  }
  return waiting ? "wait" : { outputs: Object.fromEntries(outputs), undo };
}

/** Judges an `any`. A skipped branch has an output too, but no work item, so it cannot win. */
function judgeAny(stop: Extract<Stop, { kind: "any" }>, progress: Progress): Judgement {
  const paths = callsOf(stop).map(([path]) => path);
  const winner = paths.find((path) => entryOf(progress.outputs, path) !== undefined && progress.skipped?.includes(path) !== true);
  if (winner !== undefined)
    return {
      outputs: { [stop.name]: entryOf(progress.outputs, winner) ?? NOTHING },
      undo: paths.filter((path) => path !== winner).map((path) => placeOf(path, 0)),
      winner,
    };
  const failed = paths.filter((path) => entryOf(progress.failed, path) !== undefined);
  if (failed.length + Object.keys(progress.outputs).length < paths.length) return "wait";
  if (failed.length === 0) return { outputs: { [stop.name]: NOTHING }, undo: [] };
  const last = entryOf(progress.failed, failed.at(-1) ?? "");
  return {
    fault: wireFault(
      "join.failed",
      `no branch of ${stop.name} succeeded: ${failed.join(", ")} failed, the last with ${last?.code ?? "?"}: ${last?.message ?? ""}`,
      { branches: failed },
    ),
  };
}

function judgeItems(builder: ProcessBuilder, stop: ForEach, progress: Progress): Judgement {
  const failed = Object.entries(progress.failed);
  const first = failed[0];
  if (first !== undefined && !stop.call.optional) return { fault: first[1] };
  const tooLarge = joinFault(builder, stop, progress);
  if (tooLarge !== undefined) return { fault: tooLarge.toWire() };
  if (endedCount(progress) < progress.total) return "wait";
  return { outputs: {}, undo: failed.map(([index]) => placeOf(itemsPath(stop.name), index)) };
}
