/** @module Reads a Dapr multi-app run file (`dapr.yaml`) as the Dapr CLI does, and warns of keys that are not used here. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf } from "../dapr/problem.ts";
import { CliError } from "../text/problem.ts";
import { decodeText } from "../text/decode.ts";

const PORT_MAX = 65_535;
const Port = z.int().min(1).max(PORT_MAX);
const Env = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

/** Keys allowed in `common` and in an app. Other keys of the Dapr CLI cause a warning and are not used. */
const shared = {
  resourcesPath: z.string().optional(),
  resourcesPaths: z.array(z.string()).optional(),
  configFilePath: z.string().optional(),
  appProtocol: z.literal("http", "only http is supported").optional(),
  appHealthCheckPath: z.literal("/healthz", "only /healthz is supported").optional(),
  env: Env.optional(),
  logLevel: z.enum(["debug", "info", "warn", "error"]).optional(),
};
const Common = z.looseObject(shared);
const App = z.looseObject({
  ...shared,
  appID: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, "an app id has 1 to 64 characters A-Z a-z 0-9 -")
    .optional(),
  appDirPath: z.string(),
  appPort: Port,
  command: z.array(z.string()).min(1),
  daprHTTPPort: Port.optional(),
  daprGRPCPort: Port.optional(),
});
const RunFile = z.looseObject({ version: z.literal(1), common: Common.optional(), apps: z.array(App).min(1) });

/** Keys without a warning, because this is done anyway: daprd probes /healthz every second. */
const GIVEN = ["enableAppHealthCheck", "appHealthProbeInterval", "appHealthProbeTimeout", "appHealthThreshold"];

/** An app of a run file, with what `common` adds, and absolute paths. */
export interface RunApp {
  readonly appId: string;
  readonly dir: string;
  readonly appPort: number;
  readonly command: readonly string[];
  readonly resourcesPaths: readonly string[];
  readonly configFile: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly httpPort: number | undefined;
  readonly grpcPort: number | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | undefined;
}

export interface RunPlan {
  readonly apps: readonly RunApp[];
  /** One line for each key of the file that is not used. */
  readonly warnings: readonly string[];
}

/**
 * Reads a run file.
 * @throws RUN_FILE with the path in the file and what is expected there
 */
export async function readRunFile(file: string): Promise<RunPlan> {
  const path = resolve(file);
  let content: unknown;
  try {
    content = parse(decodeText(await readFile(path)));
  } catch (error) {
    throw new CliError("RUN_FILE", `${file} cannot be read: ${messageOf(error).split("\n")[0]}`, "Give the path of a dapr.yaml.", error);
  }
  return runPlan(content, file, dirname(path));
}

/** The plan of a parsed run file. Relative paths of `common` start at the file's folder, those of an app at its own folder. */
export function runPlan(content: unknown, file: string, base: string): RunPlan {
  const parsed = RunFile.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CliError(
      "RUN_FILE",
      `${file}: ${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is not well formed"}.`,
      "See https://docs.dapr.io, multi-app run template file.",
    );
  }
  const { common = {}, apps } = parsed.data;
  const planned = apps.map((app, index) => planApp(app, common, base, `app-${index + 1}`));
  requireDistinct(planned, file);
  requireBothTokens(planned, file);
  return { apps: planned, warnings: warningsOf(parsed.data, file) };
}

type Shared = z.infer<typeof Common>;

function planApp(app: z.infer<typeof App>, common: Shared, base: string, name: string): RunApp {
  const dir = resolve(base, app.appDirPath);
  const own = resourcesOf(app).map((path) => resolve(dir, path));
  const given = resourcesOf(common).map((path) => resolve(base, path));
  const configFile =
    app.configFilePath !== undefined
      ? resolve(dir, app.configFilePath)
      : common.configFilePath !== undefined
        ? resolve(base, common.configFilePath)
        : undefined;
  return {
    appId: app.appID ?? name,
    dir,
    appPort: app.appPort,
    command: app.command,
    resourcesPaths: [...own, ...given],
    configFile,
    env: { ...common.env, ...app.env },
    httpPort: app.daprHTTPPort,
    grpcPort: app.daprGRPCPort,
    logLevel: app.logLevel ?? common.logLevel,
  };
}

function resourcesOf({ resourcesPath, resourcesPaths }: Shared): readonly string[] {
  return resourcesPaths ?? (resourcesPath === undefined ? [] : [resourcesPath]);
}

function requireDistinct(apps: readonly RunApp[], file: string): void {
  for (const [index, app] of apps.entries()) {
    const wrong = (what: string): CliError =>
      new CliError("RUN_FILE", `${file}: apps.${index}: ${what}.`, "Give every app an appID and an appPort of its own.");
    if (apps.findIndex((other) => other.appId === app.appId) !== index) throw wrong(`there are two apps with the id ${app.appId}`);
    if (apps.findIndex((other) => other.appPort === app.appPort) !== index) throw wrong(`there are two apps on port ${app.appPort}`);
    if (app.resourcesPaths.length === 0) throw wrong(`${app.appId} has no resourcesPaths, and common has none either`);
  }
}

/** An app that has its daprd send a token is not closed while its daprd takes the calls of everyone. */
function requireBothTokens(apps: readonly RunApp[], file: string): void {
  for (const [index, { appId, env }] of apps.entries())
    if (env["APP_API_TOKEN"] && !env["DAPR_API_TOKEN"] && !process.env["DAPR_API_TOKEN"])
      throw new CliError(
        "RUN_FILE",
        `${file}: apps.${index}: ${appId} has APP_API_TOKEN and no DAPR_API_TOKEN, so everyone who reaches its daprd could call it.`,
        "Set both in env, or neither: then `troupe up` makes random ones.",
      );
}

function warningsOf(file: z.infer<typeof RunFile>, name: string): readonly string[] {
  const found: string[] = [];
  const look = (value: object, known: readonly string[], place: string): void => {
    for (const key of Object.keys(value))
      if (!known.includes(key) && !GIVEN.includes(key)) found.push(`${name}: ${place}${key} is not used here`);
  };
  look(file, ["version", "common", "apps", "name"], "");
  look(file.common ?? {}, Object.keys(shared), "common.");
  for (const [index, app] of file.apps.entries()) look(app, Object.keys(App.shape), `apps.${index}.`);
  return found;
}
