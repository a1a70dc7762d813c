/** @module A pretended shop and its bank. A real one takes the idempotency key too, and makes a repeated call with it only once. */
import type { ToolCall } from "troupe";
import { z } from "zod";

/** What was bought. It holds numbers only, so what is derived from it is not untrusted text. */
export const Order = z.object({ items: z.int(), paid: z.int() });

const ORDERS: Readonly<Record<string, z.infer<typeof Order>>> = {
  "4711": { items: 1, paid: 39 },
  "4712": { items: 2, paid: 1_800 },
  "4713": { items: 1, paid: 5_200 },
};

/** Finds an order. */
export function find({ order }: { readonly order: string }): z.infer<typeof Order> {
  return ORDERS[order] ?? { items: 0, paid: 0 };
}

/** A refund: of which order, and how much. */
interface Refund {
  readonly order: string;
  readonly amount: number;
}

/** Pays money back. */
export function payBack({ order, amount }: Refund, _call: ToolCall): { readonly amount: number } {
  console.log(`bank: pays ${amount} back for order ${order}`);
  return { amount };
}

/** Takes the money again. It may be called again for the same refund, under the same key. */
export function takeBack({ order, amount }: Refund, _paid: unknown, _call: ToolCall): void {
  console.log(`bank: takes ${amount} back of order ${order}`);
}
