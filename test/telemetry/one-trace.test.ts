/** @module One trace over four agents, two model calls, a tool, a person, a kill and a redrive, checked against the GenAI conventions. */
import { context, type SpanContext, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, Fault, model, person, route, system, tool } from "../../agents/index.ts";
import { fakeModel } from "../../testing/index.ts";
import { flush } from "../actors/engine-rig.ts";
import { FakeModels, replyOf } from "../actors/model-rig.ts";
import { CALLER, World } from "../actors/world-rig.ts";
import { keepSpans, type KeptSpan } from "./keeping.ts";
import { GEN_AI, issuesOf } from "./gen-ai.ts";

const Text = z.object({ text: z.string() });
const of = (name: string) => contract(name, 1, { input: Text, output: Text });
const [Planner, Booker, Writer, Mailer] = [of("Planner"), of("Booker"), of("Writer"), of("Mailer")];
const Boss = person("Boss", { input: Text, output: Text, roles: ["boss"], deadlineMs: 3_600_000, onExpiry: "deny" });
const ANN = { subject: "ann", tenant: "default", permissions: [], roles: ["boss"] };
const OPERATOR = { traceparent: `00-${"b".repeat(32)}-${"c".repeat(16)}-01` };
const HOUR_MS = 3_600_000;

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterEach(() => {
  trace.disable();
  context.disable();
});

interface Ran {
  readonly spans: readonly KeptSpan[];
  readonly traceId: string;
}

/** Runs the whole story on two hosts of which the first one is killed. */
async function story(): Promise<Ran> {
  const spans = keepSpans();
  const world = new World();
  const models = new FakeModels();
  models.answer = () => replyOf('{"text":"SECRET"}');
  world.models = models;
  let [bookings, isCorrected] = [0, false];
  const book = tool("book", { effect: "write", input: z.string(), output: z.string(), run: async () => `SECRET ${(bookings += 1)}` });
  const agents = [
    agent(Planner, model({ instructions: "Plan." })),
    agent(Booker, {
      tools: [book],
      handle: async ({ text }, ctx) => {
        const booked = await ctx.call(book, text);
        // The first host hangs here until it is killed.
        if (world.members.length === 1) await new Promise(() => {});
        return { text: booked };
      },
    }),
    Boss,
    agent(Writer, model({ instructions: "Write." })),
    agent(Mailer, {
      handle: (mail) => {
        if (!isCorrected) throw new Fault("agent.refused", "SECRET address");
        return mail;
      },
    }),
  ];
  const trip = route("trip", 1, Text)
    .to("plan", Planner, ({ task }) => task)
    .to("book", Booker, ({ plan }) => plan)
    .to("ok", Boss, ({ book: booked }) => booked, { timeoutMs: 10 * HOUR_MS })
    .to("write", Writer, ({ ok }) => ok)
    .to("mail", Mailer, ({ write }) => write)
    .output(({ mail }) => mail);
  const party = system("party", { agents, routes: [trip], models: { default: fakeModel(() => "not used") } });
  const one = world.join(party, "one");
  const task = { id: "p", route: "trip", input: { text: "SECRET" }, timeoutMs: 20 * HOUR_MS };
  const { receipt } = await one.operations.submit(task, CALLER, 0);
  for (let passed = 0; bookings === 0 && passed < 100; passed += 1) await flush(20);
  one.kill();
  const two = world.join(party, "two");
  await two.host.recover();
  const passes = async (done: () => Promise<boolean>): Promise<void> => {
    for (let passed = 0; !(await done()) && passed < 120; passed += 1) {
      await world.clock.advance(1_000);
      await flush(20);
    }
  };
  const asked = async () => (await two.operations.inbox({}, undefined, 10)).entries as unknown as { id: string; hash: string }[];
  await passes(async () => (await asked()).length > 0);
  await world.clock.advance(2 * HOUR_MS - 600_000);
  await flush(20);
  const [request] = await asked();
  if (request === undefined) throw new Error("no person was asked");
  const decision = { do: "answer" as const, hash: request.hash, output: { text: "yes" } };
  await two.operations.decide(request.id, decision, { principal: ANN, trace: OPERATOR });
  expect(await world.until(two, "p")).toMatchObject({ status: "failed", fault: { code: "agent.refused" } });
  isCorrected = true;
  await two.operations.redrive("p:1", { reason: "corrected" }, { principal: ANN, trace: OPERATOR });
  await passes(async () => (await two.operations.process("p")).run === 2 && (await two.operations.process("p")).phase === "ended");
  expect((await two.operations.process("p")).outcome?.status).toBe("completed");
  return { spans, traceId: receipt.traceId };
}

