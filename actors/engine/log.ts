/**
 * @module The log that the shell writes to: the part of pino's interface that is used, so that tests can read it.
 */

/** Fields of a line: ids, codes, an error. Never what a task is about. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** Where the shell logs to; a pino logger fits. */
export interface Logger {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

/** For runs that nobody listens to. */
export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
