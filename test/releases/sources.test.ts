/** @module Where releases are read from: a file, a key of a configuration store. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sourceOf } from "../../actors/releases/sources.ts";

const none = async (): Promise<ReadonlyMap<string, string>> => new Map();

describe("a file", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "troupe-releases-"))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is read anew each time, also when it is replaced, as YAML and as JSON", async () => {
    const path = join(folder, "releases.yaml");
    const source = sourceOf(path, none);
    expect(source).toMatchObject({ from: "file", place: path });
    await expect(source.read()).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(path, "Refunds: { stable: { prompt: v1 } }");
    expect(source.parse(await source.read())).toEqual({ Refunds: { stable: { prompt: "v1" } } });
    await writeFile(`${path}.next`, '{"Refunds":{"stable":{"prompt":"v2"}}}');
    await rename(`${path}.next`, path);
    expect(source.parse(await source.read())).toEqual({ Refunds: { stable: { prompt: "v2" } } });
    expect(() => source.parse("Refunds: {")).toThrow();
  });
});

describe("a key of a configuration store", () => {
  it("is read each time, and a missing one is told", async () => {
    const values = new Map([["team/releases", "Refunds: { stable: { model: fast } }"]]);
    const asked: string[] = [];
    const source = sourceOf("configuration:settings/team/releases", async (store, keys) => {
      asked.push(`${store} ${keys.join()}`);
      return new Map([...values].filter(([key]) => keys.includes(key)));
    });
    expect(source).toMatchObject({ from: "configuration", place: "key team/releases of configuration store settings" });
    expect(source.parse(await source.read())).toEqual({ Refunds: { stable: { model: "fast" } } });
    values.clear();
    await expect(source.read()).rejects.toMatchObject({ code: "release.invalid", message: "the store has no such key" });
    expect(asked).toEqual(["settings team/releases", "settings team/releases"]);
  });
});
