/**
 * @module What `npm pack` and `npm publish` run before and after: `begin` builds dist/ and puts the package's manifest in the
 * place of the clone's, `end` puts the clone's back. `build` builds only.
 *
 * npm packs the package.json that stands on the disk, and has no other way to give a package other entries than its clone.
 * An npm that fails in between runs no `end`; the guard beside it puts the clone's manifest back. Where the guard is killed too, the next
 * run begins with putting it back.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.ts";
import { ended, startGuard } from "./guard.ts";
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
  startGuard(fileURLToPath(import.meta.url));
  writeFileSync(MANIFEST, packageManifest(text));
}

async function guard(): Promise<void> {
  await ended(Number(process.argv[3]));
  putBack();
}

const DOES: Readonly<Record<string, () => void | Promise<void>>> = { build: () => build(ROOT), begin, end: putBack, guard };
const does = DOES[process.argv[2] ?? ""];
if (does === undefined) {
  process.stderr.write(`usage: node pack/main.ts ${Object.keys(DOES).join("|")}\n`);
  process.exit(2);
}
await does();
