/** @module `show`: prints a process so far, with inputs and outputs; or follows it. */
import type { Command } from "commander";
import { follow } from "./follow.ts";
import { type Client, ClientError, type HistoryPage } from "../../client/index.ts";
import type { ConversationView } from "../../runtime/conversation-view.ts";
import { conversationText } from "../text/conversation.ts";
import { say } from "../text/output.ts";
import { EXIT } from "../text/problem.ts";
import { timelineText } from "../text/timeline.ts";
import { processText } from "../text/process.ts";
import { clientOf, type Context, examples, goesOn, remote, type RemoteOptions } from "./common.ts";

interface ShowOptions extends RemoteOptions {
  readonly follow: boolean;
  readonly full: boolean;
  readonly history: boolean;
  readonly timeline: boolean;
  readonly conversation?: string | true;
}

/** Adds the command. */
export function show(parent: Command, context: Context): void {
  const command = remote(parent.command("show"))
    .argument("<id>", "the process")
    .description("show a process: stops, attempts, times, path, inputs and outputs, outcome")
    .option("--follow", "print each step from the first on, until the process has ended", false)
    .option("--full", "print inputs and outputs whole, not cut at the edge of the terminal", false)
    .option("--timeline", "print what took time: queues, handlers, models, tools, people", false)
    .option("--conversation [work]", "print what models were sent and replied, in one work item or in all")
    .option("--history", "print every event of its history too", false);
  examples(
    command,
    [
      ["troupe show trip-7", ""],
      ["troupe show trip-7 --follow", "with --json: JSON lines, the outcome last"],
      ["troupe show trip-7 --conversation", "requests are made again by the code of the host"],
      ["troupe show trip-7 --json | jq .outcome.output", ""],
    ],
    [
      "Without --follow the exit code is 0 when the process exists. With --follow it is",
      "0 for completed and partial, 1 for any other outcome; a restart of the system is",
      "waited for, up to 2 minutes. Ctrl-C ends the command alone.",
    ],
  );
  command.action(async (id: string, options: ShowOptions) => {
    const client = await clientOf(options, context.lifetime);
    if (options.follow) {
      context.lifetime.whenInterrupted(goesOn(`process ${id}`, id));
      context.done(await follow(client, id, options.json));
      return;
    }
    if (options.timeline) {
      const timeline = await client.timeline(id);
      say(options.json ? JSON.stringify(timeline) : timelineText(timeline, Date.now()));
      context.done(EXIT.ok);
      return;
    }
    if (options.conversation !== undefined) {
      const found = await conversationsOf(client, id, options.conversation);
      if (options.json) say(JSON.stringify(found));
      else say(found.length === 0 ? `No model was called in ${id}.` : found.map(conversationText).join("\n\n"));
      context.done(EXIT.ok);
      return;
    }
    const process = await client.show(id);
    const { stops, left = 0 } = await client.stops(id);
    const history = options.history ? await wholeHistory(client, id) : undefined;
    if (options.json) say(JSON.stringify({ ...process, ...(history === undefined ? {} : { history }), stops }));
    else {
      say(processText({ process, stops, history, isFull: options.full }));
      if (left > 0) say(`\n${left} older stops are not shown.`);
    }
    context.done(EXIT.ok);
  });
}

/** The conversations of one work item, or of all that have ended and called a model. */
async function conversationsOf(client: Client, id: string, work: string | true): Promise<readonly ConversationView[]> {
  if (work !== true) return [await client.conversation(id, work)];
  const { stops } = await client.stops(id);
  const found: ConversationView[] = [];
  for (const { work: one, calls = [] } of stops)
    if (calls.some(({ kind }) => kind === "model")) {
      const conversation = await conversationOrNone(client, id, one);
      if (conversation !== undefined) found.push(conversation);
    }
  return found;
}

async function conversationOrNone(client: Client, id: string, work: string): Promise<ConversationView | undefined> {
  try {
    return await client.conversation(id, work);
  } catch (error) {
    // It goes on still.
    if (error instanceof ClientError && error.code === "work.unknown") return undefined;
    throw error;
  }
}

async function wholeHistory(client: Client, id: string): Promise<HistoryPage["lines"]> {
  const lines: HistoryPage["lines"] = [];
  for await (const line of client.history(id)) lines.push(line);
  return lines;
}
