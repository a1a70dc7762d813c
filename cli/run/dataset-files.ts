/** @module The files of a dataset: its manifest, its items, its checks. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Cassette } from "../../runtime/cassette/cassette.ts";
import { Checks, CHECKS_DEFAULT } from "../../runtime/evaluation/checks.ts";
import { Dataset, DATASET_VERSION, type DatasetItem } from "../../runtime/evaluation/dataset.ts";
import { encodeActorId } from "../../runtime/ids.ts";
import { messageOf } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

const MANIFEST = "dataset.json";
const CHECKS = ["checks.yaml", "checks.json"] as const;
const ITEMS = "items";

/** An item with the text of its file. */
export interface WrittenItem {
  readonly item: Omit<DatasetItem, "file" | "sha256">;
  readonly cassette: Cassette;
}

/** Reads the manifest of a dataset; a folder without one is an empty dataset. */
export async function readDataset(folder: string): Promise<Dataset> {
  const text = await textOf(join(folder, MANIFEST));
  if (text === undefined) return { format: "troupe-dataset", v: DATASET_VERSION, name: basename(resolve(folder)), version: 0, items: [] };
  return checked(Dataset, text, join(folder, MANIFEST));
}

/** Writes items of a dataset: first their files, then the manifest. Returns the items as the manifest has them. */
export async function writeItems(
  folder: string,
  items: readonly WrittenItem[],
  next: (items: readonly DatasetItem[]) => Dataset,
): Promise<Dataset> {
  await mkdir(join(folder, ITEMS), { recursive: true });
  const written: DatasetItem[] = [];
  for (const { item, cassette } of items) {
    const text = `${JSON.stringify(cassette, null, 1)}\n`;
    const file = `${ITEMS}/${encodeActorId(item.id)}.json`;
    await put(join(folder, file), text);
    written.push({ ...item, file, sha256: sha256(text) });
  }
  const dataset = next(written);
  await put(join(folder, MANIFEST), `${JSON.stringify(dataset, null, 2)}\n`);
  return dataset;
}

/** Reads the cassette of an item. @throws USAGE if its file is not the one of the manifest */
export async function readItem(folder: string, { id, file, sha256: known }: DatasetItem): Promise<Cassette> {
  const path = join(folder, file);
  const text = await textOf(path);
  if (text === undefined || sha256(text) !== known)
    throw new CliError(
      "USAGE",
      `${path} is not the file of item ${id}: it is gone or was changed.`,
      "Take it back, or add the item again.",
    );
  return checked(Cassette, text, path);
}

/** Reads the checks: of a file, or those beside the dataset; without either the run must complete. */
export async function readChecks(folder: string, file: string | undefined): Promise<Checks> {
  for (const path of file === undefined ? CHECKS.map((name) => join(folder, name)) : [file]) {
    const text = await textOf(path);
    if (text !== undefined) return checked(Checks, text, path);
  }
  if (file !== undefined) throw new CliError("USAGE", `there is no file ${file}.`, "Give the path of a file with checks.");
  return CHECKS_DEFAULT;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A file that is half written is never read. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
}

function checked<T>(schema: z.ZodType<T>, text: string, path: string): T {
  try {
    return schema.parse(path.endsWith(".yaml") ? parse(text) : JSON.parse(text));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const what = issue === undefined ? messageOf(error) : `${issue.path.join(".")}: ${issue.message}`;
    throw new CliError("USAGE", `${path}: ${what}.`, "Fix it at that place; docs/evaluation.md describes the file.", error);
  }
}
