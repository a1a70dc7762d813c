/** @module The log file of a run: every line of every part, in the state folder, up to a maximum size. */
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { PRIVATE_FILE_MODE } from "../dapr/private-files.ts";
import { makeStateFolder } from "./state-folder.ts";

/** Maximum size of the log file. Error messages do not depend on it: the last lines of each part are kept in memory. */
const LOG_BYTES_MAX = 64 * 1_024 * 1_024;

/** Writes `run.log`. Each run starts an empty one. */
export class RunLog {
  readonly path: string;
  readonly #stream: WriteStream;
  #bytes = 0;

  constructor(dir: string) {
    makeStateFolder(dir);
    this.path = join(dir, "run.log");
    this.#stream = createWriteStream(this.path, { flags: "w", mode: PRIVATE_FILE_MODE });
    // A full disk must not end the run: the log is only a help.
    this.#stream.on("error", () => undefined);
  }

  readonly write = (source: string, line: string): void => {
    if (this.#bytes > LOG_BYTES_MAX) return;
    const text = `[${source}] ${line}\n`;
    this.#bytes += Buffer.byteLength(text);
    this.#stream.write(this.#bytes > LOG_BYTES_MAX ? "[troupe] the log is full and ends here\n" : text);
  };

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }
}
