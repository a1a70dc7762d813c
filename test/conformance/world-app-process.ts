/** @module The app of the conformance cases as a child process of the test. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromApp, ToApp } from "./world-app.ts";
import type { Script } from "./world-rig.ts";

const APP = fileURLToPath(new URL("world-app.ts", import.meta.url));

/** The app's process, which can be killed, frozen, and restarted on its port. */
export class AppProcess {
  readonly #args: readonly string[];
  readonly #script: Script;
  #child: ChildProcess | undefined;

  constructor(args: readonly string[], script: Script) {
    this.#args = args;
    this.#script = script;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = fork(APP, [...this.#args], { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
      this.#child = child;
      const doing = new Map<number, () => void>();
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the app ended with ${code}`)));
      child.on("message", (message: FromApp) => {
        if (message.tell === "listening") resolve();
        else if (message.tell === "done") doing.get(message.ask)?.();
        else void this.#came(child, message, doing);
      });
    });
  }

  async #came(
    child: ChildProcess,
    { ask, kind, id, name }: Extract<FromApp, { tell: "came" }>,
    doing: Map<number, () => void>,
  ): Promise<void> {
    const { reaction, done } = await this.#script.arrived(kind, id, name, performance.now());
    doing.set(ask, done);
    const answer: ToApp = { ask, reaction };
    if (child.connected) child.send(answer);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await gone;
  }
}
