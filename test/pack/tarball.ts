/** @module The package as a user gets it: packed from a copy of this checkout, which stays unchanged, and installed by npm. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NPM_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 16_000_000;
/** Folders that are not required for packing, and take time to copy. */
const NOT_COPIED = /^(test|bench|site|\.ci)\//;

const Packed = z
  .array(
    z.looseObject({
      filename: z.string(),
      version: z.string(),
      size: z.int(),
      unpackedSize: z.int(),
      files: z.array(z.looseObject({ path: z.string() })),
    }),
  )
  .length(1);

export interface Tarball {
  readonly file: string;
  readonly dir: string;
  readonly version: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly paths: readonly string[];
  remove(): Promise<void>;
}

/** The environment of a user with this Node, whichever Node the machine has; nothing of npm's own run leaks in. */
export function userEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|VITEST|INIT_CWD$|OTEL_)/i.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    NO_COLOR: "1",
    NODE_DISABLE_COMPILE_CACHE: "1",
  };
}

/** Runs a program to its end; returns its output. Throws with both streams when it fails. */
export async function program(dir: string, command: string, args: readonly string[], msMax = NPM_MS_MAX): Promise<string> {
  try {
    const { stdout } = await run(command, [...args], { cwd: dir, env: userEnv(), timeout: msMax, maxBuffer: OUTPUT_BYTES_MAX });
    return stdout;
  } catch (error) {
    const said = z.object({ stdout: z.string(), stderr: z.string() }).safeParse(error);
    throw new Error(`${command} ${args.join(" ")} failed:\n${said.success ? said.data.stdout + said.data.stderr : String(error)}`, {
      cause: error,
    });
  }
}

/** Packs this checkout as `npm pack` would in a clone. */
export async function packTarball(): Promise<Tarball> {
  const dir = await mkdtemp(join(tmpdir(), "troupe-pack-"));
  const clone = join(dir, "clone");
  const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  for (const path of stdout.split("\n").filter((name) => name !== "" && !NOT_COPIED.test(name))) {
    await mkdir(dirname(join(clone, path)), { recursive: true });
    await cp(join(ROOT, path), join(clone, path));
  }
  await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
  const [packed] = Packed.parse(JSON.parse(await program(clone, "npm", ["pack", "--json", "--pack-destination", dir])));
  if (packed === undefined) throw new Error("npm packed nothing");
  return {
    file: join(dir, packed.filename),
    dir,
    version: packed.version,
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    paths: packed.files.map(({ path }) => path),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** `npm install`, from npm's cache if it has the packages. */
export async function install(dir: string, ...packages: readonly string[]): Promise<void> {
  await program(dir, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages]);
}
