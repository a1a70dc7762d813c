/** @module Where releases of prompts and models are read from: a file, a key of a Dapr configuration store, or what a test gives. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { Fault } from "../../runtime/faults.ts";
import type { ReleaseSource } from "../engine/ports.ts";

/** Reads values of a configuration store; those that exist. */
export type ReadSettings = (store: string, keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** A file of YAML or JSON. It is read whole each time, so that it does not matter how it is replaced. */
function fileSource(path: string): ReleaseSource {
  return { from: "file", place: path, read: () => readFile(path, "utf8"), parse: (text): unknown => parse(text) };
}

/** A key of a Dapr configuration store that holds YAML or JSON. */
function configurationSource(store: string, key: string, settings: ReadSettings): ReleaseSource {
  const place = `key ${key} of configuration store ${store}`;
  return {
    from: "configuration",
    place,
    read: async () => {
      const value = (await settings(store, [key])).get(key);
      if (value === undefined) throw new Fault("release.invalid", "the store has no such key");
      return value;
    },
    parse: (text): unknown => parse(text),
  };
}

const CONFIGURATION = /^configuration:([^/]+)\/(.+)$/;

/** The source that a text names: the path of a file, or `configuration:<store>/<key>`. */
export function sourceOf(text: string, settings: ReadSettings): ReleaseSource {
  const [, store, key] = CONFIGURATION.exec(text) ?? [];
  return store === undefined || key === undefined ? fileSource(text) : configurationSource(store, key, settings);
}
