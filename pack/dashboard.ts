/**
 * @module Builds the dashboard of a clone to dashboard/dist, unless it is built from these very sources: `node pack/dashboard.ts`. What is
 * built stands there at once and whole, so that a host may serve it meanwhile, and two builds do not mix.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, "dashboard/dist");
/** Holds the hash of the sources that a build is of. */
const STAMP = "sources.txt";
const SOURCES = [
  "dashboard/{index.html,vite.config.ts,package.json}",
  "dashboard/src/**/*",
  "runtime/**/*.ts",
  "package.json",
  "pack/dashboard.ts",
];

function hashOfSources(): string {
  const hash = createHash("sha256");
  for (const path of globSync(SOURCES, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(`${path.slice(ROOT.length)}\n`).update(readFileSync(path));
  return hash.digest("hex");
}

function isBuilt(wanted: string): boolean {
  const stamp = join(FOLDER, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
}

/** Builds the dashboard unless it stands as these sources give it. Returns its folder. */
export async function buildDashboard(): Promise<string> {
  const wanted = hashOfSources();
  if (isBuilt(wanted)) return FOLDER;
  const made = `${FOLDER}-${process.pid}`;
  const old = `${FOLDER}-${process.pid}-old`;
  const { NODE_ENV } = process.env;
  try {
    // Under a test runner React's form for development would be built.
    process.env["NODE_ENV"] = "production";
    await build({
      configFile: join(ROOT, "dashboard/vite.config.ts"),
      logLevel: "warn",
      build: { outDir: made, emptyOutDir: true, reportCompressedSize: false },
    });
    writeFileSync(join(made, STAMP), wanted);
    if (existsSync(FOLDER)) renameSync(FOLDER, old);
    renameSync(made, FOLDER);
  } catch (error) {
    // Another build of the same sources may have come first.
    if (!isBuilt(wanted)) throw error;
  } finally {
    if (NODE_ENV === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = NODE_ENV;
    for (const path of [made, old]) rmSync(path, { recursive: true, force: true });
  }
  return FOLDER;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDashboard();
