/** @module Answers a request as a script says. Pure. */
import { matchRule, UnmatchedError } from "./match.ts";
import { AbsentError } from "./placeholders.ts";
import { buildReply } from "./reply.ts";
import { type Asked, readRequest, RequestError } from "./request.ts";
import type { Script } from "./script.ts";
import { inShape } from "./shapes.ts";
import { errorAnswer, streamedAnswer, type WireAnswer, wholeAnswer } from "./wire.ts";

const BAD_REQUEST_STATUS = 400;

/** What answers depend on beside the script and the request. */
export interface AnswerContext {
  /** How often this request came, from 1. */
  readonly attempt: number;
  readonly id: string;
  readonly createdSeconds: number;
}

/** An answer, and how it came about. */
export interface Answered {
  readonly answer: WireAnswer;
  readonly asked: Asked | undefined;
  /** The place of the rule that matched. */
  readonly rule: string | undefined;
  /** Why no rule answers. */
  readonly error: string | undefined;
}

/** Answers the body of a request. Never throws. */
export function answerTo(script: Script, body: unknown, context: AnswerContext): Answered {
  let asked: Asked | undefined;
  let rule: string | undefined;
  const refused = (code: string, error: string): Answered => ({ answer: errorAnswer(BAD_REQUEST_STATUS, code, error), asked, rule, error });
  try {
    asked = readRequest(body);
    const match = matchRule(script, asked, context.attempt);
    rule = match.rule.place;
    const reply = buildReply(match.reply, asked);
    const facts = { id: context.id, createdSeconds: context.createdSeconds, wantsUsage: asked.wantsUsage };
    const { shape } = match.reply;
    const answer =
      shape !== undefined ? inShape(shape, reply, facts) : asked.isStreamed ? streamedAnswer(reply, facts) : wholeAnswer(reply, facts);
    return { answer, asked, rule, error: undefined };
  } catch (error) {
    if (error instanceof RequestError) return refused("invalid_request", error.message);
    if (error instanceof UnmatchedError) return refused("script_unmatched", `${error.message}.`);
    if (error instanceof AbsentError) return refused("script_placeholder", `${rule ?? script.file}: ${error.message}.`);
    return refused("script_failed", `${rule ?? script.file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
