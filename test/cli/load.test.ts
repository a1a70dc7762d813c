/** @module What a user's own files may look like: systems that do not load, compiled CommonJS, byte order marks, odd folder names. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sidecarPlan } from "../../cli/dapr/plans.ts";
import { renderResources, writeConfiguration } from "../../cli/dapr/resources.ts";
import { readInput } from "../../cli/input.ts";
import { readRunFile } from "../../cli/run/run-file.ts";
import { TasksFile } from "../../cli/run/tasks-file.ts";
import { ROOT } from "../examples/readme.ts";

let dir = "";
beforeAll(async () => {
  // Inside the project, so that the modules find its packages by name.
  await mkdir(join(ROOT, ".troupe"), { recursive: true });
  dir = await mkdtemp(join(ROOT, ".troupe", "load-"));
});
afterAll(() => rm(dir, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(dir, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** What the command says of a system, in a process of its own: a test runner loads modules in another way than Node does. */
function graphOf(path: string): Promise<string> {
  const main = join(ROOT, "cli/main.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [main, "graph", "show", path], (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

/** What `tsc` with `module: commonjs` makes of a module with a default export. */
const COMPILED = `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const troupe_1 = require("troupe");
const zod_1 = require("zod");
const N = zod_1.z.object({ n: zod_1.z.number() });
const A = (0, troupe_1.contract)("A", 1, { input: N, output: N });
const main = (0, troupe_1.route)("main", 1, N).to("a", A, ({ task }) => task).output(({ a }) => a);
`;
const SYSTEM = `(0, troupe_1.system)("shop", { agents: [(0, troupe_1.agent)(A, { handle: (input) => input })], routes: [main] })`;

describe("a system", () => {
  test.each([
    ["exports.default", `exports.default = ${SYSTEM};`],
    ["module.exports", `module.exports = ${SYSTEM};`],
  ])("compiled to CommonJS with %s is loaded", async (what, end) => {
    const path = await file(`${what}.cjs`, `${COMPILED}${end}\n`);
    expect(await graphOf(path)).toContain("A");
  });

  test.each([
    ["enum.ts", "enum A { b }\nexport default A;", "SYSTEM_LOAD", "write what needs more (enum, namespace) in another way"],
    ["bare.ts", 'import "./agents";', "SYSTEM_LOAD", "Imports name files with their extension"],
    ["absent.ts", 'import "nowhere-installed";', "SYSTEM_LOAD", "npm install"],
    ["export.ts", 'import { nothing } from "troupe";\nexport default nothing;', "SYSTEM_LOAD", "Import what the other module exports"],
    ["page.tsx", "export default 1;", "SYSTEM_LOAD", "Give a module that Node runs"],
    ["throws.ts", 'throw new TypeError("no key");', "SYSTEM_LOAD", "shows the whole error"],
    ["empty.ts", "", "SYSTEM_EXPORT", "export default system("],
    ["number.cjs", "module.exports = 1;", "SYSTEM_EXPORT", "Export what system("],
    ["nested.cjs", 'Object.defineProperty(exports, "__esModule", { value: true });', "SYSTEM_EXPORT", "export default system("],
  ])("%s is refused with what to do", async (name, content, code, fix) => {
    const path = await file(name, content);
    const said = await graphOf(path);
    expect(said).toMatch(new RegExp(`^${code}: .+\\nWhat to do: .+\\n$`));
    expect(said).toContain(fix);
  });

  test("of ES modules in a package of CommonJS is refused with what to do", async () => {
    await file("common/package.json", '{"type":"commonjs"}');
    const path = await file("common/system.ts", 'import "troupe";\nexport default 1;\n');
    expect(await graphOf(path)).toMatch(/^SYSTEM_LOAD: .+\nWhat to do: .+npm pkg set type=module/m);
  });
});

describe("a byte order mark", () => {
  const utf16 = (text: string): Uint8Array => Buffer.from(`\uFEFF${text}`, "utf16le");

  test("before JSON of a task is dropped, also in UTF-16", async () => {
    expect(await readInput(`@${await file("task.json", '\uFEFF{"a":1}')}`)).toEqual({ a: 1 });
    expect(await readInput(`@${await file("task16.json", utf16('{"a":"ü"}'))}`)).toEqual({ a: "ü" });
  });

  test("before the file of open tasks is dropped", async () => {
    await file("tasks.json", '\uFEFF{"v":1,"open":[]}');
    expect(await new TasksFile(dir).open()).toEqual([]);
  });

  test("before a run file and a resource file is dropped", async () => {
    const run = "version: 1\napps:\n  - appDirPath: .\n    appPort: 3000\n    command: [node]\n    resourcesPath: .\n";
    for (const content of [`\uFEFF${run}`, utf16(run)]) {
      const { apps } = await readRunFile(await file("dapr.yaml", content));
      expect(apps.map(({ appPort }) => appPort)).toEqual([3_000]);
    }
    const own = await file("own.yaml", "\uFEFFkind: Configuration\nspec: {}\n");
    await expect(writeConfiguration(join(dir, "written"), own)).resolves.toContain("configuration.yaml");
  });
});

test("a folder whose name has a comma or a quote is one entry of daprd's lists", async () => {
  const resourcesDir = await renderResources("embedded", { dir: join(dir, 'a,b "c"') });
  const ports = { http: 1, grpc: 2, internal: 3 };
  const control = { placement: 4, placementRaft: 11, placementHealth: 5, scheduler: 6, schedulerHealth: 7, etcdClient: 8, etcdPeer: 9 };
  const binaries = { version: "1.18.2", source: "", daprd: "daprd", placement: "placement", scheduler: "scheduler" };
  const options = { appId: "app", appPort: 10, resourcesDir, configFile: "/plain/configuration.yaml" };
  const { args } = sidecarPlan(binaries, control, ports, options, dir);
  expect(args[args.indexOf("--resources-path") + 1]).toBe(`"${dir}/a,b ""c""/resources"`);
  expect(args[args.indexOf("--config") + 1]).toBe("/plain/configuration.yaml");
});
