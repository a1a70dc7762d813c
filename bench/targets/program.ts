/** @module A program of a side that cannot outlive the benchmark. */
import { Child, type ChildOptions } from "../../cli/dapr/index.ts";

/** The minimum environment of a program: none of the caller's settings changes the measurement. */
export function basicEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"], LANG: "C", NODE_ENV: "production" };
}

const living = new Set<Child>();

function killAll(): void {
  for (const child of living) child.kill("SIGKILL");
}

/** Runs a program; kills it if the benchmark ends without stopping it. */
export async function startProgram(options: ChildOptions): Promise<Child> {
  const child = await Child.spawn(options);
  if (!process.listeners("exit").includes(killAll)) process.once("exit", killAll);
  living.add(child);
  void child.exited.then(() => living.delete(child));
  return child;
}
