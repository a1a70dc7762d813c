/** @module Storage grows linearly: the bytes of stop 1,000 are those of stop 10, those of model call 500 those of call 10; every key counts. */
import { expect, test } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, type RouteBuilder, system, type System, tool } from "../../agents/index.ts";
import { Host } from "../../actors/host/host.ts";
import { LocalWorld, SkippingClock } from "../../actors/memory/world.ts";
import { SILENT } from "../../actors/engine/log.ts";
import type { Models } from "../../actors/engine/ports.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { systemRandom } from "../../actors/engine/system-clock.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { print } from "./random.ts";

const STOPS = 1_000;
const WORKS = 1_000;
/** Counting all keys takes time, so it is done at these stops and works only. */
const MEASURED = new Set([1, 20, STOPS - 101, STOPS - 1, WORKS]);
const RATIO_MAX = 1.1;
const TEST_MS = 120_000;
const QUIET_ROUNDS = 3;

const Query = z.strictObject({ text: z.string() });
const Ask = contract("Ask", 1, { input: Query, output: Query });
const Keyed = contract("Keyed", 1, { input: Query, output: Query, key: () => "one" });
const agents = [
  agent(Ask, { handle: async ({ text }, ctx) => ctx.step("look", () => ({ text: `${text.slice(0, 20)}, found` })) }),
  agent(Keyed, {
    state: { schema: z.strictObject({ works: z.int() }), initial: { works: 0 } },
    handle: async ({ text }, ctx) => {
      const found = await ctx.step("look", () => ({ text: text.slice(0, 20) }));
      ctx.setState({ works: ctx.state.works + 1 });
      return found;
    },
  }),
];

interface Run {
  readonly store: MemoryStore;
  readonly operations: SystemOperations;
  readonly until: (done: () => boolean) => Promise<void>;
  readonly host: Host;
}

function open(definition: System, models?: (store: MemoryStore) => Models): Run {
  const store = new MemoryStore();
  const clock = new SkippingClock(Date.now());
  const world = new LocalWorld({ clock, store, random: systemRandom, ...(models === undefined ? {} : { models: models(store) }) });
  const host = new Host({ system: definition, ports: world.ports, log: SILENT });
  world.attach(host);
  let made = 0;
  const operations = new SystemOperations({ system: definition, ports: world.ports, host, newId: () => `t${made++}` });
  const until = async (done: () => boolean): Promise<void> => {
    for (let quiet = 0; !done();) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = clock.fireDue() || world.busy || host.running > 0 ? 0 : quiet + 1;
      if (quiet >= QUIET_ROUNDS && clock.leap()) quiet = 0;
    }
  };
  return { store, operations, until, host };
}

const caller = { principal: { subject: "test", tenant: "default", permissions: [] } };

function longRoute(): System {
  // The type checker cannot handle a thousand names; the builder checks them at run time.
  let builder: RouteBuilder<"long", { text: string }, { readonly task: { text: string } }> = route("long", 1, Query);
  for (let index = 0; index < STOPS; index += 1) builder = builder.to(`s${index}`, Ask, ({ task }) => task);
  return system("bytes", { agents, routes: [builder.output(({ task }) => task)] });
}

test("a process: the marginal bytes of 1,000 stops are those of 10", { timeout: TEST_MS }, async () => {
  const run = open(longRoute());
  const bytes: number[] = [];
  let ended = false;
  run.host.listen((before, after) => {
    if (after.cursor > before.cursor && MEASURED.has(after.cursor)) bytes[after.cursor] = run.store.bytes();
    ended = after.phase === "ended";
  });
  await run.operations.submit({ id: "long", route: "long", input: { text: "a text of ordinary length for a query" } }, caller, 0);
  await run.until(() => ended);
  const at = (stop: number): number => bytes[stop] ?? Number.NaN;
  const early = (at(20) - at(1)) / 19;
  const late = (at(STOPS - 1) - at(1)) / (STOPS - 2);
  print(
    `bytes of a stop: ${early.toFixed(0)} around stop 10, ${late.toFixed(0)} a stop up to stop 1,000 with ` +
      `snapshots; ratio ${(late / early).toFixed(3)}; of the last 100 stops ` +
      `${((at(STOPS - 1) - at(STOPS - 101)) / 100).toFixed(0)}`,
  );
  expect(late / early).toBeLessThanOrEqual(RATIO_MAX);
});

