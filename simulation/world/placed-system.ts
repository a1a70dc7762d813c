/**
 * @module The system as one simulated host runs it: each handler knows where it runs, and some throw as user code does.
 */
import type { ClaimCounts } from "../../runtime/model/claims.ts";
import type { ModelCall, ModelReply } from "../../runtime/model/conversation.ts";
import type { AgentDefinition } from "../../agents/agent.ts";
import type { HandOff, RuntimeContext, StepTools, WaitForOptions } from "../../agents/context.ts";
import type { SourceDefinition } from "../../agents/source.ts";
import type { System } from "../../agents/system.ts";
import type { ToolCall, ToolDefinition } from "../../agents/tool.ts";
import type { Json } from "../../runtime/faults.ts";
import { stopWorkParts } from "../../runtime/ids.ts";
import type { JsonSchema } from "../../runtime/schema.ts";
import { Handling } from "./handling.ts";
import { type Life, type Place, place } from "./life.ts";
import type { World } from "./world.ts";

/** The system with handlers that run in a place. */
export function placedSystem(system: System, life: Life, world: World): System {
  const agents = new Map<string, AgentDefinition>();
  for (const [name, definition] of system.agents) {
    const tools = placedTools(definition, life, world);
    agents.set(name, { ...definition, tools, handle: (input, context) => handle(definition, tools, input, context, life, world) });
  }
  const sources = new Map([...system.sources].map(([name, source]) => [name, placedSource(source, life, world)]));
  return { ...system, agents, sources };
}

/** A source whose functions know on which host they run. */
function placedSource(source: SourceDefinition, life: Life, { outside }: World): SourceDefinition {
  const isThere = (id: string): boolean => !outside.documents.hasVanished(source.name, id);
  const at: Place = { life, agent: source.name, workId: "", processId: "" };
  return {
    ...source,
    list: async (cursor, call) => {
      const page = await place.run(at, async () => source.list(cursor, call));
      const { documents, ...rest } = "documents" in page ? page : { documents: page };
      return { ...rest, documents: documents.filter(({ id }) => isThere(id)) };
    },
    read: (id, call) => (isThere(id) ? place.run(at, () => source.read(id, call)) : undefined),
  };
}

type Tools = AgentDefinition["tools"];

/** Tools whose functions know where they run. An undo runs without a handler: its place is in its key. */
function placedTools(definition: AgentDefinition, life: Life, world: World): Tools {
  const at = ({ idempotencyKey: key }: ToolCall, step: string): Place => {
    const workId = key.split("/").slice(0, -3).join("/");
    return { life, agent: definition.name, workId, processId: stopWorkParts(workId).process, step, call: key };
  };
  return new Map(
    [...definition.tools].map(([name, tool]) => {
      const { undo, lookup } = tool;
      const placed: ToolDefinition = {
        ...tool,
        run: (input, call) => {
          const where = at(call, name);
          const { workId, processId } = where;
          const run = { agent: definition, tool, input, workId, processId, key: call.idempotencyKey.slice(workId.length + 1) };
          world.outside.onRun(run);
          if (!world.outside.isEdited(run)) world.models.toolRuns(workId, name, input);
          return life.openCalls.during(where.workId, `call ${call.idempotencyKey}`, call.signal, () =>
            place.run(where, () => tool.run(input, call)),
          );
        },
        undo:
          undo === undefined
            ? undefined
            : (input, output, call) => {
                const where = at(call, name);
                life.openCalls.begins(where.workId, `the undo ${call.idempotencyKey}`);
                return life.openCalls.during(where.workId, `the undo ${call.idempotencyKey}`, call.signal, () =>
                  place.run(where, () => undo(input, output, call)),
                );
              },
        lookup: lookup === undefined ? undefined : (input, call) => place.run(at(call, name), () => lookup(input, call)),
      };
      return [name, placed];
    }),
  );
}

