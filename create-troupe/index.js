#!/usr/bin/env node
/**
 * @module `npm create troupe my-app`: makes a folder with a first system, its test and its settings. Plain JavaScript, because
 * Node reads no TypeScript below node_modules, which is where npm puts this.
 */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const TEMPLATE = fileURLToPath(new URL("template", import.meta.url));
const NODE_MAJOR_MIN = 22;
const NODE_MINOR_MIN = 18;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** What npm would leave out of a package, or take for a manifest of its own, has another name in the template. */
const RENAMED = { gitignore: ".gitignore", "package-template.json": "package.json" };
const USAGE = "usage: npm create troupe <folder> [-- --troupe <version, folder or tarball>]\n";

/** Says what is wrong and what to do, and ends. */
function fail(code, message, fix, exitCode = EXIT_FAILED) {
  process.stderr.write(`${code}: ${message}\nWhat to do: ${fix}\n`);
  process.exit(exitCode);
}

/** The arguments; a wrong one ends the program with the usage. */
function options() {
  try {
    const { values, positionals } = parseArgs({ options: { troupe: { type: "string" }, help: { type: "boolean", short: "h" } }, allowPositionals: true });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (positionals.length !== 1) throw new Error("one folder is expected");
    return { folder: positionals[0], troupe: values.troupe };
  } catch (error) {
    process.stderr.write(`USAGE: ${error.message}\n${USAGE}`);
    return process.exit(EXIT_USAGE);
  }
}

/** A name that npm takes, made from the folder's. */
function packageName(dir) {
  const name = basename(dir).toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return name === "" ? "my-app" : name;
}

/** A path is one for who runs npm here; in the manifest it counts from the new folder. */
function dependency(spec, dir) {
  return existsSync(spec) ? `file:${relative(dir, resolve(spec))}` : spec;
}

function main() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor < NODE_MINOR_MIN)) {
    fail("NODE_OLD", `Troupe needs Node.js ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or later, and this is ${process.versions.node}.`, "install Node.js 24 (https://nodejs.org).");
  }
  const { folder, troupe } = options();
  const dir = resolve(folder);
  if (existsSync(dir) && readdirSync(dir).length > 0) fail("FOLDER_USED", `${folder} is there already and not empty.`, "choose another folder, or empty this one.");
  cpSync(TEMPLATE, dir, { recursive: true });
  for (const [from, to] of Object.entries(RENAMED)) renameSync(join(dir, from), join(dir, to));
  const manifestFile = join(dir, "package.json");
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
  manifest.name = packageName(dir);
  if (troupe !== undefined) manifest.dependencies.troupe = dependency(troupe, dir);
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
  process.stdout.write(`${folder} is made. Next:\n\n  cd ${folder}\n  npm install\n  npm test          # in milliseconds, without Dapr\n  npm start         # on Dapr; then, in another terminal:\n  npm run task\n`);
}

main();
