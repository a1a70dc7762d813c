/** @module A folder as a source of documents. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SourceDefinition } from "../../agents/source.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { ListedDocument } from "../../runtime/memory/compare.ts";
import { folderSource } from "../../sources/index.ts";

let folder = "";
const call = { signal: new AbortController().signal };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-source-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function listOf(source: SourceDefinition): Promise<readonly ListedDocument[]> {
  return (await source.list(undefined, call)) as readonly ListedDocument[];
}

async function idsOf(source: SourceDefinition): Promise<readonly string[]> {
  return (await listOf(source)).map(({ id }) => id);
}

describe("a folder as a source", () => {
  test("lists its text files by their paths, and reads them", async () => {
    await mkdir(join(folder, "rules"));
    await writeFile(join(folder, "rules", "travel.md"), "By train.");
    await writeFile(join(folder, "a.txt"), "A");
    await writeFile(join(folder, "picture.png"), "");
    const source = folderSource("handbook", folder);
    expect(await idsOf(source)).toEqual(["a.txt", "rules/travel.md"]);
    expect(await source.read("rules/travel.md", call)).toBe("By train.");
    expect(await idsOf(folderSource("handbook", pathToFileURL(folder), { endings: [".png"] }))).toEqual(["picture.png"]);
  });

  test("leaves out hidden files and symbolic links, which may lead out of it", async () => {
    await mkdir(join(folder, ".git"));
    await writeFile(join(folder, ".git", "a.md"), "hidden");
    await writeFile(join(folder, ".secret.md"), "hidden");
    await writeFile(join(folder, "real.md"), "real");
    await symlink(join(folder, "real.md"), join(folder, "link.md"));
    expect(await idsOf(folderSource("handbook", folder))).toEqual(["real.md"]);
  });

  test("gives a file another version when its content changes, also to one of the same size", async () => {
    const source = folderSource("handbook", folder);
    await writeFile(join(folder, "a.md"), "one");
    const before = await listOf(source);
    expect(await listOf(source)).toEqual(before);
    await rm(join(folder, "a.md"));
    await writeFile(join(folder, "a.md"), "two");
    expect(await listOf(source)).not.toEqual(before);
  });

  test("a file that has gone between the listing and the reading has no content", async () => {
    expect(await folderSource("handbook", folder).read("gone.md", call)).toBeUndefined();
  });

  test("a large file is several documents that together are the file, each small enough for a fact", async () => {
    const line = `${"a word and another ".repeat(20)}\n`;
    const text = line.repeat(Math.ceil((2.5 * LIMITS.factBytesMax) / line.length));
    await writeFile(join(folder, "large.md"), text);
    await writeFile(join(folder, "one-line.md"), "é".repeat(LIMITS.factBytesMax));
    const source = folderSource("handbook", folder);
    const ids = await idsOf(source);
    expect(ids.slice(0, 2)).toEqual(["large.md", "large.md#2"]);
    const parts = await Promise.all(ids.map(async (id) => [id, String(await source.read(id, call))] as const));
    for (const [, part] of parts) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(LIMITS.factBytesMax);
    const joined = (name: string): string =>
      parts
        .filter(([id]) => id.startsWith(name))
        .map(([, part]) => part)
        .join("");
    expect(joined("large.md")).toBe(text);
    expect(joined("one-line.md")).toBe("é".repeat(LIMITS.factBytesMax));
    expect(await source.read("large.md#99", call)).toBeUndefined();
  });

  test("a folder that is not there cannot be listed, so it does not look empty", async () => {
    await expect(listOf(folderSource("handbook", join(folder, "none")))).rejects.toThrow("ENOENT");
  });

  test.each([
    ["an empty path", () => folderSource("handbook", "")],
    ["an unknown option", () => folderSource("handbook", "x", { ending: ".md" } as object)],
    ["no endings", () => folderSource("handbook", "x", { endings: [] })],
    ["a pause that is too short", () => folderSource("handbook", "x", { everyMs: 1 })],
    ["a name that is none", () => folderSource("hand book", "x")],
  ])("%s is a wrong definition", (_what, define) => {
    expect(define).toThrow(expect.objectContaining({ code: "definition.invalid" }));
  });
});
