/** @module The four checks of a document. Each returns findings in the order of the lines; none needs a network. */
import { type Document, type Finding, FINDINGS_MAX } from "./contracts.ts";
import { linkTarget } from "./files.ts";
import { anchorsOf, type Fence, linksOf, partsOf } from "./markdown.ts";

/** Names that are often misspelt. */
const NAMES = [
  "TypeScript",
  "JavaScript",
  "Node.js",
  "GitHub",
  "GitLab",
  "npm",
  "PostgreSQL",
  "SQLite",
  "MySQL",
  "Redis",
  "Kubernetes",
  "Docker",
  "Dapr",
  "OpenTelemetry",
  "Markdown",
  "JSON",
  "YAML",
  "HTTP",
];

/** Finds relative links to missing files, anchors without a heading, links without a text or a target, and invalid addresses. */
export function checkLinks(document: Document): Finding[] {
  const { prose, headings } = partsOf(document.text);
  const own = anchorsOf(headings);
  return findings(
    document,
    "links",
    linksOf(prose).flatMap(({ line, text, target }) => {
      const problem = text.trim() === "" ? `the link to ${target || "nothing"} has no text` : linkProblem(document, own, target);
      return problem === undefined ? [] : [[line, problem] as const];
    }),
  );
}

function linkProblem(document: Document, own: ReadonlySet<string>, target: string): string | undefined {
  if (target === "") return "a link has no target";
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return URL.canParse(target) ? undefined : `${target} is not a valid address`;
  const [path = "", anchor] = target.split("#");
  if (path === "") return own.has(anchor ?? "") ? undefined : `there is no heading for #${anchor ?? ""} in this file`;
  const found = linkTarget(document, decoded(path));
  if (found === undefined) return `there is no file ${path}`;
  if (anchor === undefined || !found.isMarkdown) return undefined;
  return anchorsOf(partsOf(found.text()).headings).has(anchor) ? undefined : `there is no heading for #${anchor} in ${path}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // An invalid percent encoding is part of the file's name.
    return path;
  }
}

/** Requires one title, which comes first; no skipped level; no two equal headings under the same parent. */
export function checkHeadings(document: Document): Finding[] {
  const { headings } = partsOf(document.text);
  const found: (readonly [number, string])[] = [];
  if (headings.length === 0) found.push([1, "there is no heading"]);
  const path: string[] = [];
  const seen = new Set<string>();
  for (const [index, { line, level, text }] of headings.entries()) {
    const before = headings[index - 1]?.level ?? 0;
    if (index === 0 && level !== 1) found.push([line, `the first heading has level ${level}, not 1`]);
    else if (index > 0 && level === 1) found.push([line, `a second title: ${text}`]);
    else if (level > before + 1) found.push([line, `from level ${before} to level ${level}: ${text}`]);
    path.length = level - 1;
    path[level - 1] = text;
    const place = path.join("\n");
    if (seen.has(place)) found.push([line, `duplicate heading: ${text}`]);
    seen.add(place);
  }
  return findings(document, "headings", found);
}

/** Finds fences that are not closed, code without a language, and invalid JSON. */
export function checkFences(document: Document): Finding[] {
  const { fences } = partsOf(document.text);
  return findings(
    document,
    "fences",
    fences.flatMap((fence) => {
      const problem = fenceProblem(fence);
      return problem === undefined ? [] : [[fence.line, problem] as const];
    }),
  );
}

function fenceProblem({ language, body, closed }: Fence): string | undefined {
  if (!closed) return "the fence is never closed";
  if (language === "") return "the code block has no language; use text for plain text";
  return language === "json" && !isJson(body) ? "the code is not valid JSON" : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Finds names spelt differently than in a list and in the task. Code, link targets and file names are ignored. */
export function checkNames(document: Document): Finding[] {
  const right = new Map([...NAMES, ...document.names].map((name) => [bare(name), name]));
  return findings(
    document,
    "names",
    partsOf(document.text).prose.flatMap(({ number, text }) => {
      const words =
        text
          .replaceAll(/\]\([^)]*\)/g, "]")
          .replaceAll(/\S*[/\\@]\S*|\S+:\S+/g, " ")
          .match(/[\p{L}\p{N}][\p{L}\p{N}._-]*/gu) ?? [];
      return words.flatMap((raw) => {
        const word = raw.replace(/[.-]+$/, "");
        const name = right.get(bare(word));
        return name === undefined || word === name ? [] : [[number, `${word} is spelled ${name}`] as const];
      });
    }),
  );
}

/** Normalizes a name: ignores case, dots and hyphens. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[.-]/g, "");
}

function findings({ path }: Document, check: string, found: readonly (readonly [number, string])[]): Finding[] {
  const shown = found
    .toSorted(([a], [b]) => a - b)
    .slice(0, FINDINGS_MAX)
    .map(([line, text]) => ({ path, line, check, text }));
  return found.length <= FINDINGS_MAX ? shown : [...shown, { path, line: 0, check, text: `${found.length - FINDINGS_MAX} more` }];
}
