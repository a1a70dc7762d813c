/**
 * @module The manifest of the package, made from that of the clone. Entries point to JavaScript in dist/; what only a clone needs is left
 * out.
 */
import { z } from "zod";

const Names = z.record(z.string(), z.string());
/** What is read of the clone's manifest. Everything else goes through as it stands. */
const Manifest = z.looseObject({ name: z.string(), version: z.string(), exports: Names, bin: Names, files: z.array(z.string()) });

/** Keys that mean nothing to who installs the package. Without `private` it can be published; the clone cannot. */
const LEFT_OUT = ["private", "workspaces", "scripts", "devDependencies"];

/** Where the compiled form of a source file lies. */
function compiled(path: string, extension: ".js" | ".d.ts"): string {
  return `./dist/${path.replace(/^\.\//, "").replace(/\.(ts|js)$/, extension)}`;
}

/** The text of the package's manifest. Throws when the clone's has another shape than is understood here. */
export function packageManifest(cloneText: string): string {
  const clone = Manifest.parse(JSON.parse(cloneText));
  const entries = Object.entries(clone.exports).map(([name, path]): [string, unknown] => [
    name,
    path.endsWith(".ts") ? { types: compiled(path, ".d.ts"), default: compiled(path, ".js") } : path,
  ]);
  const commands = Object.entries(clone.bin).map(([name, path]): [string, string] => [name, compiled(path, ".js").replace(/^\.\//, "")]);
  const kept = Object.entries(clone).filter(([key]) => !LEFT_OUT.includes(key));
  const made = { ...Object.fromEntries(kept), exports: Object.fromEntries(entries), bin: Object.fromEntries(commands) };
  return `${JSON.stringify(made, null, 2)}\n`;
}
