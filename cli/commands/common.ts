/** @module What the commands share: options, the shape of their help, and the way to a running system. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { resolve } from "node:path";
import { type Client, connect } from "../../client/index.ts";
import { durationMs } from "../text/duration.ts";
import type { Interruption, Lifetime } from "../run/lifetime.ts";
import { CliError, EXIT_TEXT } from "../text/problem.ts";
import { readRunRecord } from "../run/run-record.ts";

/** What a command is given: how long it may run, and where its exit code goes. */
export interface Context {
  readonly lifetime: Lifetime;
  done(code: number): void;
}

/** Options of every command that talks to a running system. */
export interface RemoteOptions {
  readonly url?: string;
  readonly token?: string;
  readonly state: string;
  /** How long a system that is not there or not ready is asked again, in milliseconds. */
  readonly patience: number;
  readonly json: boolean;
}

const STATE_DIR = ".troupe";
const UP_PORT = 3_100;
const PORT_MAX = 65_535;
const PATIENCE_MS = 2_000;
const URL_DEFAULT = `http://127.0.0.1:${UP_PORT}`;
const EXAMPLE_COLUMNS = 40;
/** Help is as wide everywhere: what is printed is what stands in docs/cli.md. */
export const HELP_COLUMNS = 80;

/** Adds examples, notes and the exit codes to a command's help. */
export function examples(
  command: Command,
  lines: readonly (readonly [command: string, what: string])[],
  notes: readonly string[] = [],
): void {
  const text = lines.map(([line, what]) => {
    const beside = `  ${line.padEnd(EXAMPLE_COLUMNS)} ${what}`.trimEnd();
    return beside.length <= HELP_COLUMNS || what === "" ? beside : `  ${line}\n      ${what}`;
  });
  command.addHelpText("after", ["", "Examples:", ...text, ...(notes.length === 0 ? [] : ["", ...notes]), "", EXIT_TEXT].join("\n"));
}

/** What an option is, its choices, its default where it has one that says something, and the variable that gives it. */
export function optionText(option: Option): string {
  const { defaultValue, defaultValueDescription, argChoices, envVar } = option;
  const extra = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(", ")}`]),
    ...(defaultValue === undefined || defaultValue === false ? [] : [`default: ${defaultValueDescription ?? String(defaultValue)}`]),
    ...(envVar === undefined ? [] : [`env: ${envVar}`]),
  ];
  return extra.length === 0 ? option.description : `${option.description} (${extra.join("; ")})`;
}

/** `--state`. */
export function stateOption(): Option {
  return new Option("--state <folder>", "where the state of the run lies").default(STATE_DIR);
}

/** `--port`. */
export function portOption(): Option {
  return new Option("--port <number>", "where the HTTP API answers").argParser(port).default(UP_PORT);
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option("--json", "print JSON for a program instead of text for people").default(false);
}

/** An option that a variable of the environment can give too. */
export function fromEnv(flags: string, what: string, name: string): Option {
  return new Option(flags, what).env(name);
}

/** An option that is a length of time. */
export function durationOption(flags: string, what: string): Option {
  return new Option(flags, what).argParser(duration);
}

/** An option that is a whole number from 1. */
export function countOption(flags: string, what: string, max: number): Option {
  return new Option(flags, what).argParser((text) => whole(text, max));
}

/** Adds the options of every command that talks to a running system. */
export function remote(command: Command): Command {
  return command
    .addOption(fromEnv("--url <url>", "where the system answers; else run.json of the state folder says it", "TROUPE_URL"))
    .addOption(fromEnv("--token <token>", "the bearer token; else APP_API_TOKEN", "TROUPE_TOKEN"))
    .addOption(stateOption())
    .addOption(durationOption("--patience <time>", "how long a system that is not ready is asked again").default(PATIENCE_MS, "2s"))
    .addOption(jsonOption());
}

/** A client of the running system that the options name. */
export async function clientOf(options: RemoteOptions, lifetime: Lifetime): Promise<Client> {
  const url = options.url ?? (await readRunRecord(resolve(options.state)))?.url ?? URL_DEFAULT;
  if (!URL.canParse(url)) throw new CliError("USAGE", `${JSON.stringify(url)} is no URL.`, "Give it as http://host:port.");
  const token = options.token ?? process.env["APP_API_TOKEN"];
  return connect({ url, token: token === "" ? undefined : token, patienceMs: options.patience, signal: lifetime.signal });
}

/** For a command that only looks at a process: Ctrl-C ends the command, and the process goes on. */
export function goesOn(what: string, id: string): Interruption {
  return { text: (signal) => `${signal}: stopped watching; ${what} goes on. Look at it: troupe show ${id}` };
}

function port(text: string): number {
  return whole(text, PORT_MAX);
}

function whole(text: string, max: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1 || value > max) throw new InvalidArgumentError(`a number from 1 to ${max} is expected`);
  return value;
}

function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError("a time such as 500ms, 30s, 5m, 2h or 7d is expected");
  return ms;
}
