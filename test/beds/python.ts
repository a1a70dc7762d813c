/** @module A Python program of a bed that answers lines of JSON: the far side of its tools, with the package's own code. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";

const Line = z.union([z.strictObject({ id: z.int(), result: z.json() }), z.strictObject({ id: z.int(), error: z.string() })]);
type Line = z.infer<typeof Line>;

/** The running program. */
export class PythonSide {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (line: Line) => void>();
  #asked = 0;
  #errors = "";

  private constructor(program: string, folder: string) {
    this.#child = spawn("python3", [join(import.meta.dirname, program), folder], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#child;
    // A program that has ended no longer takes anything; `open` tells its end.
    stdin?.on("error", () => undefined);
    stderr?.on("data", (text: Buffer) => (this.#errors += text.toString()));
    if (stdout !== null)
      createInterface(stdout).on("line", (text) => {
        const line = Line.parse(JSON.parse(text));
        this.#waiting.get(line.id)?.(line);
        this.#waiting.delete(line.id);
      });
  }

  /** Starts a program of this folder on the data in `folder` and asks it once, or says why it cannot run here. */
  static async open(
    program: string,
    folder: string,
    first: Readonly<Record<string, Json>>,
  ): Promise<PythonSide | { readonly reason: string }> {
    const side = new PythonSide(program, folder);
    const answered = side.ask(first).then(() => undefined);
    const why = (): string => `${program} does not run here: ${side.#errors.trim().split("\n").at(-1) ?? ""}`;
    const ended = once(side.#child, "close").then(why, (error: unknown) => `python3 does not run here: ${String(error)}`);
    const reason = await Promise.race([answered, ended]);
    return reason === undefined ? side : { reason };
  }

  /** Asks for something. @throws Error with the text of the program */
  async ask(asked: Readonly<Record<string, Json>>): Promise<Json> {
    this.#asked += 1;
    const id = this.#asked;
    const line = await new Promise<Line>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...asked })}\n`);
    });
    if ("error" in line) throw new Error(line.error);
    return line.result;
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}
