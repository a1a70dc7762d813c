/** @module Finding and building Dapr with fake programs, without a network or Go: versions, progress, interruption, locks, errors. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildDapr, canBuild, ensureDapr } from "../../cli/dapr/build.ts";
import { doctor } from "../../cli/dapr/doctor.ts";
import { cacheDir, findDapr, searchDapr } from "../../cli/dapr/find.ts";
import { FolderLock } from "../../cli/dapr/lock.ts";

let dir = "";
let env: NodeJS.ProcessEnv = {};
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-build-"));
  await mkdir(join(dir, "bin"));
  env = { HOME: dir, PATH: `${join(dir, "bin")}:/usr/bin:/bin`, TROUPE_DAPR_DIR: join(dir, "cache") };
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function script(path: string, body: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

async function dapr(folder: string, version: string): Promise<void> {
  await script(join(folder, "daprd"), `echo ${version}`);
  for (const name of ["placement", "scheduler"]) {
    await script(join(folder, name), `echo 'level=info msg="Starting Dapr Service -- version ${version} -- commit abc"'; exit 1`);
  }
}

/** A `go` that writes down its arguments and makes programs that tell the version given to the linker. */
async function go(options: { readonly version?: string; readonly build?: string } = {}): Promise<void> {
  const make = `for name in daprd placement scheduler; do printf '#!/bin/sh\\necho "1.18.2"\\n' > "$out$name"; done
for name in placement scheduler; do printf '#!/bin/sh\\necho "x -- version 1.18.2 -- commit "\\nexit 1\\n' > "$out$name"; done
chmod +x "$out"*`;
  await script(
    join(dir, "bin", "go"),
    `echo "$@" >> ${join(dir, "calls")}
case "$1" in
version) echo "go version go${options.version ?? "1.26.8"} linux/amd64" ;;
mod) echo "go: downloading github.com/dapr/dapr v1.18.2" >&2; mkdir -p ${join(dir, "module")}; 
  printf '{\\n\\t"Dir": "${join(dir, "module")}"\\n}\\n' ;;
build) pwd >> ${join(dir, "calls")}; echo "GOCACHE=$GOCACHE CGO_ENABLED=$CGO_ENABLED" >> ${join(dir, "calls")}
mkdir -p "$GOCACHE"; touch "$GOCACHE/kept"
while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done
echo "github.com/dapr/kit/logger" >&2
${options.build ?? make} ;;
esac`,
  );
}

