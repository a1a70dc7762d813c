/** @module A pretended bank. A real one takes the idempotency key too, and makes a repeated call with it only once. */
import type { ToolCall } from "troupe";

/** A refund: of which order, and how much. */
interface Refund {
  readonly orderId: string;
  readonly cents: number;
}

/** Pays money back. Returns the number of the receipt. */
export function payBack({ orderId, cents }: Refund, _call: ToolCall): string {
  console.log(`bank: pays ${cents} cents back for order ${orderId}`);
  return `receipt R-${orderId}`;
}

/** Takes the money again. It may be called again for the same refund, under the same key. */
export function takeBack({ orderId, cents }: Refund, receipt: string | undefined, _call: ToolCall): void {
  console.log(`bank: takes ${cents} cents back of order ${orderId}, ${receipt ?? "receipt unknown"}`);
}
