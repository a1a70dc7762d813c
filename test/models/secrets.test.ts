/** @module Keys are in no record, log line, error or view of a host, also if the server repeats them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { Host } from "../../actors/host/host.ts";
import { MemoryStore } from "../../actors/memory/store.ts";
import { LocalWorld, SkippingClock } from "../../actors/memory/world.ts";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import type { Logger } from "../../actors/engine/log.ts";
import { systemRandom } from "../../actors/engine/system-clock.ts";
import { agent, contract, model, openai, route, system } from "../../agents/index.ts";
import { ANONYMOUS } from "../../runtime/protocol/principal.ts";
import { startServer, type TestServer } from "./server.ts";

const KEY = "a-secret-key-of-4711";
const HEADER = "a-secret-header-of-4712";
const Words = z.strictObject({ text: z.string() });
const Writer = contract("Writer", 1, { input: Words, output: Words });
const write = route("write", 1, Words)
  .to("text", Writer, ({ task }) => task, { retry: { attemptsMax: 1 } })
  .output(({ text }) => text);

let server: TestServer;
beforeAll(async () => {
  const error = { message: `Incorrect API key provided: ${KEY}; x-org: ${HEADER}`, type: "invalid_request_error", code: KEY };
  server = await startServer({ status: 401, headers: { "content-type": "application/json" }, body: JSON.stringify({ error }) });
});
afterAll(() => server.stop());

describe("a key", () => {
  it("that a server repeats is in nothing that a host writes or shows", async () => {
    const lines: string[] = [];
    const note = (facts: unknown, text: string): void => void lines.push(text + JSON.stringify(facts, textOfError));
    const log: Logger = { debug: note, info: note, warn: note, error: note };
    const fast = openai({ model: "m", baseUrl: server.url, apiKey: KEY, headers: { "x-org": HEADER } });
    const desk = system("desk", {
      agents: [agent(Writer, model({ instructions: "Write.", model: "fast" }))],
      routes: [write],
      models: { fast, missing: openai({ model: "gpt-5-mini" }) },
    });
    const store = new MemoryStore();
    const clock = new SkippingClock(Date.now());
    const environment = { env: {}, secret: async () => KEY };
    const models = new Gateway({ system: desk.name, models: desk.models, environment, clock, log });
    const world = new LocalWorld({ clock, store, random: systemRandom, models });
    const host = new Host({ system: desk, ports: world.ports, log });
    world.attach(host);
    const operations = new SystemOperations({ system: desk, ports: world.ports, host, newId: () => "t", models: () => models.view });
    await models.start();
    await operations.submit({ id: "t", route: "write", input: { text: "x" } }, { principal: ANONYMOUS }, 0);
    const ticking = setInterval(() => clock.fireDue(), 1);
    try {
      await expect.poll(async () => (await operations.process("t")).outcome?.fault?.code).toBe("model.rejected");
    } finally {
      clearInterval(ticking);
      await host.stop(0);
    }
    expect(server.received.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    const stored = await store.read(store.keys());
    const shown = [await operations.process("t"), await operations.stops("t"), operations.models(), desk.slip, [...desk.models]];
    const all = [...lines, JSON.stringify([...stored]), JSON.stringify(shown)];
    for (const text of all) for (const secret of [KEY, HEADER]) expect(text).not.toContain(secret);
  });

  it("that is missing is told at the start, in one line that says what to set", async () => {
    const lines: string[] = [];
    const log: Logger = { debug: () => {}, info: () => {}, warn: (_facts, text) => void lines.push(text), error: () => {} };
    const models = new Map([["fast", [openai({ model: "gpt-5-mini" })]]]);
    const environment = { env: {}, secret: async () => KEY };
    await new Gateway({ system: "desk", models, environment, clock: new SkippingClock(0), log }).start();
    expect(lines).toEqual(['endpoint "gpt-5-mini" has no key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a local server']);
  });
});

/** What a log makes of an error. */
function textOfError(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.message} ${value.stack ?? ""} ${JSON.stringify(value.cause) ?? ""}` : value;
}