describe("finding", () => {
  test("the folder is TROUPE_DAPR_DIR, else XDG_CACHE_HOME, else ~/.cache", () => {
    expect(cacheDir({ TROUPE_DAPR_DIR: "/a" })).toBe("/a");
    expect(cacheDir({ XDG_CACHE_HOME: "/b", HOME: "/c" })).toBe("/b/troupe/dapr/1.18.2");
    expect(cacheDir({ HOME: "/c" })).toBe("/c/.cache/troupe/dapr/1.18.2");
  });

  test("nothing there: undefined, and the missing programs are named", async () => {
    expect(await findDapr(env)).toBeUndefined();
    expect((await searchDapr(env)).missing).toEqual(["daprd", "placement", "scheduler"]);
  });

  test("another version is skipped, and the search goes on", async () => {
    await dapr(join(dir, ".dapr", "bin"), "1.17.0");
    await dapr(join(dir, "cache"), "1.18.2");
    const search = await searchDapr(env);
    expect(search.binaries?.daprd).toBe(join(dir, "cache", "daprd"));
    expect(search.skipped).toContainEqual({
      path: join(dir, ".dapr", "bin", "daprd"),
      found: "1.17.0",
      why: "it is older than 1.18; tested are 1.18 and 1.19. TROUPE_DAPR_VERSION=any takes it",
    });
    expect(search.skipped).toHaveLength(3);
  });

  test("the first tested version that is complete is taken, whichever it is", async () => {
    await dapr(join(dir, "bin"), "1.20.0");
    await dapr(join(dir, ".dapr", "bin"), "1.19.1");
    await dapr(join(dir, "cache"), "1.18.2");
    const search = await searchDapr(env);
    expect(search.binaries).toMatchObject({ version: "1.19.1", daprd: join(dir, ".dapr", "bin", "daprd") });
    expect(search.binaries).not.toHaveProperty("untested");
    expect(search.skipped.map(({ found, why }) => `${found}: ${why}`)).toContain("1.20.0: another version goes before it");
  });

  test("programs of two versions do not go together", async () => {
    await dapr(join(dir, "bin"), "1.19.1");
    await rm(join(dir, "bin", "scheduler"));
    await dapr(join(dir, "cache"), "1.18.2");
    await rm(join(dir, "cache", "daprd"));
    const search = await searchDapr(env);
    expect(search.binaries).toBeUndefined();
    expect(search.skipped.map(({ found, why }) => `${found}: ${why}`)).toEqual(
      expect.arrayContaining(["1.19.1: scheduler of this version is missing", "1.18.2: daprd of this version is missing"]),
    );
  });

  test("a newer version alone is taken with a warning, and is refused where the check is strict", async () => {
    await dapr(join(dir, "bin"), "1.20.3");
    expect((await findDapr(env))?.untested).toBe("it is newer than the tested 1.18 and 1.19. TROUPE_DAPR_VERSION=strict refuses it");
    const lines: string[] = [];
    await ensureDapr((line) => lines.push(line), env);
    expect(lines.join()).toContain("Dapr 1.20.3");
    expect(await findDapr({ ...env, TROUPE_DAPR_VERSION: "strict" })).toBeUndefined();
  });

  test.each(["edge", "2.0.0", "1.17.9"])("%s is taken only where the check is off", async (version) => {
    await dapr(join(dir, "bin"), version);
    expect(await findDapr(env)).toBeUndefined();
    expect((await findDapr({ ...env, TROUPE_DAPR_VERSION: "any" }))?.version).toBe(version);
    await expect(findDapr({ ...env, TROUPE_DAPR_VERSION: "all" })).rejects.toMatchObject({ code: "dapr.version" });
  });

  test("daprd of one folder goes with placement and scheduler of another", async () => {
    await dapr(join(dir, "bin"), "1.18.2");
    await rm(join(dir, "bin", "placement"));
    await dapr(join(dir, "cache"), "1.18.2");
    const found = await findDapr(env);
    expect(found).toMatchObject({
      daprd: join(dir, "bin", "daprd"),
      placement: join(dir, "cache", "placement"),
      scheduler: join(dir, "bin", "scheduler"),
    });
  });

  test("a program named scheduler on PATH without a daprd beside it is never run", async () => {
    await script(join(dir, "bin", "scheduler"), `touch ${join(dir, "was-run")}`);
    await findDapr(env);
    expect(existsSync(join(dir, "was-run"))).toBe(false);
  });

  test("a program that does not run is skipped", async () => {
    await dapr(join(dir, "cache"), "1.18.2");
    await script(join(dir, "cache", "placement"), "exit 127");
    expect((await searchDapr(env)).missing).toEqual(["placement"]);
  });
});

