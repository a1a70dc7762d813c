/** @module One long-lived agent per customer: it remembers each purchase and serves one task at a time. */
import { agent, contract, route, system } from "troupe";
import { z } from "zod";

const CENTS_MAX = 10_000_000;
const NAME_CHARS_MAX = 100;
/** From this purchase on the customer is a regular one and gets 10 % off. */
const REGULAR_FROM_CENTS = 10_000;
const REGULAR_PERCENT = 10;
const WHOLE_PERCENT = 100;

const Purchase = z.object({ customer: z.string().min(1).max(NAME_CHARS_MAX), cents: z.int().min(1).max(CENTS_MAX) });
const Receipt = z.object({ customer: z.string(), purchase: z.int(), pays: z.int(), spentSoFar: z.int() });
/** The state of a customer's actor, over all tasks. */
const Account = z.object({ purchases: z.int(), spent: z.int() });

/** The key selects the actor: each customer has one, on any host. */
const Customer = contract("Customer", 1, { input: Purchase, output: Receipt, key: ({ customer }) => customer });

const customer = agent(Customer, {
  state: { schema: Account, initial: { purchases: 0, spent: 0 } },
  handle: ({ customer: name, cents }, ctx) => {
    const { purchases, spent } = ctx.state;
    const percentOff = spent >= REGULAR_FROM_CENTS ? REGULAR_PERCENT : 0;
    const pays = cents - Math.floor((cents * percentOff) / WHOLE_PERCENT);
    const next = { purchases: purchases + 1, spent: spent + pays };
    ctx.setState(next);
    return { customer: name, purchase: next.purchases, pays, spentSoFar: next.spent };
  },
});

const purchase = route("purchase", 1, Purchase)
  .to("receipt", Customer, ({ task }) => task)
  .output(({ receipt }) => receipt);

export default system("customers", { agents: [customer], routes: [purchase] });
