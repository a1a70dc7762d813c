/** @module The starter, as a user gets it: a folder with a system of its own, which installs, passes its test and runs. */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findDapr } from "../../cli/dapr/find.ts";
import { appPort } from "../app-port.ts";
import { Child } from "../../cli/dapr/process.ts";
import { processesOf } from "../cli/command.ts";
import { install, packTarball, program, ROOT, type Tarball, userEnv } from "./tarball.ts";

const PACK_MS = 120_000;
const TEST_MS = 120_000;
const POLL_MS = 100;

const binaries = await findDapr();
let tarball: Tarball;
beforeAll(async () => {
  tarball = await packTarball();
}, PACK_MS);
afterAll(() => tarball.remove());
afterEach(() => {
  for (const { pid } of processesOf(tarball.dir)) process.kill(pid, "SIGKILL");
});

async function emptyFolder(name: string): Promise<string> {
  const dir = join(tarball.dir, name);
  await mkdir(dir);
  return dir;
}

/** Runs `npm start` in the foreground, submits a task by `npm run task` as another terminal would, and ends it by Ctrl-C. */
async function taskInStarter(dir: string, port: number): Promise<{ readonly said: string; readonly text: string }> {
  const lines: string[] = [];
  const child = await Child.spawn({
    name: "user",
    command: "npm",
    args: ["start", "--", "--port", String(port)],
    cwd: dir,
    env: { ...userEnv(), TROUPE_TEST_DIR: tarball.dir },
    onLine: (line) => lines.push(line),
  });
  while (child.running && !lines.some((line) => line.includes("The system takes tasks"))) await sleep(POLL_MS);
  const said = child.running ? await program(dir, "npm", ["run", "task"]) : "";
  // As a terminal does it: to the whole process group.
  if (child.running) process.kill(-child.pid, "SIGINT");
  await child.exited;
  return { said, text: lines.join("\n") };
}

describe("the starter", () => {
  let dir = "";
  beforeAll(async () => {
    // As npm does for `npm create`: the starter's own package is installed, and its program run.
    const home = await emptyFolder("starter");
    await program(join(ROOT, "create-troupe"), "npm", ["pack", "--pack-destination", tarball.dir]);
    const runner = await emptyFolder("runner");
    await install(runner, join(tarball.dir, `create-troupe-${tarball.version}.tgz`));
    await program(home, join(runner, "node_modules/.bin/create-troupe"), ["My App", "--troupe", tarball.file]);
    dir = join(home, "My App");
    await install(dir);
  }, TEST_MS);

  test("its types are correct and its own test passes", { timeout: TEST_MS }, async () => {
    await program(dir, "npm", ["run", "typecheck"]);
    expect(await program(dir, "npm", ["test"])).toMatch(/pass 3\n/);
    expect(z.looseObject({ name: z.string() }).parse(JSON.parse(await readFile(join(dir, "package.json"), "utf8"))).name).toBe("my-app");
    expect(existsSync(join(dir, ".gitignore"))).toBe(true);
  });

  test.skipIf(binaries === undefined)("npm start runs it, and npm run task completes", { timeout: TEST_MS }, async () => {
    const { said, text } = await taskInStarter(dir, await appPort());
    expect(said, text).toContain("Good day, Ada!");
    expect(said, text).toContain("completed");
    expect(processesOf(dir), text).toEqual([]);
  });

  test("it depends on this version, and every release of it has the same number", async () => {
    const version = async (path: string): Promise<unknown> =>
      z.looseObject({ version: z.string() }).parse(JSON.parse(await readFile(join(ROOT, path), "utf8"))).version;
    const template = z
      .looseObject({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(ROOT, "create-troupe/template/package-template.json"), "utf8")));
    expect(template.dependencies["troupe"]).toBe(`^${String(await version("package.json"))}`);
    expect(await version("create-troupe/package.json")).toBe(await version("package.json"));
  });

  test("a folder with content is not touched, and wrong arguments are reported", async () => {
    const used = await emptyFolder("used");
    await cp(join(ROOT, "LICENSE"), join(used, "LICENSE"));
    const bin = join(ROOT, "create-troupe/index.js");
    await expect(program(tarball.dir, process.execPath, [bin, "used"])).rejects.toThrow(
      "FOLDER_USED: used is there already and not empty.\nWhat to do: ",
    );
    await expect(program(tarball.dir, process.execPath, [bin])).rejects.toThrow("USAGE: one folder is expected.\nWhat to do: ");
    await expect(program(tarball.dir, process.execPath, [bin, "a", "--nothing"])).rejects.toThrow(/USAGE: .+\nWhat to do: /);
  });

  test("a tarball that is not there is refused, and no folder is made", async () => {
    const bin = join(tarball.dir, "clone/create-troupe/index.js");
    await expect(program(tarball.dir, process.execPath, [bin, "none", "--troupe", "troupe-9.9.9.tgz"])).rejects.toThrow(
      "TARBALL_ABSENT: there is no troupe-9.9.9.tgz.\nWhat to do: ",
    );
    await expect(program(tarball.dir, process.execPath, [bin, "none"])).rejects.toThrow(
      "TARBALL_ABSENT: the package troupe is on no registry yet",
    );
    expect(existsSync(join(tarball.dir, "none"))).toBe(false);
  });

  test("without --troupe it takes the tarball that the clone packed", async () => {
    const clone = join(tarball.dir, "clone");
    await cp(tarball.file, join(clone, `troupe-${tarball.version}.tgz`));
    await program(tarball.dir, process.execPath, [join(clone, "create-troupe/index.js"), "found"]);
    const manifest = z.looseObject({ dependencies: z.record(z.string(), z.string()) });
    expect(manifest.parse(JSON.parse(await readFile(join(tarball.dir, "found/package.json"), "utf8"))).dependencies["troupe"]).toBe(
      `file:troupe-${tarball.version}.tgz`,
    );
  });

  test("its package holds the program and the template", { timeout: TEST_MS }, async () => {
    const packed = z
      .array(z.looseObject({ files: z.array(z.looseObject({ path: z.string() })) }))
      .parse(JSON.parse(await program(join(ROOT, "create-troupe"), "npm", ["pack", "--dry-run", "--json"])));
    const deploy = ["configuration.yaml", "components/pubsub.yaml", "components/resiliency.yaml", "components/statestore.yaml"];
    const files = [
      ...[".dockerignore", "Dockerfile", "README.md", "compose.yaml", "gitignore", "package-template.json"],
      ...["system.test.ts", "system.ts", "tsconfig.json", ...deploy.map((name) => `deploy/${name}`)],
    ].map((name) => `template/${name}`);
    expect(packed[0]?.files.map(({ path }) => path).toSorted()).toEqual(["README.md", "index.js", "package.json", ...files].toSorted());
  });
});
