/** @module Writes the Dapr resource files of a run from the templates in `components/`. */
import { access, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { makeFolder, PRIVATE_FILE_MODE } from "./private-files.ts";
import { LaunchError, messageOf } from "./problem.ts";
import { entryOf } from "../../runtime/entries.ts";
import { decodeText } from "../text/decode.ts";

/** The profiles that have templates. */
export const PROFILES = ["embedded", "redis", "postgres"] as const;

/** Which stores hold state and topics. */
export type Profile = (typeof PROFILES)[number];

/** Values of one run. A value that is left out stays as in the template. */
export interface ResourceValues {
  /** The folder of the run; the files go to `resources/` inside it. */
  readonly dir: string;
  /** The SQLite file of profile `embedded`; by default `state.db` in `dir`. */
  readonly sqliteFile?: string;
  /** `host:port`. */
  readonly redisHost?: string;
  readonly redisPassword?: string;
  /** A PostgreSQL connection string or URL. */
  readonly postgresUrl?: string;
}

const componentSchema = z.looseObject({
  kind: z.literal("Component"),
  spec: z.looseObject({ type: z.string(), metadata: z.array(z.looseObject({ name: z.string(), value: z.string() })) }),
});
const anyResourceSchema = z.looseObject({ kind: z.string() });
const configurationSchema = z.looseObject({ kind: z.literal("Configuration"), spec: z.looseObject({}) });
type Component = z.infer<typeof componentSchema>;

/** Writes the resource files of a run and returns their folder. Files of an earlier run are removed first. */
export async function renderResources(profile: Profile, values: ResourceValues): Promise<string> {
  const target = join(resolve(values.dir), "resources");
  const templates = join(await templatesDir(), profile);
  await rm(target, { recursive: true, force: true });
  makeFolder(target);
  for (const name of (await readdir(templates)).filter((file) => file.endsWith(".yaml")).toSorted()) {
    const resource = await readTemplate(join(templates, name), anyResourceSchema);
    const filled = resource.kind === "Component" ? fill(await readTemplate(join(templates, name), componentSchema), values) : resource;
    await writeFile(join(target, name), stringify(filled), { mode: PRIVATE_FILE_MODE });
  }
  return target;
}

/**
 * Name resolution without network access. Troupe calls no app by name, and daprd's default, mDNS, listens on UDP 5353 of every
 * interface. Of the resolvers in the `stablecomponents` build of dapr 1.18.2 (cmd/daprd/components/nameresolution_*.go) only this
 * one opens no socket: it fills in a template (contrib 1.18.3 nameresolution/kubernetes/kubernetes.go).
 */
const SILENT_NAMES = { component: "kubernetes", version: "v1", configuration: { template: "{{.ID}}.invalid:{{.Port}}" } };

/**
 * Writes the Dapr Configuration of a run and returns its path. A file of the user is copied; name resolution without network
 * access is added unless the file sets one.
 */
export async function writeConfiguration(dir: string, own?: string): Promise<string> {
  const folder = resolve(dir);
  const template = await readTemplate(own ?? join(await templatesDir(), "configuration.yaml"), configurationSchema);
  makeFolder(folder);
  const path = join(folder, "configuration.yaml");
  await writeFile(path, stringify({ ...template, spec: { nameResolution: SILENT_NAMES, ...template.spec } }), { mode: PRIVATE_FILE_MODE });
  return path;
}

function fill(component: Component, values: ResourceValues): Component {
  const metadata = component.spec.metadata.map((entry) => {
    const value = entryOf(changesFor(component.spec.type, values, entry.value), entry.name);
    return value === undefined ? entry : { ...entry, value };
  });
  return { ...component, spec: { ...component.spec, metadata } };
}

/** What a run puts in the place of an entry of a template. The pragmas of SQLite are those of the template. */
function changesFor(type: string, values: ResourceValues, template: string): Readonly<Record<string, string | undefined>> {
  if (type === "state.sqlite") {
    const query = template.includes("?") ? template.slice(template.indexOf("?")) : "";
    return { connectionString: sqliteUrl(values.sqliteFile ?? join(values.dir, "state.db"), query) };
  }
  if (type === "state.postgresql") return { connectionString: values.postgresUrl };
  if (type.endsWith(".redis")) return { redisHost: values.redisHost, redisPassword: values.redisPassword };
  return {};
}

/** A SQLite URL, with special characters encoded. */
function sqliteUrl(file: string, query: string): string {
  const path = resolve(file).replaceAll(/[%?#]/g, (character) => encodeURIComponent(character));
  return `file:${path}${query}`;
}

/** The templates are beside the sources, or one folder further up when this file runs from a build folder. */
async function templatesDir(): Promise<string> {
  const places = ["../../components", "../../../components"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  for (const place of places) {
    const there = await access(join(place, "configuration.yaml")).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  throw new LaunchError({
    code: "RESOURCE_INVALID",
    what: `the folder "components" was found in none of ${places.join(", ")}.`,
    fix: "Install the package again.",
  });
}

async function readTemplate<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(parse(decodeText(await readFile(path))));
  } catch (error) {
    throw new LaunchError({
      code: "RESOURCE_INVALID",
      what: `${path} is not a Dapr resource file: ${messageOf(error)}`,
      fix: "Fix the file, or copy it from the package again.",
      cause: error,
    });
  }
}
