/** @module The files that `troupe init` adds to a project: an example system with its test, a dapr.yaml and the resources that it names. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { decodeText } from "../text/decode.ts";
import { messageOf, systemCode } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";

/** What was done about one file. */
export interface Placed {
  readonly path: string;
  readonly made: boolean;
}

/** A project that was given its files. */
export interface Scaffolded {
  readonly files: readonly Placed[];
  /** The path of the system. */
  readonly systemFile: string;
  /** Packages that the project does not depend on yet. */
  readonly lacking: readonly string[];
}

const TEMPLATE = new URL("../../create-troupe/template/", import.meta.url);
const COMPONENTS = new URL("../../components/", import.meta.url);
const APP = "node_modules/troupe/dist/cli/app.js";
const PACKAGES = ["troupe", "zod"];

const Names = z.record(z.string(), z.unknown()).optional();
const Manifest = z.looseObject({ type: z.string().optional(), dependencies: Names, devDependencies: Names });

/**
 * Writes the files that are not there yet; a file that is there stays as it is.
 * @throws PROJECT_ABSENT when the folder has no package.json
 */
export async function scaffold(dir: string): Promise<Scaffolded> {
  const manifest = await manifestOf(dir);
  // In a package of CommonJS only the extension says that a file is an ES module.
  const extension = manifest.type === "module" ? "ts" : "mts";
  const systemFile = `troupe/system.${extension}`;
  const files: Placed[] = [];
  for (const [path, text] of await contents(extension, systemFile)) files.push({ path, made: await place(join(dir, path), text) });
  const known = { ...manifest.dependencies, ...manifest.devDependencies };
  return { files, systemFile, lacking: PACKAGES.filter((name) => !Object.hasOwn(known, name)) };
}

async function manifestOf(dir: string): Promise<z.infer<typeof Manifest>> {
  try {
    return Manifest.parse(JSON.parse(decodeText(await readFile(join(dir, "package.json")))));
  } catch (error) {
    const isAbsent = systemCode(error) === "ENOENT";
    throw new CliError(
      "PROJECT_ABSENT",
      isAbsent ? `there is no package.json in ${dir}.` : `package.json in ${dir} cannot be read: ${messageOf(error).split("\n")[0]}.`,
      isAbsent ? "Go to the folder of your project, or make one there: npm init -y." : "Fix the file.",
      error,
    );
  }
}

/** Path and text of each file. */
async function contents(extension: string, systemFile: string): Promise<readonly (readonly [path: string, text: string])[]> {
  const template = (name: string): Promise<string> => readFile(new URL(name, TEMPLATE), "utf8");
  const system = await template("system.ts");
  const test = (await template("system.test.ts")).replaceAll("./system.ts", `./system.${extension}`);
  const names = (await readdir(fileURLToPath(new URL("redis/", COMPONENTS)))).toSorted();
  const resources = ["configuration.yaml", ...names.map((name) => `redis/${name}`)];
  return [
    [systemFile, system],
    [`troupe/system.test.${extension}`, test],
    ["dapr.yaml", runFile(systemFile)],
    ...(await Promise.all(
      resources.map(async (name) => [`components/${name}`, await readFile(new URL(name, COMPONENTS), "utf8")] as const),
    )),
  ];
}

function runFile(systemFile: string): string {
  return `# With the Dapr CLI and the Redis that \`dapr init\` starts:  dapr run -f .
# Without the Dapr CLI, and with a Redis on port 6379:         npx troupe up -f dapr.yaml
version: 1
common:
  resourcesPaths:
    - components/redis
  configFilePath: components/configuration.yaml
  # Without the check daprd never notices that the app was restarted, and its actors stay unreachable.
  enableAppHealthCheck: true
  appHealthCheckPath: /healthz
  appHealthProbeInterval: 1
  appHealthProbeTimeout: 900
  appHealthThreshold: 3
apps:
  - appID: hello
    appDirPath: .
    appProtocol: http
    appPort: 3100
    daprHTTPPort: 3500
    command: ["node", "--max-semi-space-size=8", "${APP}", "${systemFile}"]
`;
}

async function place(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}
