/**
 * @module Checks a folder of Markdown and prints the report. The exit code is 1 if there are findings.
 * `npm run node examples/03-markdown/main.ts [folder] [names in your spelling...]`. Default: the documents of this project.
 */
import { resolve } from "node:path";
import { relative } from "node:path/posix";
import { runLocal } from "troupe/testing";
import { Report } from "./contracts.ts";
import { reportText } from "./report.ts";
import markdown from "./system.ts";

const [given = "docs", ...names] = process.argv.slice(2);
// The caller of this program may read the folder, and links may lead out of it up to the working directory.
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
