/**
 * @module The evidence of a run: the texts that its prompts hold from others, as they hold them. Pure.
 *
 * It is kept apart from the messages, which may be shortened or replaced by a summary that the model itself writes.
 */
import { canonicalJson } from "../canonical.ts";
import type { CallResult } from "./loop.ts";
import { faultText, type LoopTask, resultText, valueText } from "./telling.ts";

/** What a run begins with. An earlier answer that was sent back is the model's own; the reasons are not. */
export function evidenceOfTask({ instructions, input, remembered, sentBack }: LoopTask): readonly string[] {
  return [instructions, valueText(input), ...(remembered?.evidence ?? []), ...(sentBack?.reasons ?? [])];
}

/** What a call adds. What a person made of its input is the person's word; what the model had asked for is not. */
export function evidenceOfResult(result: CallResult): string {
  if ("fault" in result) return faultText(result.fault);
  const { output, edited } = result;
  return edited === undefined ? resultText(output) : [resultText(output), canonicalJson(edited.input), edited.reason].join("\n");
}
