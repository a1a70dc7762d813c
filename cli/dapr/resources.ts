/** @module The Dapr resource files of one run, made from the templates in `components/`. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

/** Writes the Dapr Configuration of a run and returns its path. */
export async function writeConfiguration(dir: string): Promise<string> {
  const path = join(dir, "configuration.yaml");
  await mkdir(dir, { recursive: true });
  await writeFile(path, stringify({
    apiVersion: "dapr.io/v1alpha1",
    kind: "Configuration",
    metadata: { name: "troupe" },
    spec: {
      nameResolution: { component: "sqlite", version: "v1", configuration: { connectionString: `file:${join(dir, "names.db")}` } },
      metric: { enabled: false },
      tracing: { samplingRate: "0" },
    },
  }));
  return path;
}
