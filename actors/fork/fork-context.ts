/** @module The context of a handler in a forked run: the one of the host, with what may reach the outside replaced by the record. */
import type { AgentDefinition } from "../../agents/agent.ts";
import type { EditedCall, RuntimeContext, StepTools, WaitForOptions } from "../../agents/context.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import type { Failure } from "../../runtime/agent/state.ts";
import { canonicalJson } from "../../runtime/canonical.ts";
import type { KnownWork, RecordedRun } from "../../runtime/cassette/recorded-run.ts";
import { Fault, type Json } from "../../runtime/faults.ts";
import { modelKey } from "../../runtime/ids.ts";
import type { Label } from "../../runtime/label.ts";
import type { ClaimCounts } from "../../runtime/model/claims.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import type { RuntimeMemory } from "../../runtime/memory/view.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import type { ForkEnd } from "./fork-end.ts";
import type { ForkMemory } from "./fork-memory.ts";
import type { ForkModels } from "./fork-models.ts";

/** What the contexts of one forked run share. */
export interface ForkContextParts {
  readonly recorded: RecordedRun;
  readonly end: ForkEnd;
  readonly models: ForkModels;
  /** The model that is asked in the place of each. Absent: those of the agents. */
  readonly model: string | undefined;
  /** The version of the prompt of agents that have it. Absent: the recorded version, or that of the code. */
  readonly prompt: string | undefined;
}

/** What a context must know of its agent. */
type ForkedAgent = Pick<AgentDefinition, "name" | "initialState" | "tools" | "prompts" | "prompt" | "models">;

/** The context of one execution. */
export class ForkContext implements RuntimeContext {
  readonly #parts: ForkContextParts;
  readonly #context: RuntimeContext;
  readonly #work: string;
  readonly #known: KnownWork | undefined;
  readonly #agent: ForkedAgent;
  readonly memory: RuntimeMemory | undefined;
  readonly #counts = new Map<string, number>();

  constructor(parts: ForkContextParts, context: RuntimeContext, work: string, agent: ForkedAgent, memory: ForkMemory | undefined) {
    this.#parts = parts;
    this.#context = context;
    this.#work = work;
    this.#known = parts.recorded.work(work);
    this.#agent = agent;
    this.memory = memory;
  }

  /** An actor that had a state before the run has the recorded one until this run sets it. */
  get state(): Json {
    const { state } = this.#context;
    const recorded = this.#known?.handler?.state;
    const { initialState } = this.#agent;
    if (recorded === undefined || canonicalJson(state) !== canonicalJson(initialState)) return state;
    return this.#parts.recorded.contents.read(recorded);
  }

  setState(next: Json): void {
    this.#context.setState(next);
  }

  noteClaims(claims: ClaimCounts): void {
    this.#context.noteClaims(claims);
  }

  call(tool: ToolDefinition, input: Json, edited?: (edit: EditedCall) => void): Promise<Json> {
    return this.#context.call(this.#agent.tools.get(tool.name) ?? tool, input, edited);
  }

  step(name: string, _action: (step: StepTools) => unknown): Promise<Json> {
    const { recorded, end } = this.#parts;
    const step = this.#known?.handler?.work.steps.find((one) => one.name === name);
    const failed = this.#failed("step", name);
    return this.#context.step(name, () => {
      if (step !== undefined) return recorded.contents.read(step.output);
      if (failed !== undefined) throw Fault.fromWire(failed.fault);
      return end.unknown({ agent: this.#agent.name, what: "step", name });
    });
  }

  #failed(kind: Failure["kind"], key: string): Failure | undefined {
    const { failures = [], attempt } = this.#known?.handler?.work ?? {};
    return failures.find((one) => one.kind === kind && one.key === key && one.attempt === attempt);
  }

  ask(target: { readonly name: string }, input: Json, received?: (label: Label | undefined) => void): Promise<Json> {
    return this.#context.ask(target, input, received);
  }

  sleep(ms: number): Promise<void> {
    return this.#context.sleep(ms);
  }

  waitFor(name: string, schema: JsonSchema, options: WaitForOptions): Promise<Json> {
    return this.#context.waitFor(name, schema, options);
  }

  handOff(target: { readonly name: string }, input: Json): ReturnType<RuntimeContext["handOff"]> {
    return this.#context.handOff(target, input);
  }

  /** A call that was made before has its recorded reply, of the model that it was made with. */
  chat(call: ModelCall): Promise<ModelReply> {
    const { model, models } = this.#parts;
    const prefix = `${call.model}/${call.hash}`;
    const count = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, count + 1);
    const isKnown = models.isKnown(this.#work, modelKey(call.model, call.hash, count));
    return this.#context.chat(isKnown || model === undefined ? call : { ...call, model });
  }

  get budget(): RuntimeContext["budget"] {
    return this.#context.budget;
  }

  get label(): Label {
    return this.#context.label;
  }

  get inputLabel(): Label {
    return this.#context.inputLabel;
  }

  /** The recorded version of the prompt, so that earlier requests are the same. The fork may have another one, for agents that have it. */
  get release(): RuntimeContext["release"] {
    const { recorded, prompt } = this.#parts;
    const { prompts, models, prompt: own } = this.#agent;
    const known = this.#known?.handler?.work.release ?? this.#context.release;
    const isOther = prompt !== undefined && prompts.includes(prompt) && (this.#known === undefined || recorded.isNew(this.#known));
    const version = isOther ? prompt : (known?.prompt ?? own);
    // A version that the code no longer has is that of the code.
    const used = version !== undefined && prompts.includes(version) ? version : own;
    const model = known?.model ?? models[0];
    if (model === undefined) return known;
    return { part: known?.part ?? "code", model, ...(used === undefined ? {} : { prompt: used }) };
  }

  get sentBack(): RuntimeContext["sentBack"] {
    return this.#context.sentBack;
  }

  now(): number {
    return this.#known?.handler?.work.begunAtMs ?? this.#context.now();
  }

  uuid(): string {
    return this.#context.uuid();
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get log(): RuntimeContext["log"] {
    return this.#context.log;
  }

  get principal(): RuntimeContext["principal"] {
    return this.#context.principal;
  }

  get attempt(): number {
    return this.#context.attempt;
  }

  get processId(): string {
    return this.#context.processId;
  }
}
