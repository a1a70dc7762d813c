/** @module A child process in its own process group. Its output is read line by line; the last lines are kept. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LaunchError, messageOf, systemCode } from "./problem.ts";

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to run, and who gets its output. */
export interface ChildOptions {
  /** A short name for messages, for example `placement`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the child. @default that of this process */
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** @default that of this process */
  readonly umask?: number | undefined;
  readonly onLine?: (line: string) => void;
}

/** Lines kept for error messages. */
const TAIL_LINES = 200;
/** Maximum length of a line, so that a child that prints no newline cannot fill the memory. */
const LINE_MAX_CHARS = 8_192;
/** How long to read the output of an ended process while its children hold it open. */
const DRAIN_MS = 1_000;
/** Interval of checks whether the group is gone. */
const GROUP_POLL_MS = 20;
/** Maximum time for the kernel to end a group after SIGKILL. */
const KILL_WAIT_MS = 5_000;
/** Default time for a child to end before SIGKILL. */
const STOP_GRACE_MS = 8_000;

/**
 * Groups of running children. They are killed when this process ends without having stopped them, by an uncaught error or in the
 * middle of a start.
 */
const living = new Set<number>();
process.once("exit", () => {
  for (const pid of living) signalGroup(pid, "SIGKILL");
});

/**
 * A running child process. It leads a process group, so that a signal also reaches its own children, and a Ctrl-C in the
 * terminal does not reach it: this process decides in which order the parts stop.
 */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended and its output was read to the end; never rejects. */
  readonly exited: Promise<ChildExit>;
  readonly #lines: string[] = [];
  #exit: ChildExit | undefined;

  private constructor(options: ChildOptions, process: ChildProcess, pid: number) {
    this.name = options.name;
    this.pid = pid;
    const onLine = (line: string): void => {
      this.#lines.push(line);
      if (this.#lines.length > TAIL_LINES) this.#lines.shift();
      options.onLine?.(line);
    };
    readLines(process.stdout, onLine);
    readLines(process.stderr, onLine);
    let leftBehind: NodeJS.Timeout | undefined;
    living.add(pid);
    process.once("exit", (code, signal) => {
      this.#exit = { code, signal };
      leftBehind = setTimeout(() => endLeftBehind(process, pid), DRAIN_MS);
    });
    this.exited = new Promise((resolve) => {
      process.once("close", (code, signal) => {
        clearTimeout(leftBehind);
        living.delete(pid);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  /**
   * Starts a child.
   * @throws START_FAILED when the program cannot be run
   */
  static async spawn(options: ChildOptions): Promise<Child> {
    const process = launched(options);
    const child = process.pid === undefined ? undefined : new Child(options, process, process.pid);
    await new Promise<void>((resolve, reject) => {
      process.once("spawn", resolve);
      process.once("error", (error) => reject(cannotRun(options, error)));
    });
    if (child === undefined) throw cannotRun(options, new Error("no process id"));
    // A later "error" only means that a signal could not be sent, which kill() reports.
    process.on("error", () => undefined);
    return child;
  }

  /** Whether the process is running. */
  get running(): boolean {
    return this.#exit === undefined;
  }

  /** How it ended; undefined while it runs. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  /** The last lines it printed, oldest first. */
  get tail(): readonly string[] {
    return [...this.#lines];
  }

  /** Sends a signal to the whole group; false when the group is gone. */
  kill(signal: NodeJS.Signals): boolean {
    return signalGroup(this.pid, signal);
  }

  /** Ends the group: the signal, a bounded wait, then SIGKILL. The group is gone when it resolves. */
  async stop(graceMs: number = STOP_GRACE_MS, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await stopGroup(this.pid, graceMs, signal);
    await Promise.race([this.exited, sleep(KILL_WAIT_MS, undefined, { ref: false })]);
  }
}

/**
 * Whether any process of the group led by `pid` is alive. Zombies do not count where /proc tells them apart: an orphan may stay
 * one for seconds under a slow init.
 */
export function groupAlive(pid: number): boolean {
  if (!signalGroup(pid, 0)) return false;
  const states = groupStates(pid);
  return states === undefined || states.some((state) => state !== "Z" && state !== "X");
}

/** The states of a group's processes (field 3 of /proc/<pid>/stat; field 5 is the group); undefined without /proc. */
function groupStates(group: number): readonly string[] | undefined {
  if (process.platform !== "linux") return undefined;
  const states: string[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = readStat(name);
    const [state, , owner] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state !== undefined && Number(owner) === group) states.push(state);
  }
  return states;
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It ended between the listing and the reading.
    return "";
  }
}

/** Sends a signal to the group led by `pid`; false when the group is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // EPERM: the group lives and belongs to another user.
    return systemCode(error) === "EPERM";
  }
}

/** Ends the group led by `pid`: the signal, a bounded wait, then SIGKILL. */
export async function stopGroup(pid: number, graceMs: number, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  signalGroup(pid, signal);
  // A stopped process (SIGSTOP) handles the signal only after SIGCONT.
  signalGroup(pid, "SIGCONT");
  if (await groupGone(pid, graceMs)) return;
  signalGroup(pid, "SIGKILL");
  if (await groupGone(pid, KILL_WAIT_MS)) return;
  throw new LaunchError({
    code: "STOP_FAILED",
    what: `the process group ${pid} is alive ${KILL_WAIT_MS} ms after SIGKILL.`,
    fix: `Look at it with "ps -o pid,stat,wchan,cmd -g ${pid}"; a process stuck in the kernel ends when its disk or network answers.`,
  });
}

/** Waits until the group led by `pid` is gone; false when the time is over. */
export async function groupGone(pid: number, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (groupAlive(pid)) {
    if (performance.now() >= end) return false;
    await sleep(GROUP_POLL_MS);
  }
  return true;
}

/** A child inherits the umask of this process, which changes only while it starts. */
function launched(options: ChildOptions): ChildProcess {
  const umask = options.umask === undefined ? undefined : process.umask(options.umask);
  try {
    return spawn(options.command, options.args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
  } finally {
    if (umask !== undefined) process.umask(umask);
  }
}

/** The leader has ended while its children hold its output open: ends them too, and stops reading. */
function endLeftBehind(process: ChildProcess, pid: number): void {
  signalGroup(pid, "SIGKILL");
  process.stdout?.destroy();
  process.stderr?.destroy();
}

function cannotRun(options: ChildOptions, error: Error): LaunchError {
  return new LaunchError({
    code: "START_FAILED",
    what: `${options.name} could not be run: ${messageOf(error)}.`,
    fix: `Check that ${options.command} exists, is executable and is made for this system.`,
    cause: error,
  });
}

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  stream.setEncoding("utf8");
  let rest = "";
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) emit(part, onLine);
    if (rest.length > LINE_MAX_CHARS) {
      emit(rest, onLine);
      rest = "";
    }
  });
  stream.on("end", () => emit(rest, onLine));
  stream.on("error", () => undefined);
}

function emit(line: string, onLine: (line: string) => void): void {
  const text = line.replace(/\r$/, "").slice(0, LINE_MAX_CHARS);
  if (text !== "") onLine(text);
}
