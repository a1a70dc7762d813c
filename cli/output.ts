/** @module The command's output for people. */

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line of an error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
