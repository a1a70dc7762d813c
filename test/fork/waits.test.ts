/** @module Forks of runs that wait for people, signals and timers, whose agents keep state and have versions of their prompts. */
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, person, route, system, type System, tool } from "../../agents/index.ts";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { systemClock } from "../../actors/engine/system-clock.ts";
import { fork, type Forked, type ForkOptions } from "../../actors/fork/fork.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { type FakeModel, startLocal } from "../../testing/index.ts";
import { priced } from "./rig.ts";

const HOUR_MS = 3_600_000;
const Ticket = z.object({ customer: z.string(), amount: z.int() });
const Approver = person("Approver", { about: "Approves payments", roles: ["clerk"], deadlineMs: 24 * HOUR_MS, onExpiry: "deny" });
const Count = contract("Count", 1, { key: ({ customer }) => customer, input: Ticket, output: z.object({ visits: z.int() }) });
const Answer = contract("Answer", 1, { input: z.object({ visits: z.int(), color: z.string() }), output: z.object({ text: z.string() }) });
const Pay = contract("Pay", 1, { input: Ticket, output: z.object({ paid: z.boolean() }) });
const Slow = contract("Slow", 1, { input: Ticket, output: z.object({ word: z.string() }) });

let ran = 0;
const pay = tool("pay", {
  ...{ input: Ticket, output: z.object({ paid: z.boolean() }), effect: "write" as const },
  approve: "input.amount > 10",
  approver: Approver,
  run: () => {
    ran += 1;
    return { paid: true };
  },
});
const desk = route("ticket", 1, Ticket)
  .to("count", Count, ({ task }) => task)
  .waitFor("color", z.object({ color: z.string() }))
  .to("slow", Slow, ({ task }) => task)
  .to("answer", Answer, ({ count, color }) => ({ visits: count.visits, color: color.color }))
  .to("pay", Pay, ({ task }) => task)
  .output(({ answer }) => answer);

function deskOf(reply: FakeModel): System {
  return system("desk", {
    agents: [
      Approver,
      agent(Count, {
        state: { schema: z.object({ visits: z.int() }), initial: { visits: 0 } },
        handle: (_ticket, ctx) => {
          ctx.setState({ visits: ctx.state.visits + 1 });
          return { visits: ctx.state.visits };
        },
      }),
      agent(Slow, {
        handle: async (_ticket, ctx) => {
          await ctx.sleep(20 * HOUR_MS);
          return ctx.waitFor("word", z.object({ word: z.string() }));
        },
      }),
      agent(Answer, model({ instructions: { v1: "Be short.", v2: "Be long." }, prompt: "v1", onGiveUp: "fault" })),
      agent(Pay, { tools: [pay], handle: (ticket, ctx) => ctx.call(pay, ticket) }),
    ],
    routes: [desk],
    models: { only: priced("only", reply) },
  });
}

const short: FakeModel = () => JSON.stringify({ text: "ok" });
const TICKET = { customer: "ann", amount: 20 };
let cassette: Cassette;

beforeAll(async () => {
  const local = startLocal(deskOf(short), {
    people: ({ input }) => (JSON.stringify(input).includes("20") ? { do: "approve", by: "kim", roles: ["clerk"] } : undefined),
  });
  const signalled = async (id: string): Promise<void> => {
    await local.signal(id, "color", { color: "red" });
    await local.signal(id, "word", { word: "yes" });
  };
  for (const id of ["t-1", "t-2"]) {
    const ended = local.run("ticket", TICKET, { id, timeoutMs: 48 * HOUR_MS });
    while (
      !(await local.show(id).then(
        () => true,
        () => false,
      ))
    )
      await new Promise<void>((resolve) => setImmediate(resolve));
    await signalled(id);
    expect((await ended).status).toBe("completed");
  }
  cassette = await local.cassette("t-2");
  await local.stop();
  ran = 0;
});

function forked(reply: FakeModel, options: Omit<ForkOptions, "cassette">): Promise<Forked> {
  const own = deskOf(reply);
  const environment = { env: {}, secret: () => Promise.reject(new Error("no secrets")) };
  const models = new Gateway({ system: own.name, models: own.models, environment, clock: systemClock, log: SILENT });
  return fork({ system: own, models }, { cassette, ...options });
}

test("gives recorded signals and decisions, passes timers at once, and has the state that the run had", async () => {
  const { report } = await forked(short, { at: "start" });
  expect(report.diff.lines.filter(({ how }) => how !== "same")).toEqual([]);
  expect(report).toMatchObject({ status: "completed", modelCalls: 1 });
  expect(report.diff.lines.filter(({ what }) => what === "signal" || what === "person").map(({ name }) => name)).toEqual([
    "color",
    "word",
    "pay",
  ]);
  expect(ran).toBe(0);
});

test("with another input asks for no decision that was not made", async () => {
  const { report } = await forked(short, { at: "start", input: { customer: "ann", amount: 30 } });
  expect(report).toMatchObject({ status: "unrecorded", unrecorded: { agent: "Pay", what: "person", name: "pay", input: { amount: 30 } } });
  expect(ran).toBe(0);
});

test("with another version of a prompt asks with that prompt", async () => {
  const seen: ModelRequest[] = [];
  const reply: FakeModel = (request) => {
    seen.push(request);
    return JSON.stringify({ text: "long" });
  };
  const { report } = await forked(reply, { at: "t-2:1:answer:0:1", prompt: "v2" });
  expect(JSON.stringify(seen)).toContain("Be long.");
  const differ = report.diff.lines.filter(({ how }) => how !== "same");
  expect(differ.map(({ what, stop, paths }) => [what, stop, paths])).toEqual([
    ["model", "answer", ["$.prompt", "$.text.text"]],
    ["result", "answer", ["$.output.text"]],
    ["outcome", "", ["$.output.text"]],
  ]);
});

test("with another input of a work item runs that one with it", async () => {
  const { report } = await forked(short, { at: "t-2:1:answer:0:1", input: { visits: 9, color: "blue" } });
  expect(report).toMatchObject({ status: "completed", modelCalls: 1 });
});
