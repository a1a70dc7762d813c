/** @module Agents check a folder of Markdown: all files in parallel, and each file with four checkers in parallel. */
import { agent, route, system } from "troupe";
import { checkFences, checkHeadings, checkLinks, checkNames } from "./checks.ts";
import { FenceChecker, File, Folder, HeadingChecker, LinkChecker, Lister, NameChecker, Reader, Reporter } from "./contracts.ts";
import { listFolder, readDocument } from "./files.ts";
import { reportOf } from "./report.ts";

const FILES_AT_ONCE_MAX = 16;

// The disk changes, so each read is a step: a handler that runs again receives the text of the first read.
const lister = agent(Lister, { handle: ({ folder, names }, ctx) => ctx.step("list", () => listFolder(folder, names)) });
const reader = agent(Reader, { handle: ({ folder, path, names }, ctx) => ctx.step("read", () => readDocument(folder, path, names)) });
const links = agent(LinkChecker, { handle: (document) => checkLinks(document) });
const headings = agent(HeadingChecker, { handle: (document) => checkHeadings(document) });
const fences = agent(FenceChecker, { handle: (document) => checkFences(document) });
const names = agent(NameChecker, { handle: (document) => checkNames(document) });
const reporter = agent(Reporter, { handle: ({ checked, skipped }) => reportOf(checked, skipped) });

/** One file. Its text is stored once, independent of how many agents receive it. */
const file = route("file", 1, File)
  .to("document", Reader, ({ task }) => task)
  .all((stop) => ({
    links: stop(LinkChecker, ({ document }) => document),
    headings: stop(HeadingChecker, ({ document }) => document),
    fences: stop(FenceChecker, ({ document }) => document),
    names: stop(NameChecker, ({ document }) => document),
  }))
  .output(({ task, links, headings, fences, names }) => ({ path: task.path, links, headings, fences, names }));

const folder = route("folder", 1, Folder)
  .to("listing", Lister, ({ task }) => task)
  .forEach(
    "checked",
    ({ listing }) => listing.files,
    (stop) => stop(file, ({ item }) => item),
    { concurrency: FILES_AT_ONCE_MAX },
  )
  .to("report", Reporter, ({ listing, checked }) => ({ checked, skipped: listing.skipped }))
  .output(({ report }) => report);

export default system("markdown", { agents: [lister, reader, links, headings, fences, names, reporter], routes: [file, folder] });