test("a long-lived agent: the marginal bytes of work 1,000 are those of work 10", { timeout: TEST_MS }, async () => {
  const one = route("one", 1, Query)
    .to("keyed", Keyed, ({ task }) => task)
    .output(({ keyed }) => keyed);
  const run = open(system("bytes", { agents, routes: [one] }));
  const bytes: number[] = [0];
  for (let work = 1; work <= WORKS; work += 1) {
    let ended = false;
    const stop = run.host.listen((_before, after) => {
      ended ||= after.phase === "ended";
    });
    await run.operations.submit({ route: "one", input: { text: `a text of ordinary length for query ${work}` } }, caller, 0);
    await run.until(() => ended);
    stop();
    if (MEASURED.has(work)) bytes[work] = run.store.bytes("bytes/bytes.Keyed/");
  }
  const at = (work: number): number => bytes[work] ?? Number.NaN;
  const early = (at(20) - at(1)) / 19;
  const late = (at(WORKS) - at(1)) / (WORKS - 1);
  print(
    `bytes of a work of a keyed agent: ${early.toFixed(0)} around work 10, ${late.toFixed(0)} a work up to ` +
      `work 1,000 with snapshots; ratio ${(late / early).toFixed(3)}`,
  );
  expect(late / early).toBeLessThanOrEqual(RATIO_MAX);
});

const MODEL_CALLS = 502;
const Item = z.strictObject({ n: z.int() });
const Thinker = contract("Thinker", 1, { input: Query, output: z.string() });
const look = tool("look", { about: "Looks", input: Item, output: z.string(), effect: "read", run: ({ n }) => `what was found at ${n}` });

test(
  "a model agent: the marginal bytes of model call 500 are those of call 10, though its conversation grows",
  { timeout: TEST_MS },
  async () => {
    const thinker = agent(Thinker, model({ instructions: "Look at each number.", tools: [look], callsMax: MODEL_CALLS }));
    const think = route("think", 1, Query)
      .to("thought", Thinker, ({ task }) => task)
      .output(({ thought }) => thought);
    const definition = system("bytes", { agents: [thinker], routes: [think], models: { default: openai({ model: "none" }) } });
    const bytes: number[] = [];
    const asked: number[] = [];
    const run = open(definition, (store) => ({
      costMicrosMax: () => 0,
      costMicros: () => 0,
      attempt: ({ request }) => {
        const n = asked.push(request.messages.length);
        bytes[n] = store.bytes();
        const calls = n < MODEL_CALLS ? [{ id: `call-${n}`, name: "look", arguments: JSON.stringify({ n }) }] : [];
        const text = calls.length === 0 ? "All were looked at." : "";
        return Promise.resolve({ text, calls, finish: calls.length === 0 ? "stop" : "calls", model: "none", endpoint: "none" });
      },
    }));
    let status: string | undefined;
    run.host.listen((_before, after) => {
      status = after.outcome?.status;
    });
    await run.operations.submit({ id: "think", route: "think", input: { text: "a question" } }, caller, 0);
    await run.until(() => status !== undefined);
    expect([status, asked.length]).toEqual(["completed", MODEL_CALLS]);
    expect(asked.at(-1)).toBeGreaterThan(MODEL_CALLS);
    const at = (call: number): number => bytes[call] ?? Number.NaN;
    const early = (at(20) - at(2)) / 18;
    const late = (at(MODEL_CALLS) - at(2)) / (MODEL_CALLS - 2);
    print(
      `bytes of a model call with its tool call: ${early.toFixed(0)} around call 10, ${late.toFixed(0)} a call up to call ${MODEL_CALLS} with ` +
        `snapshots; ratio ${(late / early).toFixed(3)}; of the last 20 calls ${((at(MODEL_CALLS) - at(MODEL_CALLS - 20)) / 20).toFixed(0)}`,
    );
    expect(late / early).toBeLessThanOrEqual(RATIO_MAX);
  },
);
