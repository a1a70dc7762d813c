/** @module Reads JSON from the command line, a file or standard input. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Json } from "../runtime/faults.ts";
import { messageOf } from "./dapr/problem.ts";
import { CliError } from "./text/problem.ts";
import { decodeText } from "./text/decode.ts";

/** Reads `'<json>'`, `@file` or `-` (standard input). @throws USAGE with what is wrong and where */
export async function readInput(given: string): Promise<Json> {
  const content = given === "-" ? await text(process.stdin) : given.startsWith("@") ? await fileText(given.slice(1)) : given;
  try {
    return JSON.parse(content) as Json;
  } catch (error) {
    const where = given === "-" ? "standard input" : given.startsWith("@") ? given.slice(1) : "the input";
    throw new CliError(
      "USAGE",
      `${where} is not JSON: ${messageOf(error)}.`,
      `Quote it for the shell: '{"wish":"snow"}'; or give @file, or - for standard input.`,
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
