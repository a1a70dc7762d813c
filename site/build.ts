/**
 * @module `npm run docs`: builds the docs site into site/.build/html. The guides are those of docs/; the reference of HTTP API and of the
 * library is generated. A dead link, to a page or to a part of one, fails it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { httpReference } from "./http.ts";
import { deadAnchors, siteLinks } from "./links.ts";

const SITE = import.meta.dirname;
const ROOT = dirname(SITE);
const BUILD = join(SITE, ".build");
const PAGES = join(BUILD, "pages");
const HTML = join(BUILD, "html");
/** Pages of documents outside of docs/, and of the two that VitePress would take for a start page. */
const PLACED: readonly (readonly [document: string, page: string])[] = [
  ["README.md", "index.md"],
  ["docs/index.md", "contents.md"],
  ["CHANGELOG.md", "changelog.md"],
  ["CONTRIBUTING.md", "contributing.md"],
];
const REFERENCE = [
  { text: "HTTP reference", link: "/http-reference" },
  { text: "Library", link: "/api/" },
];

function run(program: string, args: readonly string[], cwd: string): void {
  execFileSync(program, args, { cwd, stdio: ["ignore", 2, 2] });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(BUILD, path)), { recursive: true });
  writeFileSync(join(BUILD, path), text);
}

/** The path of each document in the repository, and that of its page. */
function pagesOf(): ReadonlyMap<string, string> {
  const guides = globSync("docs/*.md", { cwd: ROOT }).map((path): [string, string] => [path, path.replace("docs/", "")]);
  return new Map([...guides, ...PLACED]);
}

/** The sidebar has the order and the groups of docs/index.md. */
function sidebar(): unknown {
  const groups: { text: string; items: { text: string; link: string }[] }[] = [];
  for (const line of readFileSync(join(ROOT, "docs/index.md"), "utf8").split("\n")) {
    const group = /^\| ([A-Z][^|]*) \| What it holds \|/.exec(line)?.[1];
    if (group !== undefined) groups.push({ text: group, items: [] });
    const page = /^\| \[[^\]]+\]\(([a-z0-9-]+)\.md\)/.exec(line)?.[1];
    if (page !== undefined) groups.at(-1)?.items.push({ text: titleOf(`docs/${page}.md`), link: `/${page}` });
  }
  return [{ text: "Troupe", link: "/" }, ...groups, { text: "Reference", items: REFERENCE }];
}

function titleOf(path: string): string {
  const title = /^# (.+)$/m.exec(readFileSync(join(ROOT, path), "utf8"))?.[1];
  if (title === undefined) throw new Error(`${path} has no title`);
  return title;
}

function library(): void {
  const entries = [
    "agents/index.ts",
    "client/index.ts",
    "testing/index.ts",
    "mcp/index.ts",
    "sources/index.ts",
    "actors/index.ts",
    "adapters/ai-sdk/index.ts",
    "adapters/openai-agents/index.ts",
  ];
  const flags = ["--disableSources", "--excludePrivate", "--hidePageHeader", "--hideBreadcrumbs", "--skipErrorChecking"];
  const plugins = ["--plugin", "typedoc-plugin-markdown", "--plugin", join(SITE, "module-names.js")];
  const options = ["--router", "module", "--entryFileName", "index", "--readme", "none", "--name", "Library", "--logLevel", "Error"];
  const typedoc = join(SITE, "node_modules/typedoc/bin/typedoc");
  run(
    process.execPath,
    [typedoc, "--tsconfig", "tsconfig.json", ...plugins, "--out", join(PAGES, "api"), ...flags, ...options, ...entries],
    ROOT,
  );
}

function main(): void {
  if (!existsSync(join(SITE, "node_modules/vitepress"))) run("npm", ["ci", "--no-audit", "--no-fund"], SITE);
  rmSync(BUILD, { recursive: true, force: true });
  const pages = pagesOf();
  for (const [path, page] of pages) write(`pages/${page}`, siteLinks(readFileSync(join(ROOT, path), "utf8"), path, pages));
  write("pages/http-reference.md", httpReference());
  write("sidebar.json", JSON.stringify(sidebar()));
  library();
  run(process.execPath, [join(SITE, "node_modules/vitepress/bin/vitepress.js"), "build", SITE], ROOT);
  const html = new Map(globSync("**/*.html", { cwd: HTML }).map((path) => [path, readFileSync(join(HTML, path), "utf8")]));
  const dead = deadAnchors(html);
  if (dead.length > 0) throw new Error(`dead links to parts of pages:\n${dead.join("\n")}`);
  process.stdout.write(`site/.build/html: ${html.size} pages, no dead link\n`);
}

main();
