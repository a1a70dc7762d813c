/** @module Answers a request as a script says. Pure. */
import { matchRule, UnmatchedError } from "./match.ts";
import { AbsentError } from "./placeholders.ts";
import { answerOf, draftOf, type WireFacts } from "./draft.ts";
import { mangled } from "./mangle.ts";
import { buildReply } from "./reply.ts";
import { type Asked, readRequest, RequestError } from "./request.ts";
import type { Reply, Script } from "./script.ts";
import { inShape } from "./shapes.ts";
import { errorAnswer, textAnswer, type WireAnswer } from "./wire.ts";

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
    const { id, createdSeconds } = context;
    const facts = { id, createdSeconds, isStreamed: asked.isStreamed, wantsUsage: asked.wantsUsage };
    const answer = answerFor(match.reply, asked, facts);
    return { answer, asked, rule, error: undefined };
  } catch (error) {
    if (error instanceof RequestError) return refused("invalid_request", error.message);
    if (error instanceof UnmatchedError) return refused("script_unmatched", `${error.message}.`);
    if (error instanceof AbsentError) return refused("script_placeholder", `${rule ?? script.file}: ${error.message}.`);
    return refused("script_failed", `${rule ?? script.file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function answerFor(reply: Reply, asked: Asked, facts: WireFacts): WireAnswer {
  const built = buildReply(reply, asked);
  if (reply.raw !== undefined) {
    const { status = 200, headers = {}, body = "", end = "complete" } = reply.raw;
    return { ...textAnswer(status, body, headers, built.delayMs), end };
  }
  if (reply.shape !== undefined) return inShape(reply.shape, built, facts);
  return reply.mangle === undefined ? answerOf(draftOf(built), built, facts) : mangled(built, facts, reply.mangle).answer;
}
