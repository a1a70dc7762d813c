/** @module How VitePress builds the site from what `site/build.ts` generated. */
import { readFileSync } from "node:fs";

const BUILD = new URL("../.build/", import.meta.url);

export default {
  title: "Troupe",
  description: "Durable multi-agent systems on Dapr, in TypeScript.",
  srcDir: ".build/pages",
  outDir: ".build/html",
  cacheDir: ".build/cache",
  metaChunk: true,
  // As on the pages of a forge, where the same documents are read.
  markdown: {
    anchor: {
      slugify: (title) =>
        title
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
          .replaceAll(" ", "-"),
    },
  },
  // A mustache in a code sample is text. The site has no Vue components of its own.
  vue: { template: { compilerOptions: { delimiters: ["[[[never", "never]]]"] } } },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    sidebar: JSON.parse(readFileSync(new URL("sidebar.json", BUILD), "utf8")),
  },
};
