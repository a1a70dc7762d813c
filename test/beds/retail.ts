/**
 * @module The retail bed of tau2: its tasks with the calls that are right, and its shop as a far side that does what it is told, with the
 * package's own code.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";

export const RETAIL = { name: "inspect-evals", version: "0.28.0" };

const Tasks = z.array(
  z.looseObject({
    id: z.string(),
    evaluation_criteria: z.looseObject({
      actions: z.array(z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.json()) })),
    }),
  }),
);

/** A call of a task, in the order in which it is right. */
export interface RetailCall {
  readonly name: string;
  readonly input: Readonly<Record<string, Json>>;
}

/** A task: its calls that concern the shop. */
export interface RetailTask {
  readonly id: string;
  readonly calls: readonly RetailCall[];
}

/** Calls that do nothing in the shop. */
const ELSEWHERE = ["calculate", "transfer_to_human_agents"];

/** The tasks of the bed. */
export function retailTasks(folder: string): readonly RetailTask[] {
  const path = join(folder, "inspect_evals/tau2/data/domains/retail/tasks.json");
  return Tasks.parse(JSON.parse(readFileSync(path, "utf8"))).map(({ id, evaluation_criteria: { actions } }) => ({
    id,
    calls: actions.filter(({ name }) => !ELSEWHERE.includes(name)).map(({ name, arguments: input }) => ({ name, input })),
  }));
}

const Answer = z.union([
  z.strictObject({ id: z.int(), result: z.string() }),
  z.strictObject({ id: z.int(), error: z.string() }),
  z.strictObject({ id: z.int(), state: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

/** The running shop. Each world begins with the same state. */
export class Shop {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;
  #errors = "";

  private constructor(folder: string) {
    this.#child = spawn("python3", [join(import.meta.dirname, "retail.py"), folder], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#child;
    // A program that has ended no longer takes anything; `open` tells its end.
    stdin?.on("error", () => undefined);
    stderr?.on("data", (text: Buffer) => (this.#errors += text.toString()));
    if (stdout !== null)
      createInterface(stdout).on("line", (line) => {
        const answer = Answer.parse(JSON.parse(line));
        this.#waiting.get(answer.id)?.(answer);
        this.#waiting.delete(answer.id);
      });
  }

  /** Starts the shop, or says why it cannot run here. */
  static async open(folder: string): Promise<Shop | { readonly reason: string }> {
    const shop = new Shop(folder);
    const answered = shop.state("ready").then(() => undefined);
    const why = (): string => `the shop does not run here: ${shop.#errors.trim().split("\n").at(-1) ?? ""}`;
    const ended = once(shop.#child, "close").then(why, (error: unknown) => `python3 does not run here: ${String(error)}`);
    const reason = await Promise.race([answered, ended]);
    return reason === undefined ? shop : { reason };
  }

  /** Makes a call in a world. @throws Error with the text of the shop */
  async call(world: string, { name, input }: RetailCall): Promise<string> {
    const answer = await this.#ask({ world, call: name, arguments: input });
    if ("error" in answer) throw new Error(answer.error);
    return "result" in answer ? answer.result : "";
  }

  /** The hash of all that a world holds. The world ends. */
  async state(world: string): Promise<string> {
    const answer = await this.#ask({ world });
    return "state" in answer ? answer.state : "";
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }

  #ask(asked: Readonly<Record<string, Json>>): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...asked })}\n`);
    });
  }
}
