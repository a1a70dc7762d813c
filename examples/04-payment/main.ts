/**
 * @module Runs two orders, one that succeeds and one that fails halfway, and prints the ledger.
 * `npm run node examples/04-payment/main.ts`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLocal } from "troupe/testing";
import { balances, lines } from "./ledger.ts";
import payment from "./system.ts";

const folder = mkdtempSync(join(tmpdir(), "troupe-payment-"));
process.env["PAYMENT_LEDGER"] = join(folder, "ledger.jsonl");
try {
  for (const [id, town] of [
    ["order-1", "Graz"],
    ["order-2", "Atlantis"],
  ] as const) {
    const { status, output, fault, history } = await runLocal(
      payment,
      "order",
      { item: "lamp", pieces: 2, cents: 5_900, card: "4711", town },
      { id },
    );
    console.log(`${id} to ${town}`);
    for (const line of history) console.log(`  ${line.agent.padEnd(8)} ${line.what}${line.code === undefined ? "" : ` (${line.code})`}`);
    console.log(`  ${status}: ${fault === undefined ? JSON.stringify(output) : fault.message}\n`);
  }
  console.log("the ledger");
  for (const { key, what } of lines()) console.log(`  ${key.slice(0, key.indexOf(":"))}  ${what}`);
  console.log("the balances");
  for (const [account, amount] of Object.entries(balances())) console.log(`  ${account.padEnd(14)} ${amount}`);
} finally {
  rmSync(folder, { recursive: true });
}
