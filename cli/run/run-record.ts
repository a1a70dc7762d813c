/** @module `run.json` in the state folder: where a running system answers, for the commands that talk to it. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Run } from "./run.ts";

const File = z.looseObject({ url: z.string(), pid: z.int(), appId: z.string() });

/** A running system as its run wrote it down. */
export interface RunRecord {
  /** Where the HTTP API answers. */
  readonly url: string;
  /** The process of the command that runs it. */
  readonly pid: number;
  /** The app's id in Dapr. */
  readonly appId: string;
}

/** Writes down a run of this process, by its first app. */
export async function recordRun(dir: string, { units }: Run): Promise<void> {
  const [first] = units;
  if (first !== undefined) await writeRunRecord(dir, { url: first.url, pid: process.pid, appId: first.appId });
}

/** Writes the record, whole or not at all. */
export async function writeRunRecord(dir: string, record: RunRecord): Promise<void> {
  await mkdir(dir, { recursive: true });
  const temporary = `${pathIn(dir)}.${randomUUID()}`;
  await writeFile(temporary, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(temporary, pathIn(dir));
}

/** The record of a run that lives; `undefined` when there is none, or its process is gone. */
export async function readRunRecord(dir: string): Promise<RunRecord | undefined> {
  try {
    const record = File.parse(JSON.parse(await readFile(pathIn(dir), "utf8")));
    process.kill(record.pid, 0);
    return record;
  } catch {
    // Not there, not readable, or of a run that was killed: nothing runs that we know of.
    return undefined;
  }
}

/** Takes the record away, as a run does when it ends. */
export async function removeRunRecord(dir: string): Promise<void> {
  await rm(pathIn(dir), { force: true });
}

function pathIn(dir: string): string {
  return join(dir, "run.json");
}