describe("one trace", () => {
  test("over four agents, two model calls, a tool, a person, a kill and a redrive", async () => {
    const { spans, traceId } = await story();
    const own = spans.filter(({ attributes }) => attributes["troupe.process.id"] === "p");
    expect(new Set(own.map((span) => span.context.traceId)), "one trace id").toEqual(new Set([traceId]));
    const count = (name: string): number => own.filter((span) => span.name === name).length;
    expect(["Planner", "Booker", "Writer"].map((name) => count(`invoke_agent ${name}`))).toEqual([1, 2, 1]);
    expect(count("invoke_agent Mailer")).toBeGreaterThanOrEqual(2);
    expect([count("chat default"), count("execute_tool book"), count("troupe.task")]).toEqual([2, 1, 1]);
    expect([count("troupe.wait"), count("troupe.wait.ended"), count("troupe.reopened"), count("invoke_workflow trip")]).toEqual([
      1, 1, 1, 2,
    ]);
    expect(JSON.stringify(spans), "no contents").not.toContain("SECRET");

    // Each span hangs below the task, over both hosts.
    const byId = new Map(own.map((span) => [span.context.spanId, span]));
    const rootOf = (span: KeptSpan): KeptSpan | undefined =>
      span.parent === undefined ? span : rootOf(byId.get(span.parent.spanId) ?? { ...span, parent: undefined });
    expect(new Set(own.map((span) => rootOf(span)?.name))).toEqual(new Set(["troupe.task"]));
  });

  test("no span stays open while a person thinks: the wait ends after two hours in spans without length", async () => {
    const { spans } = await story();
    const [begun] = spans.filter(({ name }) => name === "troupe.wait");
    const [ended] = spans.filter(({ name }) => name === "troupe.wait.ended");
    expect(begun?.attributes).toMatchObject({ "troupe.wait.kind": "person", "troupe.person": "Boss", "troupe.request.id": "p.r1" });
    expect([begun?.startMs, ended?.startMs]).toEqual([begun?.endMs, ended?.endMs]);
    expect(Number(ended?.attributes["troupe.wait.seconds"])).toBeGreaterThan(5_000);
    const turns = new Map(spans.map((span) => [span.context.spanId, span.name]));
    expect(
      ended?.links.map(({ context: to }) => turns.get(to.spanId)),
      "the turn of the decision ended it",
    ).toEqual(["troupe.turn"]);
  });

  test("a decision and a redrive are in the trace of the task, and link to the trace of the operator", async () => {
    const { spans, traceId } = await story();
    const decisions = spans.filter(({ name }) => name === "troupe.decision");
    expect(decisions.map(({ attributes }) => attributes["troupe.act"])).toEqual(["answer", "redrive"]);
    for (const { context: own, links } of decisions) {
      expect(own.traceId).toBe(traceId);
      expect(links.map(({ context: to }: { readonly context: SpanContext }) => to.traceId)).toEqual(["b".repeat(32)]);
    }
    const [first, second] = spans.filter(({ name }) => name === "invoke_workflow trip");
    const [task] = spans.filter(({ name }) => name === "troupe.task");
    expect([first?.attributes["troupe.run"], first?.isError, first?.links]).toEqual([1, true, []]);
    expect([second?.attributes["troupe.run"], second?.isError]).toEqual([2, false]);
    expect(
      second?.links.map(({ context: to }) => to.spanId),
      "the redriven run links to the task",
    ).toEqual([task?.context.spanId]);
    expect(Number(first?.endMs) - Number(first?.startMs)).toBeGreaterThan(HOUR_MS);
  });

  test("every span holds to the semantic conventions for generative AI", async () => {
    const { spans } = await story();
    expect(spans.flatMap(issuesOf)).toEqual([]);
    const seen = new Set(spans.map(({ attributes }) => attributes["gen_ai.operation.name"]).filter((name) => name !== undefined));
    expect([...seen].toSorted()).toEqual(Object.keys(GEN_AI).toSorted());
  });

  test("the schemas find a wrong name, kind, attribute and a missing one", () => {
    const good = {
      ...{ name: "execute_tool book", kind: 0, isError: false },
      attributes: {
        ...{ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "book", "gen_ai.tool.type": "function" },
        ...{ "gen_ai.tool.call.id": "c", "gen_ai.agent.name": "Booker" },
      },
    };
    expect(issuesOf(good)).toEqual([]);
    const { "gen_ai.tool.name": _name, ...rest } = good.attributes;
    for (const bad of [
      { ...good, name: "book" },
      { ...good, kind: 2 },
      { ...good, isError: true },
      { ...good, attributes: rest },
      { ...good, attributes: { ...good.attributes, "gen_ai.system": "openai" } },
      { ...good, attributes: { ...good.attributes, "gen_ai.operation.name": "run_tool" } },
    ])
      expect(issuesOf(bad), JSON.stringify(bad)).not.toEqual([]);
  });
});
