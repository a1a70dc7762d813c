/** @module `run.json` in the state folder: tells other commands the address of the running system. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Run } from "./run.ts";

const File = z.looseObject({ url: z.string(), pid: z.int(), appId: z.string() });

/** What a run writes down about its system. */
export interface RunRecord {
  /** The URL of the HTTP API. */
  readonly url: string;
  /** The process id of the command that runs the system. */
  readonly pid: number;
  /** The app's id in Dapr. */
  readonly appId: string;
}

/** Writes the record of a run of this process, with its first app. */
export async function recordRun(dir: string, { units }: Run): Promise<void> {
  const [first] = units;
  if (first !== undefined) await writeRunRecord(dir, { url: first.url, pid: process.pid, appId: first.appId });
}

/** Writes the record atomically. */
export async function writeRunRecord(dir: string, record: RunRecord): Promise<void> {
  await mkdir(dir, { recursive: true });
  const temporary = `${pathIn(dir)}.${randomUUID()}`;
  await writeFile(temporary, `${JSON.stringify(record, undefined, 2)}\n`);
  await rename(temporary, pathIn(dir));
}

/** The record of a running system; `undefined` when there is none, or its process has ended. */
export async function readRunRecord(dir: string): Promise<RunRecord | undefined> {
  try {
    const record = File.parse(JSON.parse(await readFile(pathIn(dir), "utf8")));
    process.kill(record.pid, 0);
    return record;
  } catch {
    // The file is missing or unreadable, or its run was killed.
    return undefined;
  }
}

/** Removes the record. A run does so when it ends. */
export async function removeRunRecord(dir: string): Promise<void> {
  await rm(pathIn(dir), { force: true });
}

function pathIn(dir: string): string {
  return join(dir, "run.json");
}
