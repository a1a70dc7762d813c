/** @module Follows a process over its stream of events until it has ended. */
import { type AcrossRestart, type Api, lostText } from "./api.ts";
import { complain, say } from "../text/output.ts";
import { CliError, EXIT } from "../text/problem.ts";
import { outcomeText, STEP_HEAD, stepText, succeeded } from "../text/progress.ts";
import { Line, OutcomeOf, ProcessOf, read } from "./views.ts";

/**
 * Prints each step, then the outcome; as JSON lines `{"line":...}` and `{"outcome":...}` for a program. Goes on across a
 * restart of the system. Resolves with the exit code.
 */
export async function follow(api: Api, id: string, json: boolean): Promise<number> {
  const path = `/processes/${encodeURIComponent(id)}`;
  const { acceptedAtMs = 0, traceId } = read(ProcessOf, await api.get(path), "the process");
  if (!json) say(STEP_HEAD);
  for await (const event of api.events(`${path}/events`, acrossRestart(api))) {
    const data = parse(event.data);
    if (event.event === "line") {
      const line = read(Line, data, "a line of history");
      say(json ? JSON.stringify({ line: data }) : stepText(line, acceptedAtMs));
    }
    if (event.event === "outcome") {
      const outcome = read(OutcomeOf, data, "the outcome");
      say(json ? JSON.stringify({ outcome: data }) : `\n${outcomeText(outcome, acceptedAtMs, traceId, runOf(event.id))}`);
      return exitOf(outcome.status);
    }
  }
  throw new CliError("STILL_OPEN", `process ${id} is still open.`, `Look again: troupe show ${id} --follow.`);
}

/** Goes on across a restart of the system, and says so on stderr. */
export function acrossRestart(api: Api): AcrossRestart {
  return { onLost: (error) => complain(lostText(api.url, error)) };
}

/** The exit code that a status means: a process that did what it was for is a success. */
export function exitOf(status: string): number {
  return succeeded({ status }) ? EXIT.ok : EXIT.failed;
}

/** The run that an outcome is of stands in its event's id, `<run>.outcome`. */
function runOf(id: string | undefined): number {
  const run = Number(id?.split(".")[0]);
  return Number.isInteger(run) && run > 0 ? run : 1;
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new CliError("APP_ANSWER", "an event of the stream is no JSON.", "Use a `troupe` of the system's own version.", error);
  }
}
