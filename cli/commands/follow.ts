/** @module Follows a process until it has ended, also across a restart of the system, and prints what happens. */
import type { CallOptions, Client, ClientError } from "../../client/index.ts";
import { complain, say, sayPart } from "../text/output.ts";
import { CliError, EXIT, shownCode } from "../text/problem.ts";
import { ReplyText } from "../text/replies.ts";
import { outcomeText, STEP_HEAD, stepText, succeeded } from "../text/progress.ts";

/** How long a system that was reached before may be away: its app drains, is started again, and its actors are placed. */
const RESTART_MS = 120_000;
const MINUTE_MS = 60_000;

/**
 * Prints each step and each reply of a model while it is received, then the outcome; as JSON lines `{"line":...}`, `{"delta":...}` and
 * `{"outcome":...}` for a program. Goes on across a
 * restart of the system. Resolves with the exit code.
 */
export async function follow(client: Client, id: string, json: boolean): Promise<number> {
  const { acceptedAtMs, traceId } = await client.show(id);
  if (!json) say(STEP_HEAD);
  const replies = new ReplyText(sayPart);
  for await (const event of client.follow(id, { ...acrossRestart(client), deltas: true })) {
    if (event.kind === "delta") {
      if (json) say(JSON.stringify({ delta: event.delta }));
      else replies.piece(event.delta);
      continue;
    }
    if (event.kind === "line") {
      replies.endLine();
      say(json ? JSON.stringify({ line: event.line }) : stepText(event.line, acceptedAtMs));
      replies.told(event.line);
      continue;
    }
    replies.end();
    const { outcome, run } = event;
    say(json ? JSON.stringify({ outcome }) : `\n${outcomeText(outcome, acceptedAtMs, traceId, run)}`);
    return exitOf(outcome.status);
  }
  throw new CliError("STILL_OPEN", `process ${id} is still open.`, `Look again: troupe show ${id} --follow.`);
}

/** Goes on across a restart of the system, and says so on stderr. */
export function acrossRestart(client: Client): CallOptions {
  return { patienceMs: RESTART_MS, onLost: (error) => complain(lostText(client.url, error)) };
}

function lostText(url: string, error: ClientError): string {
  return `The system at ${url} does not answer (${shownCode(error)}); trying again for up to ${RESTART_MS / MINUTE_MS} minutes.`;
}

/** The exit code that a status means: a process that did what it was for is a success. */
export function exitOf(status: string): number {
  return succeeded({ status }) ? EXIT.ok : EXIT.failed;
}
