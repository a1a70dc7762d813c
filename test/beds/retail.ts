/**
 * @module The retail bed of tau2: its tasks with the calls that are right, and its shop as a far side that does what it is told, with the
 * package's own code.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../../runtime/faults.ts";
import { PythonSide } from "./python.ts";

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

/** The running shop. Each world begins with the same state. */
export class Shop {
  readonly #side: PythonSide;

  private constructor(side: PythonSide) {
    this.#side = side;
  }

  /** Starts the shop, or says why it cannot run here. */
  static async open(folder: string): Promise<Shop | { readonly reason: string }> {
    const side = await PythonSide.open("retail.py", folder, { world: "ready" });
    return "reason" in side ? side : new Shop(side);
  }

  /** Makes a call in a world. @throws Error with the text of the shop */
  async call(world: string, { name, input }: RetailCall): Promise<string> {
    return z.string().parse(await this.#side.ask({ world, call: name, arguments: input }));
  }

  /** The hash of all that a world holds. The world ends. */
  async state(world: string): Promise<string> {
    return z.string().parse(await this.#side.ask({ world }));
  }

  close(): Promise<void> {
    return this.#side.close();
  }
}
