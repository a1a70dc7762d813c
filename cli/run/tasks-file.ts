/** @module `tasks.json` in the state folder: tasks that the command submitted and whose end it has not seen yet. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolder, writePrivate } from "../dapr/private-files.ts";
import { messageOf, systemCode } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";
import { decodeText } from "../text/decode.ts";

const Noted = z.strictObject({ id: z.string().min(1), route: z.string(), submittedAtMs: z.int().nonnegative() });
export type Noted = z.infer<typeof Noted>;
const File = z.strictObject({ v: z.literal(1), open: z.array(Noted) });

/** Stores tasks from just before their submission until their end was printed. */
export class TasksFile {
  readonly #dir: string;
  readonly #path: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.#path = join(dir, "tasks.json");
  }

  async open(): Promise<readonly Noted[]> {
    let text: string;
    try {
      text = decodeText(await readFile(this.#path));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw this.#unreadable(messageOf(error));
    }
    try {
      return File.parse(JSON.parse(text)).open;
    } catch (error) {
      throw this.#unreadable(messageOf(error).split("\n")[0] ?? "");
    }
  }

  async add(task: Noted): Promise<void> {
    await this.#write([...(await this.open()), task]);
  }

  async remove(id: string): Promise<void> {
    await this.#write((await this.open()).filter((task) => task.id !== id));
  }

  /** Writes atomically, because the command may be killed at any moment. */
  async #write(open: readonly Noted[]): Promise<void> {
    makeFolder(this.#dir);
    await writePrivate(this.#path, `${JSON.stringify({ v: 1, open }, undefined, 2)}\n`);
  }

  #unreadable(why: string): CliError {
    return new CliError(
      "TASKS_FILE",
      `${this.#path} cannot be read: ${why}`,
      "Move it away; the tasks themselves are in the journal and continue.",
    );
  }
}
