/**
 * @module One agent that thinks, without a process: work items are sent to its hosts, and what it tells its process is collected. Its
 * models are a fake whose answers the test decides.
 */
import { z } from "zod";
import type { RuntimeContext } from "../../agents/context.ts";
import { agent, contract, route, system } from "../../agents/index.ts";
import type { ModelAttempt, Models } from "../../actors/engine/ports.ts";
import { agentMachine } from "../../runtime/agent/machine.ts";
import type { AgentEvent } from "../../runtime/agent/events.ts";
import type { AgentState, AgentWork } from "../../runtime/agent/state.ts";
import type { Grant } from "../../runtime/budget.ts";
import { hashText } from "../../runtime/canonical.ts";
import type { Json } from "../../runtime/faults.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import type { Message, TurnAnswer } from "../../runtime/protocol.ts";
import type { BodyOf, Result } from "../../runtime/protocol/bodies.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { Journal } from "../../actors/engine/journal.ts";
import type { ToolDefinition } from "../../agents/tool.ts";
import { flush } from "./engine-rig.ts";
import type { Member } from "./handler-rig.ts";
import { World } from "./world-rig.ts";

const In = z.object({ n: z.int() });
const Out = z.object({ text: z.string() });
const Thinker = contract("Thinker", 1, { input: In, output: Out });
const HOUR_MS = 3_600_000;
const TRACE = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };

export type Think = (ctx: RuntimeContext, n: number) => Promise<string>;
type Answer = (attempt: ModelAttempt, count: number) => ModelReply | Promise<ModelReply>;

/** A reply with a text and 10 and 5 tokens of usage. */
export function replyOf(text: string, more: Partial<ModelReply> = {}): ModelReply {
  const usage = { inputTokens: 10, outputTokens: 5 };
  return { text, calls: [], finish: "stop", model: "fake-1", endpoint: "fake", usage, ...more };
}

/** A call of a model that reserves 100 and 50 tokens. */
export function callOf(text: string, more: Partial<ModelCall> = {}): ModelCall {
  return {
    model: "fast",
    request: { messages: [{ role: "user", text }], tools: [], toolChoice: "none", outputTokensMax: 50 },
    hash: hashText(text),
    facts: { prompt: hashText("instructions"), tools: hashText("[]"), messages: 1, outputTokensMax: 50 },
    inputTokensMax: 100,
    ...more,
  };
}

/** Models that answer as the test says. A token costs one micro dollar. */
export class FakeModels implements Models {
  readonly attempts: ModelAttempt[] = [];
  answer: Answer = (attempt) => replyOf(`re ${textOf(attempt)}`);
  isPriced = true;

  costMicrosMax(_model: string, inputTokens: number, outputTokens: number): number | undefined {
    return this.isPriced ? inputTokens + outputTokens : undefined;
  }

  costMicros(
    _endpoint: string,
    { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
  ): number | undefined {
    return this.isPriced ? inputTokens + outputTokens : undefined;
  }

  providerOf(): string {
    return "fake-provider";
  }

  async attempt(attempt: ModelAttempt): Promise<ModelReply> {
    this.attempts.push(attempt);
    return this.answer(attempt, this.attempts.length);
  }

  /** The texts that were sent, in order. */
  get sent(): string[] {
    return this.attempts.map(textOf);
  }
}

/** The text of an attempt's last message. */
export function textOf({ request }: ModelAttempt): string {
  const last = request.messages.at(-1);
  return last !== undefined && "text" in last ? last.text : "";
}

interface RigParts {
  readonly tools?: readonly ToolDefinition[];
  readonly concurrency?: number;
  readonly withoutModels?: boolean;
}

/** Hosts of one thinking agent. The handler may differ from host to host. */
export class ModelRig {
  readonly world = new World();
  readonly models = new FakeModels();
  /** Results by work id, as the process would hear them last. */
  readonly results = new Map<string, BodyOf<"result">>();
  readonly waits: BodyOf<"wait">[] = [];
  readonly #parts: RigParts;

