/** @module A pretended bank. A real one takes the idempotency key too, and makes a repeated call with it only once. */
import type { ToolCall } from "troupe";

interface Amount {
  readonly cents: number;
}

/** Charges a card. Returns the number of the receipt. */
export function chargeCard({ cents }: Amount, call: ToolCall): string {
  console.log(`bank: charge ${cents} cents, key ${call.idempotencyKey}`);
  return `R-${cents}`;
}

/** Gives the money back. It may be called again for the same charge, under the same key. */
export function refundCard({ cents }: Amount, receipt: string | undefined, call: ToolCall): void {
  console.log(`bank: refund ${cents} cents of ${receipt ?? "an unknown receipt"}, key ${call.idempotencyKey}`);
}
