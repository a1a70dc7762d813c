/** @module Replays one work item: the handler of the current system over what is recorded of it. */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { AgentState } from "../../runtime/agent/state.ts";
import { canonicalJson, textBytes } from "../../runtime/canonical.ts";
import type { Cassette, CassetteWork } from "../../runtime/cassette/cassette.ts";
import { refsIn } from "../../runtime/cassette/refs.ts";
import type { Divergence } from "../../runtime/cassette/replay-report.ts";
import { entryOf } from "../../runtime/entries.ts";
import { Fault, isFault, type Json, wireFault } from "../../runtime/faults.ts";
import type { FinishedResult } from "../../runtime/agent/inputs.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ModelFacts } from "../../runtime/model/conversation.ts";
import type { Value } from "../../runtime/value.ts";
import { SILENT } from "../engine/log.ts";
import type { Values } from "../engine/values.ts";
import { CallTelemetry } from "../telemetry/calls.ts";
import { HostMetrics } from "../telemetry/metrics.ts";
import { Checks } from "../host/checks.ts";
import { handleWork } from "../host/handle-work.ts";
import { cassetteValues } from "./cassette-values.ts";
import { RecordedLink } from "./recorded-link.ts";
import { replayClock } from "./replay-clock.ts";
import { ReplayedExecution, type SeenExchange } from "./replayed-execution.ts";

/** A replayed work item. */
export interface ReplayedWork {
  readonly divergence?: Omit<Divergence, "process" | "stop"> | undefined;
  /** Why it was not replayed. */
  readonly skipped?: string | undefined;
  readonly exchanges: readonly SeenExchange[];
}

/** Codes of faults that hosts, processes and the outside give a work item: no handler returns them again. */
const NOT_OF_HANDLERS: ReadonlySet<string> = new Set([
  "work.cancelled",
  "work.superseded",
  "work.crashed",
  "system.stopping",
  "stop.timeout",
  "call.unknown",
]);

/** Why a work item cannot be replayed. Undefined: it can. */
function whyNot(definition: AgentDefinition | undefined, { work }: CassetteWork): string | undefined {
  if (definition === undefined) return `the system has no agent ${work.agent}`;
  const { result } = work;
  if (result !== undefined && "fault" in result && NOT_OF_HANDLERS.has(result.fault.code)) return `it ended with ${result.fault.code}`;
  const steps = [...work.steps.map(({ name }) => name), ...(work.failures ?? []).map(({ key }) => key)];
  if (definition.memory !== undefined && steps.some((name) => name.startsWith("memory:")))
    return "it read a memory, whose facts are in no record and may be forgotten";
  return undefined;
}

function whyIncomplete({ values }: Cassette, one: CassetteWork): string | undefined {
  const isIncomplete = [...refsIn(one)].some(({ ref }) => !Object.hasOwn(values, ref));
  return isIncomplete ? "contents of it were removed" : undefined;
}

/** Replays a work item. `definition` is the agent of the current system. */
export async function replayWork(cassette: Cassette, one: CassetteWork, definition: AgentDefinition | undefined): Promise<ReplayedWork> {
  const skipped = whyNot(definition, one) ?? whyIncomplete(cassette, one);
  if (definition === undefined || skipped !== undefined) return { skipped, exchanges: [] };
  const clock = replayClock(one.work.begunAtMs);
  const values = cassetteValues(cassette, clock);
  const work = { ...one.work, status: "running" as const, result: undefined };
  const link = new RecordedLink(work, one.actor);
  const metrics = HostMetrics.unobserved(cassette.system);
  const checks = new Checks({ audit: { file: async () => {} }, clock, metrics });
  const execution = new ReplayedExecution(
    {
      ...{ work, agent: definition, checks, values, clock, link, log: QUIET },
      rules: { letting: async () => "recorded", make: async () => {} },
      random: { token: () => "replay", jitter01: () => 0 },
      telemetry: new CallTelemetry({ metrics, trace: work.trace, agent: work.agent, processId: work.processId, workId: work.id }),
      contentOf: (state: AgentState) => (state.state === undefined ? definition.initialState : values.read(state.state)),
      waiting: () => {},
      resting: () => undefined,
    },
    one.stateVersion,
    one.state === undefined ? definition.initialState : await values.read(one.state),
  );
  const stop = setTimeout(
    () => execution.stop(wireFault("work.cancelled", `the replay took more than ${LIMITS.replayWorkMsMax} ms`)),
    LIMITS.replayWorkMsMax,
  );
  try {
    const result = await handleWork({ definition, checks, log: SILENT }, work, execution);
    return { exchanges: execution.exchanges, ...(await compared({ one, values, execution, link }, result)) };
  } finally {
    clearTimeout(stop);
  }
}

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

interface Compared {
  readonly one: CassetteWork;
  readonly values: Values;
  readonly execution: ReplayedExecution;
  readonly link: RecordedLink;
}

