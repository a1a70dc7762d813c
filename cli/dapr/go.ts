/** @module The Go toolchain for a build: its version, and the environment it runs in. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { LaunchError, systemCode } from "./problem.ts";

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 20_000;
/** Required by go.mod of dapr 1.18.2. */
const GO_MAJOR = 1;
const GO_MINOR_MIN = 26;

const INSTALL =
  `Install Go ${GO_MAJOR}.${GO_MINOR_MIN} or later (https://go.dev/dl/) on PATH, ` +
  "or put Dapr's programs (1.18 or 1.19) into ~/.dapr/bin.";

/**
 * The version of the `go` on PATH, for example `1.26.8`.
 * @throws GO_ABSENT or GO_OLD
 */
export async function goVersion(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const text = await askGo(env);
  const [, major, minor, rest = ""] = /go(\d+)\.(\d+)(\S*)/.exec(text) ?? [];
  const version = major === undefined || minor === undefined ? undefined : `${major}.${minor}${rest}`;
  if (version === undefined || Number(major) < GO_MAJOR || (Number(major) === GO_MAJOR && Number(minor) < GO_MINOR_MIN)) {
    throw new LaunchError({
      code: "GO_OLD",
      what: `building Dapr needs Go ${GO_MAJOR}.${GO_MINOR_MIN} or later; found "${version ?? text.trim()}".`,
      fix: INSTALL,
    });
  }
  return version;
}

/** The environment of the build, without the user's own Go settings, which could change the result. */
export function goEnv(goCache: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    ...env,
    CGO_ENABLED: "0",
    GOOS: "linux",
    GOARCH: "amd64",
    GOCACHE: goCache,
    // Prevents the download of another toolchain that a module asks for.
    GOTOOLCHAIN: "local",
    GOFLAGS: "-mod=readonly",
    GOWORK: "off",
    GO111MODULE: "on",
  };
}

async function askGo(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    // Runs outside of any module, so that no go.mod or go.work applies.
    const { stdout } = await run("go", ["version"], { env: { ...env, GOTOOLCHAIN: "local" }, cwd: tmpdir(), timeout: VERSION_TIMEOUT_MS });
    return stdout;
  } catch (error) {
    const absent = systemCode(error) === "ENOENT";
    throw new LaunchError({
      code: "GO_ABSENT",
      what: absent ? "building Dapr needs Go, and there is no go on PATH." : "building Dapr needs Go, and the go on PATH does not run.",
      fix: INSTALL,
      cause: error,
    });
  }
}
