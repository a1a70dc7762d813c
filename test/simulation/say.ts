/** @module Numbers of a run, told where the tests are told. */

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
