/**
 * @module The outside world of the payment: a warehouse, a card company and a courier, which share one ledger, a file of lines.
 *
 * It keeps the two rules that every outside system should: one idempotency key is one entry, however often it is asked for;
 * and what was taken back before it was made is never made afterwards.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const Line = z.strictObject({ key: z.string(), what: z.string(), account: z.string(), amount: z.int(), undo: z.boolean() });

/** One line of the ledger. What is taken back has a line of its own with the opposite amount; nothing is ever rubbed out. */
export type Line = z.infer<typeof Line>;

/** Writes an entry, once for each key. Throws when the key was taken back already. */
export function enter(key: string, entry: Pick<Line, "what" | "account" | "amount">): null {
  const own = lines().filter((line) => line.key === key);
  if (own.some((line) => line.undo)) throw new Error(`${entry.what} was taken back before it came`);
  if (own.length === 0) write({ key, ...entry, undo: false });
  return null;
}

/** Takes an entry back, once. Where nothing was entered it notes the key, so that a call that is late enters nothing. */
export function takeBack(key: string, what: string): void {
  const own = lines().filter((line) => line.key === key);
  if (own.some((line) => line.undo)) return;
  const made = own.find((line) => !line.undo);
  write({
    key,
    what: made === undefined ? `${what} (nothing to do)` : what,
    account: made?.account ?? "",
    amount: made === undefined ? 0 : -made.amount,
    undo: true,
  });
}

/** All lines, oldest first. */
export function lines(): readonly Line[] {
  const path = ledgerFile();
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => Line.parse(JSON.parse(text)));
}

/** What each account holds. */
export function balances(): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { account, amount } of lines()) if (account !== "") sums.set(account, (sums.get(account) ?? 0) + amount);
  return Object.fromEntries(sums);
}

/** Reading and writing happen in one turn of the event loop, so two handlers of one app cannot both find nothing. */
function write(line: Line): void {
  mkdirSync(dirname(ledgerFile()), { recursive: true });
  appendFileSync(ledgerFile(), `${JSON.stringify(line)}\n`);
}

function ledgerFile(): string {
  return process.env["PAYMENT_LEDGER"] ?? join(".troupe", "payment-ledger.jsonl");
}