async function compared(
  { one, values, execution, link }: Compared,
  result: FinishedResult,
): Promise<Pick<ReplayedWork, "divergence" | "skipped">> {
  const { agent, work } = one;
  const about = { agent, work: work.id };
  const { unrecorded } = link;
  if (unrecorded !== undefined)
    return { divergence: { ...about, kind: "new", call: unrecorded.key, ...newText(unrecorded.what, unrecorded.key, execution) } };
  const fault = execution.stopped ?? execution.mismatch;
  if (fault?.code === "work.cancelled") return { skipped: fault.message };
  if (fault !== undefined) return { divergence: { ...about, ...mismatchOf(fault, one, execution) } };
  const wrong = await resultDiff(one, values, result);
  if (wrong !== undefined) return { divergence: { ...about, ...wrong } };
  const recorded = one.nextState === undefined ? undefined : await values.read(one.nextState);
  const now = "fault" in result ? undefined : execution.nextState?.content;
  if (isSame(recorded, now)) return {};
  return { divergence: { ...about, kind: "changed", message: "the state that it sets is another one", ...shown(recorded, now) } };
}

function newText(what: string, key: string, { last }: ReplayedExecution): Pick<Divergence, "message" | "now"> {
  return { message: `${what} ${key} is not in the record`, ...(last === undefined ? {} : { now: cut(last.input) }) };
}

/** Something recorded was not reached, or another request to a model stands in its place. */
function mismatchOf(fault: Fault, one: CassetteWork, execution: ReplayedExecution): Pick<Divergence, "kind" | "message" | "call" | "now"> {
  const { last, exchanges } = execution;
  if (fault.code === "model.mismatch") {
    const made = new Set(exchanges.map(({ call }) => call.hash));
    const missed = one.work.modelCalls?.find(({ key }) => ![...made].some((hash) => key.includes(hash)));
    const now = exchanges.find(
      ({ reply, call }) => reply === undefined && one.work.modelCalls?.every(({ key }) => !key.includes(call.hash)) === true,
    );
    const why = requestDiff(missed === undefined ? undefined : entryOf(one.facts ?? {}, missed.key), now?.call.facts);
    return { kind: "changed", message: `another request to the model: ${why}`, ...(missed === undefined ? {} : { call: missed.key }) };
  }
  const recorded = fault.details?.["recorded"];
  const call = typeof recorded === "string" ? recorded : undefined;
  const message = call === undefined ? fault.message : `${call} is recorded, and does not happen again`;
  const instead = last === undefined ? {} : { now: cut({ what: last.what, input: last.input }) };
  return { kind: "unreached", message, ...(call === undefined ? {} : { call }), ...instead };
}

function requestDiff(recorded: ModelFacts | undefined, now: ModelFacts | undefined): string {
  if (recorded === undefined || now === undefined) return "what differs is not recorded";
  const parts = [
    recorded.prompt === now.prompt ? [] : ["the instructions differ"],
    recorded.tools === now.tools ? [] : ["the descriptions of the tools differ"],
    recorded.messages === now.messages ? [] : [`it has ${now.messages} messages instead of ${recorded.messages}`],
    recorded.outputTokensMax === now.outputTokensMax && recorded.temperature === now.temperature && recorded.seed === now.seed
      ? []
      : ["its settings differ"],
  ].flat();
  return parts.length === 0 ? "a message or the schema of the answer differs" : parts.join(", ");
}

async function resultDiff(
  one: CassetteWork,
  values: Values,
  now: FinishedResult,
): Promise<Pick<Divergence, "kind" | "message" | "recorded" | "now"> | undefined> {
  const recorded = one.work.result;
  if (recorded === undefined) return undefined;
  const before = await plain(recorded, values);
  const after = await plain(now, values);
  if (isSame(before, after)) return undefined;
  return { kind: "changed", message: "its result is another one", ...shown(before, after) };
}

type AnyResult = FinishedResult | NonNullable<CassetteWork["work"]["result"]>;

/** A result as JSON. Of a fault only the code counts: its text may hold times and addresses. */
async function plain(result: AnyResult, values: Values): Promise<Json> {
  if ("fault" in result) return { fault: result.fault.code };
  if ("handOff" in result) return { handOff: result.handOff.agent, input: await contentOf(result.handOff.input, values) };
  return { output: await contentOf(result.output, values) };
}

/** The runner hands over plain JSON, and a record a value. */
async function contentOf(content: Json | Value, values: Values): Promise<Json> {
  if (typeof content === "object" && content !== null && !Array.isArray(content)) {
    const keys = Object.keys(content);
    if ("json" in content && keys.length === 1) return content["json"] as Json;
    if ("ref" in content && "bytes" in content) {
      try {
        return await values.read(content as Value);
      } catch (error) {
        if (!isFault(error)) throw error;
        return { missing: error.code };
      }
    }
  }
  return content as Json;
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b);
}

function shown(recorded: Json | undefined, now: Json | undefined): Pick<Divergence, "recorded" | "now"> {
  return { ...(recorded === undefined ? {} : { recorded: cut(recorded) }), ...(now === undefined ? {} : { now: cut(now) }) };
}

function cut(content: Json): Json {
  const text = JSON.stringify(content);
  return textBytes(text) <= LIMITS.divergenceBytesMax ? content : `${text.slice(0, LIMITS.divergenceBytesMax)}...`;
}