  constructor(parts: RigParts = {}) {
    this.#parts = parts;
    if (parts.withoutModels !== true) this.world.models = this.models;
    // No process hears the agent.
    this.world.broker = (message) => {
      this.#hear(message);
      return 0;
    };
    this.world.heard = (message) => this.#hear(message);
  }

  join(think: Think, name = `host-${this.world.members.length}`): Member {
    const { tools = [], concurrency } = this.#parts;
    const plain = agent(Thinker, {
      tools,
      ...(concurrency === undefined ? {} : { concurrency }),
      handle: async () => ({ text: "" }),
    });
    const thinker = { ...plain, handle: async (input: Json, ctx: RuntimeContext) => ({ text: await think(ctx, In.parse(input).n) }) };
    const main = route("main", 1, In)
      .to("think", Thinker, ({ task }) => task)
      .output(({ think: thought }) => thought);
    return this.world.join(system("sys", { agents: [thinker], routes: [main] }), name);
  }

  /** Requests a work item of the host that holds its actor now, as its process does until it is answered. */
  async asks(id = "w", more: { readonly attempt?: number; readonly grant?: Grant } = {}): Promise<TurnAnswer> {
    const { attempt = 1, grant } = more;
    const retainUntilMs = this.world.clock.nowMs() + HOUR_MS;
    return this.#send(id, `${id}:${attempt}`, {
      ...{ kind: "work", workId: id, attempt, agent: "Thinker", version: 1, input: { json: { n: 1 } }, retainUntilMs, ancestors: [] },
      ...(grant === undefined ? {} : { grant }),
    });
  }

  async undoes(id = "w"): Promise<void> {
    const retainUntilMs = this.world.clock.nowMs() + HOUR_MS;
    await this.#send(id, `${id}/undo`, { kind: "undo", workId: id, undoId: `${id}/undo`, attempt: 1, agent: "Thinker", retainUntilMs });
  }

  async answers(index: number, result: Result, id = "w"): Promise<void> {
    await this.#send(id, `${id}/answer${index}`, { kind: "answer", workId: id, index, result });
  }

  async #send(id: string, messageId: string, body: Message["body"]): Promise<TurnAnswer> {
    const nowMs = this.world.clock.nowMs();
    const to = { type: "sys.Thinker", id };
    const answer = await this.world.holder(to).host.receive({
      ...{ v: 1, id: messageId, to, from: "sys.ProcessManager/p", processId: "p", createdAtMs: nowMs, expiresAtMs: nowMs + HOUR_MS },
      ...{ hop: 0, principal: { ...ANONYMOUS, permissions: [...ANONYMOUS.permissions] }, trace: TRACE, body },
    });
    await flush();
    return answer;
  }

  #hear({ body }: Message): void {
    if (body.kind === "result") this.results.set(body.workId, body);
    if (body.kind === "wait") this.waits.push(body);
  }

  /** Asks again and lets time pass until the work item has a result. */
  async ends(id = "w", more: { readonly attempt?: number; readonly grant?: Grant } = {}): Promise<BodyOf<"result">> {
    this.results.delete(id);
    for (let seconds = 0; seconds < 300; seconds += 1) {
      await this.asks(id, more).catch(() => undefined);
      const result = this.results.get(id);
      if (result !== undefined) return result;
      await this.world.clock.advance(1_000);
    }
    throw new Error(`${id} did not end: ${JSON.stringify(await this.events(id))}`);
  }

  /** What the journal of a work item's actor holds. */
  async events(id = "w"): Promise<AgentEvent[]> {
    const events: AgentEvent[] = [];
    for await (const { event } of this.#journal.events(id)) events.push(event);
    return events;
  }

  /** The work item as its actor remembers it. */
  async work(id = "w"): Promise<AgentWork> {
    const { state } = await this.#journal.load(id);
    const work = state.works[id];
    if (work === undefined) throw new Error(`there is no work item ${id}`);
    return work;
  }

  get #journal(): Journal<AgentState, never, AgentEvent> {
    return new Journal(this.world.store, this.world.clock, agentMachine, "sys", "sys.Thinker");
  }
}
