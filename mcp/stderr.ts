/** @module The error stream of a server's process as lines of a log: bounded in length and number, hidden characters escaped. */
import { LIMITS } from "../runtime/limits.ts";
import { MINUTE_MS } from "../runtime/units.ts";
import { visibleLine } from "./visible.ts";

/** Cuts a stream into lines. */
export class StderrLines {
  readonly #write: (line: string) => void;
  #rest = "";
  #minute = 0;
  #written = 0;
  #last = "";

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** The last line, for messages about the end of the process. */
  get last(): string {
    return this.#last;
  }

  push(chunk: string, nowMs: number): void {
    const lines = `${this.#rest}${chunk}`.split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, LIMITS.mcpTextLengthMax + 1);
    for (const line of lines) this.#line(line, nowMs);
  }

  /** The stream has ended. */
  end(nowMs: number): void {
    if (this.#rest !== "") this.#line(this.#rest, nowMs);
    this.#rest = "";
  }

  #line(text: string, nowMs: number): void {
    const line = visibleLine(text.trimEnd(), LIMITS.mcpTextLengthMax);
    if (line === "") return;
    this.#last = line;
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#minute) {
      const left = this.#written - LIMITS.mcpStderrLinesMax;
      if (left > 0) this.#write(`${left} further lines were left out`);
      this.#minute = minute;
      this.#written = 0;
    }
    this.#written += 1;
    if (this.#written <= LIMITS.mcpStderrLinesMax) this.#write(line);
  }
}
