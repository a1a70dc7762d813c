/** @module The command's output for people. */
import { homedir } from "node:os";
import { relative } from "node:path";

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line of an error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A path as a person would write it: from the working folder, or from the home folder. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  if (short !== "" && !short.startsWith("..")) return short;
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
