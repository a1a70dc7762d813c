/**
 * @module The log that hosts write to: the part of pino's interface that is used.
 */

/** Fields of a line: ids, codes, an error as `err`. Never what a task is about. */
export type LogFacts = Readonly<Record<string, unknown>>;

/**
 * Where a host logs to. A pino logger is one; so is {@link consoleLogger}, and an adapter of four functions over any other.
 * A method must not throw.
 */
export interface Logger {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

/** Discards everything. */
export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** What `console` is to {@link consoleLogger}. */
export type Printer = { readonly [Level in (typeof LEVELS)[number]]: (message: string, facts: LogFacts) => void };

/** Logs to the console from a level on, the message first: `consoleLogger(console, "warn")`. Default: from `info` on. */
export function consoleLogger(printer: Printer, from: (typeof LEVELS)[number] = "info"): Logger {
  const level = (name: (typeof LEVELS)[number]): ((facts: LogFacts, message: string) => void) =>
    LEVELS.indexOf(name) < LEVELS.indexOf(from) ? () => {} : (facts, message) => printer[name](message, facts);
  return { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
}