describe.skipIf(!canBuild())("building", () => {
  test("builds in the module's own folder, tells the needs and the progress, leaves only the programs", async () => {
    await go();
    const lines: string[] = [];
    const built = await ensureDapr((line) => lines.push(line), env);
    expect(built.daprd).toBe(join(dir, "cache", "daprd"));
    expect(await readdir(join(dir, "cache"))).toEqual(["daprd", "placement", "scheduler"]);
    const calls = await readFile(join(dir, "calls"), "utf8");
    expect(calls).toContain("build -v -tags stablecomponents -ldflags -s -w -X github.com/dapr/dapr/pkg/buildinfo.version=1.18.2 -o");
    expect(calls).toContain(`${join(dir, "module")}\nGOCACHE=${join(dir, "cache", "gocache")} CGO_ENABLED=0`);
    expect(lines.join("\n")).toMatch(/4 minutes on 2 cores, 3\.00 GB .* 0\.25 GB/);
    expect(lines.join("\n")).toMatch(/compiling, 0m0\ds, 1 modules downloaded/);
    expect(lines.at(-1)).toContain("1 packages");
    // The second time nothing is built.
    await rm(join(dir, "calls"));
    await ensureDapr(() => undefined, env);
    expect(existsSync(join(dir, "calls"))).toBe(false);
  });

  test("a failed build tells the last lines, leaves no program and keeps its cache for the next try", async () => {
    await go({ build: `echo half > "$out"daprd; echo "x.go:1: cannot find things" >&2; exit 1` });
    const failed = buildDapr(() => undefined, env);
    await expect(failed).rejects.toMatchObject({ code: "BUILD_FAILED" });
    await expect(failed).rejects.toThrow(/cannot find things/);
    expect(existsSync(join(dir, "cache", "daprd"))).toBe(false);
    expect(existsSync(join(dir, "cache", "lock"))).toBe(false);
    expect(existsSync(join(dir, "cache", "gocache", "kept"))).toBe(true);
    await go();
    await buildDapr(() => undefined, env);
    expect(await readdir(join(dir, "cache"))).toEqual(["daprd", "placement", "scheduler"]);
  });

  test("a program with another version is not installed", async () => {
    await go({
      build: `for name in daprd placement scheduler; do printf '#!/bin/sh\\necho edge\\n' > "$out$name"; chmod +x "$out$name"; done`,
    });
    await expect(buildDapr(() => undefined, env)).rejects.toThrow(/the built daprd says "edge"/);
    expect(existsSync(join(dir, "cache", "daprd"))).toBe(false);
  });

  test("a second builder waits and takes what the first one built", async () => {
    await go();
    const cache = join(dir, "cache");
    const lock = await FolderLock.take(cache, () => undefined);
    const lines: string[] = [];
    const waiting = buildDapr((line) => lines.push(line), env);
    await expect.poll(() => lines.join()).toContain("another process is building");
    await dapr(cache, "1.18.2");
    await lock.release();
    expect((await waiting).daprd).toBe(join(cache, "daprd"));
    expect(await readFile(join(dir, "calls"), "utf8")).not.toContain("build");
  });

  test("Go absent or too old: what to do", async () => {
    await expect(buildDapr(() => undefined, { ...env, PATH: join(dir, "bin") })).rejects.toMatchObject({
      code: "GO_ABSENT",
      fix: expect.stringContaining("Install Go 1.26"),
    });
    await go({ version: "1.25.3" });
    await expect(buildDapr(() => undefined, env)).rejects.toMatchObject({
      code: "GO_OLD",
      message: expect.stringContaining('found "1.25.3"'),
    });
  });
});

describe("doctor", () => {
  test("names every check, and says what to do where something is missing", async () => {
    const checks = await doctor({ ...env, PATH: join(dir, "bin") });
    expect(checks.map((check) => check.name)).toEqual([
      "node",
      "system",
      "dapr",
      "go",
      "disk",
      "ports",
      "redis-server",
      "redis",
      "postgres",
    ]);
    const bad = checks.filter((check) => !check.ok);
    expect(bad.map((check) => check.name)).toEqual(expect.arrayContaining(["dapr", "go"]));
    for (const check of bad) expect(check.fix).toBeTruthy();
  });

  test("Go is not asked for when Dapr is there", async () => {
    await dapr(join(dir, "cache"), "1.18.2");
    const checks = await doctor({ ...env, PATH: join(dir, "bin") });
    expect(checks.find((check) => check.name === "dapr")).toMatchObject({ ok: true });
    expect(checks.find((check) => check.name === "go")).toMatchObject({ ok: true });
  });
});
