/** @module A shop whose tools call an HTTP server that counts: what a fork did outside is seen there and nowhere else. */
import { createServer, type Server } from "node:http";
import { z } from "zod";
import { agent, contract, endpoint, type Endpoint, model, route, system, type System, tool } from "../../agents/index.ts";
import type { Cassette } from "../../runtime/cassette/cassette.ts";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { SILENT } from "../../actors/engine/log.ts";
import { systemClock } from "../../actors/engine/system-clock.ts";
import { fork, type Forked, type ForkOptions } from "../../actors/fork/fork.ts";
import { fakeModel, startLocal, type FakeModel } from "../../testing/index.ts";

/** Counts what was called, outside of the system. */
class Outside {
  readonly calls: string[] = [];
  #server: Server | undefined;
  #url = "";

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.calls.push(decodeURIComponent(request.url ?? ""));
      response.end("{}");
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    this.#url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  async hit(what: string, input: unknown): Promise<void> {
    await fetch(`${this.#url}/${what}?${encodeURIComponent(JSON.stringify(input))}`);
  }

  async stop(): Promise<void> {
    await new Promise<unknown>((resolve) => this.#server?.close(resolve));
  }
}

const Order = z.object({ item: z.string(), count: z.int() });
const Amount = z.object({ amount: z.int() });
const Done = z.object({ ok: z.boolean() });

const Research = contract("Research", 1, { input: Order, output: z.object({ price: z.int() }) });
const Buy = contract("Buy", 1, {
  input: z.object({ item: z.string(), price: z.int() }),
  output: z.object({ bought: z.boolean(), note: z.string() }),
});
const Stock = contract("Stock", 1, { about: "Changes the stock.", input: Amount, output: Done });
const Report = contract("Report", 1, { input: z.object({ bought: z.boolean() }), output: z.object({ text: z.string() }) });
const Ship = contract("Ship", 1, { input: z.object({ note: z.string() }), output: Done });

/** The shop. The model of the record is `first`; a fork asks `other` or `third`. */
function shop(outside: Outside, models: Readonly<Record<string, Endpoint>>): System {
  const counted =
    <I, O>(what: string, output: O) =>
    async (input: I): Promise<O> => {
      await outside.hit(what, input);
      return output;
    };
  const search = tool("search", {
    input: z.object({ item: z.string() }),
    output: z.object({ price: z.int() }),
    effect: "read",
    untrusted: false,
    run: counted("search", { price: 7 }),
  });
  const pay = tool("pay", {
    ...{ input: Amount, output: Done, effect: "write" as const },
    run: counted("pay", { ok: true }),
    undo: async (input) => outside.hit("unpay", input),
  });
  const mail = tool("mail", {
    input: z.object({ text: z.string() }),
    output: Done,
    effect: "egress",
    untrusted: false,
    run: counted("mail", { ok: true }),
  });
  const move = tool("move", { input: Amount, output: Done, effect: "write", run: counted("move", { ok: true }) });
  const carry = tool("carry", {
    input: z.object({ note: z.string() }),
    output: Done,
    effect: "write",
    run: counted("carry", { ok: true }),
  });
  const shipping = route("shipping", 1, Ship.input)
    .to("carry", Ship, ({ task }) => task)
    .output(({ carry: done }) => done);
  const order = route("order", 1, Order)
    .to("research", Research, ({ task }) => task)
    .to("buy", Buy, ({ research, task }) => ({ item: task.item, price: research.price }))
    .to("ship", shipping, ({ buy }) => ({ note: buy.note }))
    .to("report", Report, ({ buy }) => ({ bought: buy.bought }))
    .output(({ report }) => report);
  return system("shop", {
    agents: [
      agent(Research, { tools: [search], handle: async ({ item }, ctx) => ctx.call(search, { item }) }),
      agent(Buy, model({ model: "first", instructions: "Buy it.", tools: [search, pay, mail], asks: [Stock], grounding: "count" })),
      agent(Stock, { tools: [move], handle: (input, ctx) => ctx.call(move, input) }),
      agent(Ship, { tools: [carry], handle: (input, ctx) => ctx.call(carry, input) }),
      agent(Report, {
        handle: async ({ bought }, ctx) => {
          const text = await ctx.step("stamp", () => outside.hit("stamp", bought).then(() => `bought: ${String(bought)}`));
          if (!bought) throw new Error("nothing was bought");
          return { text };
        },
      }),
    ],
    routes: [order, shipping],
    models,
  });
}

/** What a model says: calls, or the answer. */
export const says = (...script: readonly (readonly { readonly name: string; readonly arguments: object }[] | object)[]): FakeModel => {
  return (_request, count) => {
    const next = script[count - 1] ?? script.at(-1);
    return Array.isArray(next) ? { calls: next } : JSON.stringify(next);
  };
};

/** What the model of the record says of an item. */
export const firstOf = (item: string): FakeModel =>
  says(
    [{ name: "search", arguments: { item } }],
    [
      { name: "pay", arguments: { amount: 7 } },
      { name: "ask_Stock", arguments: { amount: 1 } },
    ],
    { bought: true, note: item },
  );
export const FIRST = firstOf("tea");

/** An endpoint that costs one dollar for a million tokens. */
export function priced(name: string, reply: FakeModel): Endpoint {
  const inner = fakeModel(reply);
  return endpoint({
    name,
    model: name,
    provider: "fake",
    price: { inputPerMillion: 1, outputPerMillion: 1 },
    connect: (given) => inner.connect(given),
  });
}

/** A recorded order, its system, and forks of it with another model. */
export class Recorded {
  readonly outside = new Outside();
  cassette: Cassette | undefined;

  async record(id = "order-1", item = "tea"): Promise<Cassette> {
    await this.outside.start();
    const local = startLocal(this.system(firstOf(item)));
    try {
      const ended = await local.run("order", { item, count: 1 }, { id });
      if (ended.status !== "completed") throw new Error(JSON.stringify(ended));
      this.cassette = await local.cassette(id);
    } finally {
      await local.stop();
    }
    this.outside.calls.length = 0;
    return this.cassette;
  }

  system(first: FakeModel, other: FakeModel = first): System {
    return shop(this.outside, { first: priced("first", first), other: priced("other", other) });
  }

  /** Forks it, where `other` says something else. */
  async fork(other: FakeModel, options: Partial<ForkOptions> = {}): Promise<Forked> {
    const { cassette } = this;
    if (cassette === undefined) throw new Error("record it first");
    const forked = this.system(FIRST, other);
    const clock = systemClock;
    const environment = { env: {}, secret: () => Promise.reject(new Error("no secrets")) };
    const models = new Gateway({ system: "shop", models: forked.models, environment, clock, log: SILENT });
    return fork({ system: forked, models }, { cassette, at: this.buy, model: "other", ...options });
  }

  /** The id of the work item that buys. */
  get buy(): string {
    return "order-1:1:buy:0:1";
  }
}
