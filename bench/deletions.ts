/**
 * @module A source that deletes documents while tasks run that have read them: what was sent to the model after the deletion was reported,
 * and which tasks are listed.
 */
import { agent, contract, model, route, source, system } from "../agents/index.ts";
import { hashText } from "../runtime/canonical.ts";
import type { ModelRequest } from "../runtime/model/conversation.ts";
import { fakeModel, startLocal } from "../testing/index.ts";
import { z } from "zod";

/** How much of what. */
export interface Deletions {
  readonly documents: number;
  readonly deleted: number;
  readonly tasks: number;
  readonly seed: number;
}

/** What was measured. Times are in milliseconds. */
export interface DeletionFigures {
  readonly requests: number;
  /** Requests that held a deleted document, sent before the deletion was reported. */
  readonly requestsBefore: number;
  /** The same, sent afterwards: there must be none. */
  readonly requestsAfter: number;
  /** Tasks whose requests held a deleted document. */
  readonly tasksTouched: number;
  /** Of these, the ones that were still running when it was reported. */
  readonly tasksRunning: number;
  /** Tasks that were touched and are not listed: there must be none. */
  readonly tasksMissed: readonly string[];
  readonly tasksListed: number;
  readonly tasksFailed: number;
  readonly firstComparisonMs: number;
  readonly comparisonMs: number;
}

const READS_OF_TASK = 3;
const Desk = contract("Desk", 1, { input: z.object({ task: z.int(), ids: z.array(z.string()) }), output: z.string() });

/** Runs it in memory. Every second task waits in its second model call until the deletion was reported. */
export async function measureDeletions({ documents, deleted, tasks, seed }: Deletions): Promise<DeletionFigures> {
  const shelf = new Map(Array.from({ length: documents }, (_, index) => [idOf(index), textOf(index)]));
  const gone = chosen(documents, deleted, seed);
  const forbidden = [...gone].map(wordOf);
  const sent: { readonly task: string; readonly holds: boolean; readonly after: boolean }[] = [];
  const reported = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let isReported = false;
  let held = 0;
  const answer = async (request: ModelRequest): Promise<ReturnType<typeof callsOf>> => {
    const text = JSON.stringify(request.messages);
    const { task, ids } = inputOf(request);
    sent.push({ task: `task-${task}`, holds: forbidden.some((word) => text.includes(word)), after: isReported });
    const results = request.messages.filter(({ role }) => role === "tool").length;
    if (results === 0) return callsOf(ids.slice(0, READS_OF_TASK - 1));
    if (results >= READS_OF_TASK) return "answered";
    if (task % 2 === 1 && !isReported) {
      held += 1;
      if (held >= Math.floor(tasks / 2)) reached.resolve();
      await reported.promise;
    }
    return callsOf(ids.slice(READS_OF_TASK - 1));
  };
  const handbook = source("handbook", {
    list: () => [...shelf].map(([id, content]) => ({ id, version: hashText(content) })),
    read: (id) => shelf.get(id),
  });
  const desk = agent(Desk, model({ instructions: "Answer from the handbook.", memory: { sources: [handbook] } }));
  const main = route("main", 1, Desk.input)
    .to("desk", Desk, ({ task }) => task)
    .output(({ desk: said }) => said);
  const local = startLocal(system("deletions", { agents: [desk], routes: [main], models: { default: fakeModel(answer) } }), {
    giveUpMs: GIVE_UP_MS,
  });
  try {
    const startedMs = performance.now();
    await local.sync("handbook");
    const firstComparisonMs = performance.now() - startedMs;
    const random = generator(seed);
    const runs = Array.from({ length: tasks }, (_, task) => {
      const ids = Array.from({ length: READS_OF_TASK }, () => idOf(Math.floor(random() * documents)));
      return local.run(main, { task, ids }, { id: `task-${task}` });
    });
    await reached.promise;
    for (const index of gone) shelf.delete(idOf(index));
    const deletedMs = performance.now();
    const { readers } = await local.sync("handbook");
    const comparisonMs = performance.now() - deletedMs;
    const running = new Set(sent.map(({ task }) => task));
    isReported = true;
    reported.resolve();
    const ended = await Promise.all(runs);
    const listed = new Set(readers.map(({ processId }) => processId));
    const before = sent.filter(({ holds, after }) => holds && !after);
    const touched = [...new Set(before.map(({ task }) => task))];
    const afterwards = new Set(sent.filter(({ after }) => after).map(({ task }) => task));
    return {
      requests: sent.length,
      requestsBefore: before.length,
      requestsAfter: sent.filter(({ holds, after }) => holds && after).length,
      tasksTouched: touched.length,
      tasksRunning: touched.filter((task) => running.has(task) && afterwards.has(task)).length,
      tasksMissed: touched.filter((task) => !listed.has(task)),
      tasksListed: listed.size,
      tasksFailed: ended.filter(({ status }) => status !== "completed").length,
      firstComparisonMs,
      comparisonMs,
    };
  } finally {
    await local.stop();
  }
}

const GIVE_UP_MS = 600_000;

function idOf(index: number): string {
  return `rule-${index}`;
}

/** A word that only this document has. */
function wordOf(index: number): string {
  return `w${hashText(`word ${index}`).slice(0, WORD_LENGTH)}`;
}

const WORD_LENGTH = 16;

function textOf(index: number): string {
  return `Rule ${index} of the handbook says ${wordOf(index)}.`;
}

function inputOf({ messages }: ModelRequest): z.infer<typeof Desk.input> {
  const input = messages.findLast(({ role, text }) => role === "user" && text.startsWith('{"ids"'))?.text ?? "{}";
  return Desk.input.parse(JSON.parse(input)) as z.infer<typeof Desk.input>;
}

function callsOf(
  ids: readonly string[],
): string | { readonly calls: readonly { readonly name: string; readonly arguments: { readonly key: string } }[] } {
  return { calls: ids.map((key) => ({ name: "recall", arguments: { key } })) };
}

function chosen(count: number, some: number, seed: number): ReadonlySet<number> {
  const random = generator(seed + 1);
  const found = new Set<number>();
  while (found.size < Math.min(some, count)) found.add(Math.floor(random() * count));
  return found;
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
