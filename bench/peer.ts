/** @module Installs Restate for the benchmark on first use, into a package of its own. It is not a dependency of Troupe. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What is installed and where. */
export interface Peer {
  readonly dir: string;
  readonly serverVersion: string;
  readonly sdkVersion: string;
  /** The server's binary itself, without its JavaScript wrapper. */
  readonly server: string;
}

const DIR = fileURLToPath(new URL("./peer/", import.meta.url));
const SERVER = "@restatedev/restate-server";
const SDK = "@restatedev/restate-sdk";

/** The installed peer. Runs `npm ci` when it, or one of its pinned versions, is missing. */
export async function ensurePeer(log: (line: string) => void): Promise<Peer> {
  const wanted = await dependencies();
  if ((await versionOf(SERVER)) !== wanted[SERVER] || (await versionOf(SDK)) !== wanted[SDK]) {
    log(
      `installing Restate ${wanted[SERVER]} from npm into bench/peer/node_modules (225 MB; its licence is BSL ` +
        "1.1; only for this benchmark)",
    );
    await install();
  }
  const serverVersion = await versionOf(SERVER);
  const sdkVersion = await versionOf(SDK);
  if (serverVersion === undefined || sdkVersion === undefined) throw new Error(`npm ci in ${DIR} did not install ${SERVER} and ${SDK}`);
  return {
    dir: DIR,
    serverVersion,
    sdkVersion,
    server: createRequire(join(DIR, "service.js")).resolve(`${SERVER}-${process.platform}-${process.arch}/bin/restate-server`),
  };
}

async function dependencies(): Promise<Readonly<Record<string, string>>> {
  const parsed: unknown = JSON.parse(await readFile(join(DIR, "package.json"), "utf8"));
  if (typeof parsed !== "object" || parsed === null || !("dependencies" in parsed))
    throw new Error(`${DIR}package.json has no dependencies`);
  return parsed.dependencies as Readonly<Record<string, string>>;
}

async function versionOf(name: string): Promise<string | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(DIR, "node_modules", name, "package.json"), "utf8"));
    return typeof parsed === "object" && parsed !== null && "version" in parsed && typeof parsed.version === "string"
      ? parsed.version
      : undefined;
  } catch {
    // Not installed yet.
    return undefined;
  }
}

/** Installs without install scripts: the only one is a telemetry ping of the server's package. */
async function install(): Promise<void> {
  const child = spawn("npm", ["ci", "--ignore-scripts"], {
    cwd: DIR,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, npm_config_workspaces: undefined },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  if (code !== 0) throw new Error(`npm ci in ${DIR} ended with ${code}; the benchmark can run without Restate: --peer none`);
}
