/** @module What must hold of a damaged reply, however it was read: it is a reply or a coded fault, and no call is made of a cut one. */
import { expect } from "vitest";
import { Fault, type Json } from "../../runtime/faults.ts";
import { ModelReply } from "../../runtime/model/conversation.ts";
import type { ChatReply } from "../../runtime/model/chat-reply.ts";
import { type Mangled, mangled } from "../../testing/scripted/mangle.ts";
import type { ScriptContent } from "../../testing/scripted/script.ts";
import { FACTS, VALID } from "./reading.ts";

const KINDS = ["text", "calls", "refusal"] as const;
const FINISHED = /"finish_reason":\s*"[^"]+"/;

/** A valid reply that a seed damaged. */
export interface Damaged extends Mangled {
  readonly seed: number;
  readonly kind: (typeof KINDS)[number];
  readonly isStreamed: boolean;
}

/** The damaged reply of a seed: each third is of one kind, most are streamed. */
export function damagedBy(seed: number): Damaged {
  const kind = KINDS[seed % KINDS.length] ?? "text";
  const isStreamed = seed % 4 !== 0;
  return { ...mangled(VALID[kind], { ...FACTS, isStreamed }, seed), seed, kind, isStreamed };
}

/** Checks what was read. The message of a failed check names the seed. */
export function expectSound({ seed, steps, answer, kind, isStreamed }: Damaged, got: ChatReply | Fault): void {
  const where = `seed ${seed}: ${steps.join(", ")}`;
  if (got instanceof Fault) {
    expect(got.code, where).toMatch(/^model\./);
    return;
  }
  expect(ModelReply.safeParse({ ...got, endpoint: "test" }).error, where).toBeUndefined();
  const text = answer.pieces.map((piece) => piece.text).join("");
  // A stream counts only when it came to its finish.
  if (isStreamed) expect(text, where).toMatch(FINISHED);
  for (const call of got.calls) {
    const cutOff = VALID[kind].calls.filter((valid) => valid.arguments !== call.arguments && valid.arguments.startsWith(call.arguments));
    // A part of the arguments is no JSON object, so the gate refuses it.
    for (const _valid of cutOff) expect(isJsonObject(call.arguments), `${where}: made of a cut call: ${call.arguments}`).toBe(false);
  }
}

function isJsonObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** The valid reply of a kind, as a script says it. */
export function scriptReply(kind: Damaged["kind"]): NonNullable<ScriptContent["rules"][number]["reply"]> {
  const { text, calls, reasoning, refusal, usage } = VALID[kind];
  const asked = calls.map(({ id, name, arguments: given }) => ({ id, tool: name, arguments: JSON.parse(given) as Json }));
  return {
    text,
    usage,
    ...(asked.length === 0 ? {} : { calls: asked }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(refusal === undefined ? {} : { refusal }),
  };
}
