/** @module The logger that the shell writes to: the part of pino's interface that is used, so that tests can replace it. */

/** Fields of a log line: ids, codes, an error. Never payloads. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** The logger's interface; a pino logger satisfies it. */
export interface Logger {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

/** A logger that discards everything. */
export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
