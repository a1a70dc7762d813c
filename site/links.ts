/** @module Links of the documents, as they must be on the site: to a page, or no link where the target is a file of the repository. */
import { posix } from "node:path";

const LINK = /(?<!!)\[([^\]]*)\]\(([^)#\s]*)(#[^)\s]*)?\)/g;
const FENCE = /^\s*```/;

/** A document with its links rewritten. `pages` has the path of a document in the repository and that of its page. */
export function siteLinks(text: string, path: string, pages: ReadonlyMap<string, string>): string {
  let inCode = false;
  return text
    .split("\n")
    .map((line) => {
      if (FENCE.test(line)) inCode = !inCode;
      return inCode ? line : line.replaceAll(LINK, (all, label: string, target: string, hash = "") => rewritten(all, label, target, hash));
    })
    .join("\n");

  function rewritten(all: string, label: string, target: string, hash: string): string {
    if (target === "" || target.includes("://")) return all;
    const file = posix.normalize(posix.join(posix.dirname(path), target));
    const page = pages.get(file);
    if (page !== undefined) return `[${label}](/${page}${hash})`;
    return label.includes(posix.basename(file)) ? label : `${label} (\`${file}\`)`;
  }
}

/** Links to parts of pages that do not exist: `page -> target`. The files are built pages, by path. */
export function deadAnchors(html: ReadonlyMap<string, string>): readonly string[] {
  const ids = new Map([...html].map(([path, text]) => [path, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map((found) => found[1]))]));
  return [...html].flatMap(([path, text]) =>
    [...text.matchAll(/\shref="([^"#]*)#([^"]+)"/g)].flatMap(([, page = "", id = ""]) => {
      if (page.includes("://")) return [];
      const target = page === "" ? path : fileOf(posix.join("/", page.startsWith("/") ? "" : posix.dirname(path), page));
      return ids.get(target)?.has(decodeURIComponent(id)) === true ? [] : [`${path} -> ${page}#${id}`];
    }),
  );
}

/** The built file of an address on the site. */
function fileOf(address: string): string {
  return address.slice(1).replace(/(^|\/)$/, "$1index.html");
}
