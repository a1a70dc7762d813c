/** @module Reads JSON from the command line, a file or standard input. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { isFault, type Json } from "../runtime/faults.ts";
import { parseJsonText } from "../runtime/json-text.ts";
import { messageOf } from "./dapr/problem.ts";
import { CliError } from "./text/problem.ts";
import { decodeText } from "./text/decode.ts";

/** Reads `'<json>'`, `@file` or `-` (standard input). @throws USAGE with what is wrong and where */
export async function readInput(given: string): Promise<Json> {
  const content = given === "-" ? await text(process.stdin) : given.startsWith("@") ? await fileText(given.slice(1)) : given;
  const where = given === "-" ? "standard input" : given.startsWith("@") ? given.slice(1) : "the input";
  try {
    return parseJsonText(content, where);
  } catch (error) {
    const hasPlace = isFault(error) && error.details !== undefined;
    throw new CliError(
      "USAGE",
      `${messageOf(error)}.`,
      hasPlace ? "Fix it at that place." : `Quote it for the shell: '{"wish":"snow"}'; or give @file, or - for standard input.`,
      error,
    );
  }
}

async function fileText(path: string): Promise<string> {
  return readFile(path).then(decodeText, (error: unknown) => {
    throw new CliError(
      "USAGE",
      `${path} cannot be read: ${isAbsent(error) ? "there is no such file" : messageOf(error)}.`,
      "Give the path of a file with JSON after the @.",
      error,
    );
  });
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
