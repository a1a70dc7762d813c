/** @module A question to the notes in a temporary folder. `npm run node examples/10-mcp/main.ts` */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocal } from "troupe/testing";
import { scriptWithoutKey } from "../scripted.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-notes-")));
writeFileSync(join(folder, "ferry.md"), "# The ferry\n\nIt leaves at seven, not on Sundays.\n");
writeFileSync(join(folder, "market.md"), "# The market\n\nOn Fridays, at the old harbour.\n");
// The server may read and write in this folder alone.
process.env["NOTES_FOLDER"] = folder;
const { default: notes } = await import("./system.ts");

const stop = await scriptWithoutKey("10-mcp");
const local = startLocal(notes);
const { status, output, fault } = await local.run("ask", { folder, question: "When does the ferry leave?" });
console.log(fault === undefined ? `${status}: ${String(output)}` : `${status}, ${fault.code}: ${fault.message}`);
console.log(readFileSync(join(folder, "INDEX.md"), "utf8").trimEnd());
await local.stop();
await stop();
rmSync(folder, { recursive: true });
