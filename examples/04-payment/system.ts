/** @module A payment in three steps, all or none: reserve the stock, charge the card, book the courier. */
import { agent, contract, Fault, route, system, tool } from "troupe";
import { z } from "zod";
import { enter, takeBack } from "./ledger.ts";

const PIECES_MAX = 1_000;
const CENTS_MAX = 10_000_000;
const TEXT_CHARS_MAX = 200;

const Text = z.string().min(1).max(TEXT_CHARS_MAX);
const Order = z.object({
  item: Text,
  pieces: z.int().min(1).max(PIECES_MAX),
  cents: z.int().min(1).max(CENTS_MAX),
  card: Text,
  town: Text,
});
const Done = z.object({ reference: z.string() });

const Stock = contract("Stock", 1, { input: z.object({ item: Text, pieces: z.int() }), output: Done });
const Card = contract("Card", 1, { input: z.object({ card: Text, cents: z.int() }), output: Done });
const Courier = contract("Courier", 1, { input: z.object({ town: Text }), output: Done });

/** The towns that the courier serves. */
const TOWNS = ["Bremen", "Graz", "Zurich"];

/** The tools write to a ledger and have no output. */
const Entered = z.null();

const reserve = tool("reserve", {
  effect: "write",
  input: z.object({ item: Text, pieces: z.int() }),
  output: Entered,
  run: ({ item, pieces }, call) =>
    enter(call.idempotencyKey, { what: `reserve ${pieces} ${item}`, account: `stock of ${item}`, amount: -pieces }),
  undo: ({ item, pieces }, _output, call) => takeBack(call.idempotencyKey, `release ${pieces} ${item}`),
});

const charge = tool("charge", {
  effect: "write",
  input: z.object({ card: Text, cents: z.int() }),
  output: Entered,
  run: ({ card, cents }, call) => enter(call.idempotencyKey, { what: `charge ${cents} cents`, account: `card ${card}`, amount: -cents }),
  undo: ({ cents }, _output, call) => takeBack(call.idempotencyKey, `refund ${cents} cents`),
});

const book = tool("book", {
  effect: "write",
  input: z.object({ town: Text }),
  output: Entered,
  run: ({ town }, call) => enter(call.idempotencyKey, { what: `book the courier to ${town}`, account: "courier trips", amount: 1 }),
  undo: ({ town }, _output, call) => takeBack(call.idempotencyKey, `cancel the courier to ${town}`),
});

const stock = agent(Stock, {
  tools: [reserve],
  handle: async (input, ctx) => {
    await ctx.call(reserve, input);
    return { reference: `R-${input.pieces}` };
  },
});

const card = agent(Card, {
  tools: [charge],
  handle: async (input, ctx) => {
    await ctx.call(charge, input);
    return { reference: `C-${input.cents}` };
  },
});

const courier = agent(Courier, {
  tools: [book],
  handle: async ({ town }, ctx) => {
    if (!TOWNS.includes(town)) throw new Fault("agent.refused", `the courier does not go to ${town}`);
    await ctx.call(book, { town });
    return { reference: `T-${town}` };
  },
});

const order = route("order", 1, Order)
  .to("stock", Stock, ({ task }) => ({ item: task.item, pieces: task.pieces }))
  .to("card", Card, ({ task }) => ({ card: task.card, cents: task.cents }))
  .to("courier", Courier, ({ task }) => ({ town: task.town }))
  .output(({ stock, card, courier }) => ({ reserved: stock.reference, charged: card.reference, booked: courier.reference }));

export default system("payment", { agents: [stock, card, courier], routes: [order] });
