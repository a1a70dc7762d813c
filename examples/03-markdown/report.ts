/** @module The report over all files: made by the last agent, printed by the program. */
import type { z } from "zod";
import type { Checked, Finding, Listing, Report } from "./contracts.ts";

/** Maximum findings of one report; the counts include all. */
const SHOWN_MAX = 500;

/** Collects all findings by file and line, with the count of each check. */
export function reportOf(checked: readonly z.infer<typeof Checked>[], skipped: Listing["skipped"]): Report {
  const all = checked.flatMap(({ links, headings, fences, names }) =>
    [...links, ...headings, ...fences, ...names].toSorted((a, b) => a.line - b.line || a.check.localeCompare(b.check)),
  );
  const counts = (check: string): number => all.filter((finding) => finding.check === check).length;
  return {
    files: checked.length,
    skipped: [...skipped],
    findings: all.slice(0, SHOWN_MAX),
    byCheck: { links: counts("links"), headings: counts("headings"), fences: counts("fences"), names: counts("names") },
  };
}

/** Formats the report: one line per finding, in the format of compilers. */
export function reportText(folder: string, { files, skipped, findings, byCheck }: Report): string {
  const lines = findings.map(({ path, line, check, text }: Finding) => `${folder}/${path}:${line} ${check}: ${text}`);
  const left = skipped.map(({ path, why }) => `${folder}/${path} was not read: ${why}`);
  const sum = Object.values(byCheck).reduce((total, count) => total + count, 0);
  const counts = Object.entries(byCheck)
    .map(([check, count]) => `${check} ${count}`)
    .join(", ");
  return [...lines, ...left, `${files} files, ${sum} findings (${counts})`].join("\n");
}
