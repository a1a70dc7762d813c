#!/usr/bin/env node
/**
 * @module `node create-troupe/index.js ../my-app` in a clone: makes a folder with a first system, its test and its settings. Plain JavaScript,
 * because Node reads no TypeScript below node_modules, which is where npm puts an installed package.
 */
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
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
const CLONE = fileURLToPath(new URL("..", import.meta.url));
const USAGE = "node create-troupe/index.js <folder> [--troupe <tarball, folder or version>]";

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
      process.stdout.write(`${USAGE}\n\nMakes a folder with a first Troupe system. The package troupe is on no registry yet: in a clone, \`npm pack\` makes\nits tarball, which is found beside this program; --troupe names another one.\n`);
      process.exit(0);
    }
    if (positionals.length !== 1) throw new Error("one folder is expected");
    return { folder: positionals[0], troupe: values.troupe };
  } catch (error) {
    return fail("USAGE", error.message.replace(/\.?$/, "."), USAGE, EXIT_USAGE);
  }
}

/** A name that npm takes, made from the folder's. */
function packageName(dir) {
  const name = basename(dir).toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return name === "" ? "my-app" : name;
}

/** Where the package comes from: what was given, else the tarball of the clone that this program is in, else `undefined`: the registry. */
function sourceOf(spec, version) {
  if (spec !== undefined) {
    if (!existsSync(spec) && /[/\\]|\.tgz$/.test(spec))
      fail("TARBALL_ABSENT", `there is no ${spec}.`, "give the path of what `npm pack` made in a clone of Troupe, or of a folder with the package.");
    return spec;
  }
  if (!existsSync(join(CLONE, "pack"))) return undefined;
  const tarball = join(CLONE, `troupe-${version.replace(/^\W/, "")}.tgz`);
  if (existsSync(tarball)) return tarball;
  return fail("TARBALL_ABSENT", "the package troupe is on no registry yet, and there is no tarball of it in the clone.", "run `npm pack` in the clone, or give --troupe <tarball>.");
}

/** The dependency as the manifest names it. A tarball is copied into the new folder, which then needs nothing beside it. */
function dependency(source, dir) {
  if (!existsSync(source)) return source;
  if (statSync(source).isDirectory()) return `file:${relative(dir, resolve(source))}`;
  copyFileSync(source, join(dir, basename(source)));
  return `file:${basename(source)}`;
}

function main() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor < NODE_MINOR_MIN)) {
    fail("NODE_OLD", `Troupe needs Node.js ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or later, and this is ${process.versions.node}.`, "install Node.js 24 (https://nodejs.org).");
  }
  const { folder, troupe } = options();
  const dir = resolve(folder);
  if (existsSync(dir) && readdirSync(dir).length > 0) fail("FOLDER_USED", `${folder} is there already and not empty.`, "choose another folder, or empty this one.");
  const templateManifest = JSON.parse(readFileSync(join(TEMPLATE, "package-template.json"), "utf8"));
  // Before anything is written: a wrong argument leaves no folder behind.
  const source = sourceOf(troupe, templateManifest.dependencies.troupe);
  cpSync(TEMPLATE, dir, { recursive: true });
  for (const [from, to] of Object.entries(RENAMED)) renameSync(join(dir, from), join(dir, to));
  const manifest = { ...templateManifest, name: packageName(dir) };
  if (source !== undefined) manifest.dependencies.troupe = dependency(source, dir);
  writeFileSync(join(dir, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  process.stdout.write(`${folder} is made. Next:\n\n  cd ${folder}\n  npm install\n  npm test          # in milliseconds, without Dapr\n  npm start         # on Dapr; then, in another terminal:\n  npm run task\n`);
}

main();
