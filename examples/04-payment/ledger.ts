/**
 * @module The external systems of the payment: a warehouse, a card company and a courier. They share one ledger, a file of lines.
 *
 * It keeps the two rules that each external system should keep: one idempotency key makes one entry, however often it is requested,
 * and a key that was taken back before its entry was made never makes an entry.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const Line = z.strictObject({ key: z.string(), what: z.string(), account: z.string(), amount: z.int(), undo: z.boolean() });

/** One line of the ledger. Taking back adds a line with the opposite amount; no line is deleted. */
export type Line = z.infer<typeof Line>;

/** Writes an entry, once per key. Throws if the key was already taken back. */
export function enter(key: string, entry: Pick<Line, "what" | "account" | "amount">): null {
  const own = lines().filter((line) => line.key === key);
  if (own.some((line) => line.undo)) throw new Error(`${entry.what} was taken back before it was made`);
  if (own.length === 0) write({ key, ...entry, undo: false });
  return null;
}

/** Takes an entry back, once. If there is no entry it records the key, so that a late call makes none. */
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

/** Returns the balance of each account. */
export function balances(): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { account, amount } of lines()) if (account !== "") sums.set(account, (sums.get(account) ?? 0) + amount);
  return Object.fromEntries(sums);
}

/** Reads and writes in one turn of the event loop, so that two handlers of one app cannot both find no entry. */
function write(line: Line): void {
  mkdirSync(dirname(ledgerFile()), { recursive: true });
  appendFileSync(ledgerFile(), `${JSON.stringify(line)}\n`);
}

function ledgerFile(): string {
  return process.env["PAYMENT_LEDGER"] ?? join(".troupe", "payment-ledger.jsonl");
}
