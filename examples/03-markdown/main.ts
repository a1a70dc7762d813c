/**
 * @module Checks a folder of Markdown and prints the report; exit code 1 when something was found.
 * `node examples/03-markdown/main.ts [folder] [names in your spelling...]`. Default: the documents of this project.
 */
import { resolve } from "node:path";
import { relative } from "node:path/posix";
import { runLocal } from "troupe/testing";
import { Report } from "./contracts.ts";
import { reportText } from "./report.ts";
import markdown from "./system.ts";

const [given = "docs", ...names] = process.argv.slice(2);
// Whoever calls this program may read the folder, and links may lead out of it as far as the working directory.
const folder = resolve(given);
if (relative(process.cwd(), folder).startsWith("..")) process.env["MARKDOWN_ROOT"] ??= folder;

const { status, output, fault } = await runLocal(markdown, "folder", { folder, names });
if (status !== "completed") {
  console.error(`${status}: ${fault?.message ?? "no reason was given"}`);
  process.exit(1);
}
const report = Report.parse(output);
console.log(reportText(given.replace(/\/$/, ""), report));
process.exitCode = report.findings.length === 0 ? 0 : 1;