function handle(
  definition: AgentDefinition,
  tools: Tools,
  input: Json,
  context: RuntimeContext,
  life: Life,
  world: World,
): Promise<unknown> {
  const workId = workIdOf(context);
  const at: Place = { life, agent: definition.name, workId, processId: context.processId };
  world.trace?.(`${life.name}: the handler of ${definition.name} begins (${workId}, attempt ${context.attempt})`);
  life.openCalls.begins(workId, `attempt ${context.attempt}`);
  return place.run(at, async () => {
    if (world.faults.happens("handlerThrows", world.random.outside))
      throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw before it did anything`);
    const handling = new Handling(workId, context.attempt, (of, result) => world.outside.onReceived(of, result));
    const placed = new PlacedContext(context, at, world, tools, handling);
    const answer = await (async () => definition.handle(input, placed))().finally(() => handling.end());
    if (world.faults.happens("handlerThrows", world.random.outside))
      throw new Error(`planted at ${Math.round(world.timeline.nowMs)} ms: the handler threw when it was done`);
    world.trace?.(`${life.name}: the handler of ${definition.name} is done (${workId})`);
    return answer;
  });
}

/** The work id. The engine's contexts have it; handlers do not see it. */
function workIdOf(context: RuntimeContext): string {
  return "workId" in context && typeof context.workId === "string" ? context.workId : context.processId;
}

/** As the real context, and code within a step knows that it is. */
class PlacedContext implements RuntimeContext {
  readonly #context: RuntimeContext;
  readonly #at: Place;
  readonly #world: World;
  readonly #tools: Tools;
  readonly #handling: Handling;

  constructor(context: RuntimeContext, at: Place, world: World, tools: Tools, handling: Handling) {
    this.#tools = tools;
    this.#handling = handling;
    this.#context = context;
    this.#at = at;
    this.#world = world;
  }

  get state(): Json {
    return this.#context.state;
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

  noteClaims(claims: ClaimCounts): void {
    this.#context.noteClaims(claims);
  }

  get label(): RuntimeContext["label"] {
    return this.#context.label;
  }

  get inputLabel(): RuntimeContext["inputLabel"] {
    return this.#context.inputLabel;
  }

  get sentBack(): RuntimeContext["sentBack"] {
    return this.#context.sentBack;
  }

  get memory(): RuntimeContext["memory"] {
    return this.#context.memory;
  }

  get attempt(): number {
    return this.#context.attempt;
  }

  get processId(): string {
    return this.#context.processId;
  }

  setState(next: Json): void {
    this.#context.setState(next);
  }

  chat(call: ModelCall): Promise<ModelReply> {
    return this.#receives(`chat ${call.model} ${call.hash}`, this.#context.chat(call));
  }

  get budget(): RuntimeContext["budget"] {
    return this.#context.budget;
  }

  call(tool: ToolDefinition, input: Json, edited?: Parameters<RuntimeContext["call"]>[2]): Promise<Json> {
    const made = this.#context.call(this.#tools.get(tool.name) ?? tool, input, edited);
    return this.#receives(`call ${tool.name} ${JSON.stringify(input)}`, made);
  }

  step(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    return this.#receives(`step ${name}`, this.#step(name, action));
  }

  async #step(name: string, action: (step: StepTools) => unknown): Promise<Json> {
    let ran = false;
    const output = await this.#context.step(name, (tools) => {
      ran = true;
      this.#world.trace?.(`${this.#at.life.name}: step ${name} of ${this.#at.agent} runs`);
      return place.run({ ...this.#at, step: name }, () => action(tools));
    });
    if (!ran) this.#world.trace?.(`${this.#at.life.name}: step ${name} of ${this.#at.agent} was recorded before and is not run again`);
    return output;
  }

  sleep(ms: number): Promise<void> {
    return this.#receives(`sleep ${ms}`, this.#context.sleep(ms));
  }

  waitFor(name: string, schema: JsonSchema, options: WaitForOptions): Promise<Json> {
    return this.#receives(`signal ${name}`, this.#context.waitFor(name, schema, options));
  }

  ask(target: { readonly name: string }, input: Json, received?: Parameters<RuntimeContext["ask"]>[2]): Promise<Json> {
    return this.#receives(`ask ${target.name} ${JSON.stringify(input)}`, this.#context.ask(target, input, received));
  }

  #receives<T>(what: string, result: Promise<T>): Promise<T> {
    return this.#handling.receives(what, this.#context.signal, result);
  }

  handOff(target: { readonly name: string }, input: Json): HandOff {
    return this.#context.handOff(target, input);
  }

  now(): number {
    return this.#context.now();
  }

  uuid(): string {
    return this.#context.uuid();
  }
}
