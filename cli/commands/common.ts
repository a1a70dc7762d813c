/** @module Shared by the commands: options, the form of their help, and access to a running system. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, connect } from "../../client/index.ts";
import { durationMs } from "../text/duration.ts";
import type { Interruption, Lifetime } from "../run/lifetime.ts";
import { complain, shownPath } from "../text/output.ts";
import { CliError, EXIT_TEXT } from "../text/problem.ts";
import { ownerOf } from "../run/holders.ts";
import { sendableToken } from "../run/environment.ts";
import { readRunRecord, type RunRecord } from "../run/run-record.ts";

/** What each command gets: the lifetime of the run, and where to put its exit code. */
export interface Context {
  readonly lifetime: Lifetime;
  done(code: number): void;
}

/** Options of every command that talks to a running system. */
export interface RemoteOptions {
  readonly url?: string;
  readonly token?: string;
  readonly state: string;
  /** How long to retry while the system is not reachable or not ready, in milliseconds. */
  readonly patience: number;
  readonly json: boolean;
}

const STATE_DIR = ".troupe";
const UP_PORT = 3_100;
const PORT_MAX = 65_535;
const PATIENCE_MS = 2_000;
const POLL_MS = 50;
const URL_DEFAULT = `http://127.0.0.1:${UP_PORT}`;
const LOOPBACK_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const EXAMPLE_COLUMNS = 40;
/** A fixed width, so that the help is the same text as in docs/cli.md. */
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

/** The description of an option with its choices, default and environment variable. */
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
  return new Option("--state <folder>", "the state folder of the run").default(STATE_DIR);
}

/** `--port`. */
export function portOption(): Option {
  return new Option("--port <number>", "the port of the HTTP API").argParser(port).default(UP_PORT);
}

/** `--model-script`. */
export function modelScriptOption(): Option {
  return new Option("--model-script <file>", "answer with the scripted model of this file (default without a key: model.script.yaml)");
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option("--json", "print JSON instead of text").default(false);
}

/** An option that an environment variable can set too. */
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

/** An option that is an amount of US dollars. */
export function usdOption(flags: string, what: string): Option {
  return new Option(flags, what).argParser(usd);
}

/** Adds the options of every command that talks to a running system. */
export function remote(command: Command): Command {
  return command
    .addOption(fromEnv("--url <url>", "the address of the system (default: that of the run in the state folder)", "TROUPE_URL"))
    .addOption(fromEnv("--token <token>", "the bearer token (default, on this machine: that of the run, or APP_API_TOKEN)", "TROUPE_TOKEN"))
    .addOption(stateOption())
    .addOption(durationOption("--patience <time>", "how long to retry while the system is not ready").default(PATIENCE_MS, "2s"))
    .addOption(jsonOption());
}

/** Says that a listing is incomplete because buckets of its index are broken. */
export function sayBroken(broken: readonly string[] | undefined): void {
  if (broken !== undefined) complain(`Incomplete: ${broken.length} broken buckets of the index are left out; see "troupe doctor".`);
}

/** A client of the running system that the options name. */
export async function clientOf(options: RemoteOptions, lifetime: Lifetime): Promise<Client> {
  const record = await recordOf(resolve(options.state), options, lifetime);
  const url = options.url ?? record?.url ?? URL_DEFAULT;
  if (!URL.canParse(url)) throw new CliError("USAGE", `${JSON.stringify(url)} is not a URL.`, "Give it as http://host:port.");
  const token = options.token ?? localToken(url, record);
  const sent =
    token === undefined || token === "" ? undefined : sendableToken(options.token === undefined ? "APP_API_TOKEN" : "TROUPE_TOKEN", token);
  return connect({ url, token: sent, patienceMs: options.patience, signal: lifetime.signal });
}

/** The token for an address when none is given: that of the run there, or the environment's. It does not leave this machine. */
function localToken(url: string, record: RunRecord | undefined): string | undefined {
  const { origin, hostname } = new URL(url);
  const token = process.env["APP_API_TOKEN"];
  if (LOOPBACK_NAME.test(hostname)) return (record !== undefined && new URL(record.url).origin === origin && record.appToken) || token;
  if (token !== undefined && token !== "")
    complain(`APP_API_TOKEN is not sent to ${origin}, which is not on this machine; --token or TROUPE_TOKEN is.`);
  return undefined;
}

/** The run in the state folder. Waits for one that starts, unless an address is given. */
async function recordOf(dir: string, { url, patience }: RemoteOptions, lifetime: Lifetime): Promise<RunRecord | undefined> {
  const record = url === undefined ? await runIn(dir, patience, lifetime) : await readRunRecord(dir);
  if (record === undefined || (URL.canParse(record.url) && LOOPBACK_NAME.test(new URL(record.url).hostname))) return record;
  throw new CliError(
    "STATE_FOLDER",
    `run.json in ${shownPath(dir)} names ${record.url}, which is not on this machine.`,
    "Remove it, or give --url.",
  );
}

/** The run in a state folder; waits for one that starts. `undefined` when nothing runs there. */
async function runIn(dir: string, patienceMs: number, lifetime: Lifetime): Promise<RunRecord | undefined> {
  const endAtMs = performance.now() + patienceMs;
  for (;;) {
    const owner = await ownerOf(dir);
    const record = await readRunRecord(dir);
    if (record !== undefined || owner === undefined) return record;
    if (performance.now() >= endAtMs)
      throw new CliError(
        "NOT_REACHABLE",
        `process ${owner} starts or stops the system of ${shownPath(dir)}, which takes no calls now.`,
        "Try again in a moment, or with more --patience.",
      );
    await lifetime.orEnd(sleep(POLL_MS));
  }
}

/** For a command that only watches a process: Ctrl-C ends the command, and the process continues. */
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

function usd(text: string): number {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("a number of US dollars such as 0.5 is expected");
  return Number(text);
}
