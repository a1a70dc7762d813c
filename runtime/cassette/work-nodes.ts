/** @module What the handler of one work item did: model calls, tool calls, steps, asks, signals and requests to people. Pure. */
import type { AgentWork, Failure, ModelCall, Wait } from "../agent/state.ts";
import type { Json } from "../faults.ts";
import { entryOf } from "../entries.ts";
import { askWorkId, modelOf, toolOf } from "../ids.ts";
import { ModelReply } from "../model/conversation.ts";
import { Verdict } from "../people/request.ts";
import type { CassetteWork } from "./cassette.ts";
import type { Contents } from "./contents.ts";
import type { RunNode } from "./run-nodes.ts";

interface Ordered {
  readonly order: number;
  readonly node: RunNode;
}

/** What the handler of a work item did, in the order in which it got the results. `asked` returns the node of an asked work item. */
export function workNodes(
  { work, facts }: CassetteWork,
  stop: string,
  contents: Contents,
  asked: (workId: string) => RunNode | undefined,
): RunNode[] {
  const at = { stop, agent: work.agent, parts: [] };
  const failures = (work.failures ?? []).filter(({ attempt }) => attempt === work.attempt);
  const nodes: Ordered[] = [
    ...(work.modelCalls ?? []).flatMap((call) => {
      const content = modelContent(call, failureOf(failures, "model", call.key), contents);
      if (content === undefined) return [];
      const version = facts === undefined ? undefined : entryOf(facts, call.key)?.promptVersion;
      const full = version === undefined ? content : { prompt: version, ...content };
      return [made(call.order, { ...at, what: "model", name: call.model, key: call.key, content: full })];
    }),
    ...work.calls.flatMap(({ key, tool, input, output, order, onlyIn }) => {
      if (onlyIn !== undefined && onlyIn !== work.attempt) return [];
      const fault = failureOf(failures, "call", key)?.fault;
      const content = { arguments: contents.argumentsOf(key, input), ...contents.result({ output, fault }) };
      return [made(order, { ...at, what: "tool", name: tool, key, content })];
    }),
    ...work.steps.map(({ name, output, order }) =>
      made(order, { ...at, what: "step", name, key: name, content: contents.result({ output }) }),
    ),
    ...failures.flatMap((failure) => failureNodes(failure, work, at, contents)),
    ...work.waits.flatMap((wait) => waitNodes(wait, work, at, contents, asked)),
  ];
  return nodes.sort((a, b) => a.order - b.order).map(({ node }) => node);
}

type At = Pick<RunNode, "stop" | "agent" | "parts">;

function made(order: number | undefined, node: RunNode): Ordered {
  return { order: order ?? Number.MAX_SAFE_INTEGER, node };
}

function failureOf(failures: readonly Failure[], kind: Failure["kind"], key: string): Failure | undefined {
  return failures.find((one) => one.kind === kind && one.key === key);
}

function modelContent(
  { reply }: ModelCall,
  failure: Failure | undefined,
  contents: Contents,
): { readonly [name: string]: Json } | undefined {
  if (reply === undefined) return failure === undefined ? undefined : contents.result(failure);
  const read = ModelReply.safeParse(contents.read(reply)).data;
  if (read === undefined) return { text: contents.read(reply) };
  const { text, calls, finish, refusal, model } = read;
  return {
    ...{ answered: model, text, calls: calls.map(({ name, arguments: input }) => ({ name, arguments: input })), finish },
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** A failure of something that has no record of its own. */
function failureNodes({ kind, key, fault, order }: Failure, work: AgentWork, at: At, contents: Contents): Ordered[] {
  const content = contents.result({ fault });
  switch (kind) {
    case "call": {
      if (work.calls.some((call) => call.key === key)) return [];
      const input = contents.argumentsOf(key, undefined);
      return [made(order, { ...at, what: "tool", name: toolOf(key), key, content: { arguments: input, ...content } })];
    }
    case "model":
      if (work.modelCalls?.some((call) => call.key === key) === true) return [];
      return [made(order, { ...at, what: "model", name: modelOf(key), key, content })];
    case "step":
      return [made(order, { ...at, what: "step", name: key, key, content })];
    case "wait":
      return [];
  }
}

function waitNodes(
  { for: wanted, key, index, result, order }: Wait,
  { id, agent, failures = [], attempt }: AgentWork,
  at: At,
  contents: Contents,
  asked: (workId: string) => RunNode | undefined,
): Ordered[] {
  const failed = failures.find((one) => one.kind === "wait" && one.key === key && one.attempt === attempt);
  const end = contents.result(result ?? failed ?? {});
  switch (wanted.kind) {
    case "agent": {
      const parts: RunNode[] = [];
      for (let visit = 1; ; visit += 1) {
        const node = asked(askWorkId(id, index, visit));
        if (node === undefined) break;
        parts.push({ ...node, key: `visit ${visit}`, stop: `${at.stop} > ${agent}` });
      }
      return [made(order, { ...at, what: "ask", name: wanted.agent, key, content: { input: contents.read(wanted.input), ...end }, parts })];
    }
    case "signal":
      return [made(order, { ...at, what: "signal", name: wanted.name, key, content: end })];
    case "person": {
      const question = contents.asked(wanted.ask.content);
      return [made(order, { ...at, what: "person", name: nameOf(key), key, content: { asked: question, ...decided(end) } })];
    }
    case "timer":
    case "budget":
      return [];
  }
}

/** The tool in the key of a consent. */
function nameOf(key: string): string {
  return toolOf(key.slice("consent ".length));
}

/** A decision without its ids and times. */
function decided(end: { readonly [name: string]: Json }): { readonly [name: string]: Json } {
  const verdict = Verdict.safeParse(end["output"]).data;
  if (verdict === undefined) return end;
  const { verdict: decision, input, by, reason } = verdict;
  return { decision, reason, ...(input === undefined ? {} : { input }), ...(by === undefined ? {} : { by }) };
}
