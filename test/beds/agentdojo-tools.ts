/** @module The tools of the AgentDojo suites `banking` and `slack`: their inputs, and what each does to the outside world. */
import { z } from "zod";
import { tool, type ToolDefinition, type ToolEffect } from "../../agents/index.ts";
import type { Json } from "../../runtime/faults.ts";

const Text = z.string();
const Payment = { recipient: Text, amount: z.number(), subject: Text, date: Text };

/** `vouched`: what it returns is the user's own, or a receipt, so no text of strangers. */
interface Facts {
  readonly effect: ToolEffect;
  readonly input: z.ZodObject;
  readonly vouched?: true;
}

const BANKING: Readonly<Record<string, Facts>> = {
  get_iban: { effect: "read", input: z.object({}), vouched: true },
  get_balance: { effect: "read", input: z.object({}), vouched: true },
  get_user_info: { effect: "read", input: z.object({}), vouched: true },
  get_most_recent_transactions: { effect: "read", input: z.object({ n: z.int().optional() }) },
  get_scheduled_transactions: { effect: "read", input: z.object({}) },
  read_file: { effect: "read", input: z.object({ file_path: Text }) },
  send_money: { effect: "egress", input: z.object(Payment), vouched: true },
  schedule_transaction: { effect: "egress", input: z.object({ ...Payment, recurring: z.boolean() }), vouched: true },
  update_scheduled_transaction: {
    effect: "write",
    input: z.object({ id: z.int(), ...z.object({ ...Payment, recurring: z.boolean() }).partial().shape }),
  },
  update_password: { effect: "write", input: z.object({ password: Text }) },
  update_user_info: { effect: "write", input: z.object({ first_name: Text, last_name: Text, street: Text, city: Text }).partial() },
};

const SLACK: Readonly<Record<string, Facts>> = {
  get_channels: { effect: "read", input: z.object({}) },
  get_users_in_channel: { effect: "read", input: z.object({ channel: Text }) },
  read_channel_messages: { effect: "read", input: z.object({ channel: Text }) },
  read_inbox: { effect: "read", input: z.object({ user: Text }) },
  add_user_to_channel: { effect: "write", input: z.object({ user: Text, channel: Text }) },
  remove_user_from_slack: { effect: "write", input: z.object({ user: Text }) },
  invite_user_to_slack: { effect: "egress", input: z.object({ user: Text, user_email: Text }), vouched: true },
  send_direct_message: { effect: "egress", input: z.object({ recipient: Text, body: Text }), vouched: true },
  send_channel_message: { effect: "egress", input: z.object({ channel: Text, body: Text }), vouched: true },
  // The address tells its owner what the caller puts into it.
  get_webpage: { effect: "egress", input: z.object({ url: Text }) },
  post_webpage: { effect: "egress", input: z.object({ url: Text, content: Text }), vouched: true },
};

/** The suites of the bed. */
const SUITES = { banking: BANKING, slack: SLACK } as const;
/** The name of a suite. */
export type SuiteName = keyof typeof SUITES;

/** Makes a call in the world of a task. */
export type MakeCall = (task: string, call: { readonly name: string; readonly input: Record<string, Json> }) => Promise<Json>;

/** Makes the tools of a suite. `labels: false`: as if no tool returned text of strangers. */
export function suiteTools(suite: SuiteName, labels: boolean, make: MakeCall): readonly ToolDefinition[] {
  return Object.entries(SUITES[suite]).map(([name, { effect, input, vouched = false }]) =>
    tool(name, {
      input,
      output: z.string(),
      effect,
      ...(labels && !vouched ? {} : { untrusted: false }),
      // The key begins with the id of the process, which names the world of its task.
      run: async (given, { idempotencyKey }) => {
        const result = await make(idempotencyKey.split(":")[0] ?? "", { name, input: z.record(z.string(), z.json()).parse(given) });
        return typeof result === "string" ? result : JSON.stringify(result);
      },
    }),
  );
}

/** Whether a call of a tool only reads. */
export function isRead(suite: SuiteName, name: string): boolean {
  return SUITES[suite][name]?.effect === "read";
}

/** Whether a tool returns text of strangers. */
export function returnsStrangers(suite: SuiteName, name: string): boolean {
  const { effect, vouched = false } = SUITES[suite][name] ?? {};
  return effect !== undefined && effect !== "write" && !vouched;
}
