/** @module The tools of the retail bed: their inputs as the shop takes them, and which of them write. */
import { z } from "zod";
import { tool, type ToolDefinition, type ToolEffect } from "../../agents/index.ts";
import type { RetailCall } from "./retail.ts";

const Text = z.string();
const Texts = z.array(z.string());
const Address = { address1: Text, address2: Text, city: Text, state: Text, country: Text, zip: Text };
const Items = { order_id: Text, item_ids: Texts, payment_method_id: Text };

const INPUTS: Readonly<Record<string, readonly [ToolEffect, z.ZodObject]>> = {
  find_user_id_by_name_zip: ["read", z.object({ first_name: Text, last_name: Text, zip: Text })],
  find_user_id_by_email: ["read", z.object({ email: Text })],
  get_order_details: ["read", z.object({ order_id: Text })],
  get_product_details: ["read", z.object({ product_id: Text })],
  get_user_details: ["read", z.object({ user_id: Text })],
  cancel_pending_order: ["write", z.object({ order_id: Text, reason: z.enum(["no longer needed", "ordered by mistake"]) })],
  exchange_delivered_order_items: ["write", z.object({ ...Items, new_item_ids: Texts })],
  return_delivered_order_items: ["write", z.object(Items)],
  modify_pending_order_items: ["write", z.object({ ...Items, new_item_ids: Texts })],
  modify_pending_order_address: ["write", z.object({ order_id: Text, ...Address })],
  modify_pending_order_payment: ["write", z.object({ order_id: Text, payment_method_id: Text })],
  modify_user_address: ["write", z.object({ user_id: Text, ...Address })],
};

/** Makes the tools. `make` performs a call in the world of a process. */
export function retailTools(make: (world: string, call: RetailCall) => Promise<string>): readonly ToolDefinition[] {
  return Object.entries(INPUTS).map(([name, [effect, input]]) =>
    tool(name, {
      input,
      output: z.string(),
      effect,
      // What the shop says is the shop's own.
      untrusted: false,
      // The key begins with the id of the process, which names the world of its task.
      run: (given, { idempotencyKey }) =>
        make(idempotencyKey.split(":")[0] ?? "", { name, input: z.record(z.string(), z.json()).parse(given) }),
    }),
  );
}
