/** @module Links of the documents on the docs site, and the check of links to parts of pages. */
import { expect, test } from "vitest";
import { httpReference } from "../../site/http.ts";
import { deadAnchors, siteLinks } from "../../site/links.ts";

const PAGES = new Map([
  ["README.md", "index.md"],
  ["docs/routes.md", "routes.md"],
]);

test("a link to a document leads to its page, and one to a file of the repository is text", () => {
  const linked = (text: string): string => siteLinks(text, "docs/agents.md", PAGES);
  expect(linked("[routes](routes.md#stops) and [the README](../README.md)")).toBe("[routes](/routes.md#stops) and [the README](/index.md)");
  expect(linked("[limits](../runtime/limits.ts), [the rules](../runtime)")).toBe("limits (`runtime/limits.ts`), the rules (`runtime`)");
  expect(linked("[own](#own), [far](https://dapr.io)")).toBe("[own](#own), [far](https://dapr.io)");
  expect(linked("```md\n[routes](routes.md)\n```")).toBe("```md\n[routes](routes.md)\n```");
});

test("a link to a part that a page does not have is found", () => {
  const html = new Map([
    ["index.html", '<h2 id="one"></h2><a href="#one"></a><a href="/routes.html#stops"></a><a href="https://dapr.io/#x"></a>'],
    ["routes.html", '<h2 id="stops"></h2><a href="./#two"></a><a href="./api/#one"></a>'],
    ["api/index.html", '<h2 id="one"></h2><a href="../routes.html#gone"></a>'],
  ]);
  expect(deadAnchors(html)).toEqual(["routes.html -> ./#two", "api/index.html -> ../routes.html#gone"]);
});

test("the HTTP reference has every operation with its answers", () => {
  const page = httpReference();
  expect(page).toContain("## submitTask\n\n`POST /tasks`\n");
  expect(page.match(/^\| Status \| Answer \|$/gm)?.length).toBe(page.match(/^## /gm)?.length);
});
