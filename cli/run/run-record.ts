/** @module `run.json` in the state folder: tells other commands the address and the tokens of the running system. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { identityOf, isAlive } from "../dapr/identity.ts";
import { makeFolder, requireOwnFolder, writePrivate } from "../dapr/private-files.ts";
import type { Run } from "./run.ts";

const File = z.looseObject({
  url: z.string(),
  pid: z.int(),
  started: z.string(),
  uid: z.int().optional(),
  appId: z.string(),
  appToken: z.string().optional(),
  apiToken: z.string().optional(),
});

/** What a run writes down about its system. */
export interface RunRecord {
  /** The URL of the HTTP API. */
  readonly url: string;
  /** The process id of the command that runs the system. */
  readonly pid: number;
  /** The app's id in Dapr. */
  readonly appId: string;
  /** The token of the app's HTTP API. */
  readonly appToken?: string | undefined;
  /** The token of its daprd. */
  readonly apiToken?: string | undefined;
}

/** Writes the record of a run of this process, with its first app. */
export async function recordRun(dir: string, { units }: Run): Promise<void> {
  const [first] = units;
  if (first === undefined) return;
  const { url, appId, secrets } = first;
  await writeRunRecord(dir, { url, pid: process.pid, appId, appToken: secrets.appToken, apiToken: secrets.apiToken });
}

/** Writes the record atomically. */
export async function writeRunRecord(dir: string, record: RunRecord): Promise<void> {
  makeFolder(dir);
  await writePrivate(runRecordPath(dir), `${JSON.stringify({ ...record, ...identityOf(record.pid) }, undefined, 2)}\n`);
}

/**
 * The record of a running system; `undefined` when there is none, or its process has ended.
 * @throws FOLDER_FOREIGN
 */
export async function readRunRecord(dir: string): Promise<RunRecord | undefined> {
  requireOwnFolder(dir);
  try {
    const record = File.parse(JSON.parse(await readFile(runRecordPath(dir), "utf8")));
    return isAlive(record) ? record : undefined;
  } catch {
    // The file is missing or unreadable.
    return undefined;
  }
}

/** Removes the record. A run does so when it ends. */
export async function removeRunRecord(dir: string): Promise<void> {
  await rm(runRecordPath(dir), { force: true });
}

/** The path of the record. */
export function runRecordPath(dir: string): string {
  return join(dir, "run.json");
}
