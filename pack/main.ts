/**
 * @module What `npm pack` and `npm publish` run before and after: `begin` builds dist/ and puts the package's manifest in the
 * place of the clone's, `end` puts the clone's back. `build` builds only.
 *
 * npm packs the package.json that stands on the disk, and has no other way to give a package other entries than its clone.
 * A run that was killed in between leaves the clone's manifest beside it; the next one begins with putting it back.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.ts";
import { packageManifest } from "./manifest.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MANIFEST = join(ROOT, "package.json");
const KEPT = join(ROOT, "package.clone.json");

function putBack(): void {
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST);
}

function begin(): void {
  putBack();
  // Before the manifest changes: the compiler resolves `troupe` by it.
  build(ROOT);
  const text = readFileSync(MANIFEST, "utf8");
  writeFileSync(KEPT, text);
  writeFileSync(MANIFEST, packageManifest(text));
}

const DOES: Readonly<Record<string, () => void>> = { build: () => build(ROOT), begin, end: putBack };
const does = DOES[process.argv[2] ?? ""];
if (does === undefined) {
  process.stderr.write(`usage: node pack/main.ts ${Object.keys(DOES).join("|")}\n`);
  process.exit(2);
}
does();
