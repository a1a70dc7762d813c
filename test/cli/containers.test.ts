/** @module The image and the compose file of the starter, without Docker: what they copy, mount and run is there, and is what tests run. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { DAPR_VERSION } from "../../cli/dapr/binaries.ts";
import { sidecarPlan } from "../../cli/dapr/plans.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { document, ROOT, starterFiles } from "../examples/readme.ts";

const STARTER = "create-troupe/template";
const HEALTH_CODE = /HEALTHCHECK .*CMD (\[.*\])/;
/** What `npm install` and `create-troupe` put beside the template. */
const MADE = ["package.json", "package-lock.json", "*.tgz", "node_modules"];
/** How the image names what is built from the sources. */
const APP = "node_modules/troupe/dist/cli/app.js";

const dockerfile = document(`${STARTER}/Dockerfile`);
const Service = z.looseObject({
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(z.string()).optional(),
});
const { services } = z
  .looseObject({ services: z.record(z.string(), Service) })
  .parse(parse(document(`${STARTER}/compose.yaml`), { merge: true }));

describe("the image", () => {
  test("copies only files that a new folder has, or an earlier stage", () => {
    const copies = [...dockerfile.matchAll(/^COPY (--from=\S+ )?(.+)$/gm)].map(([, from, paths = ""]) => ({
      from,
      paths: paths.split(" ").slice(0, -1),
    }));
    expect(copies.length).toBe(3);
    for (const { from, paths } of copies)
      for (const path of paths)
        expect([path, from !== undefined || MADE.includes(path) || existsSync(join(ROOT, STARTER, path))]).toEqual([path, true]);
  });

  test("has the system's files alone: each module that system.ts imports is copied", () => {
    const imports = [...document(`${STARTER}/system.ts`).matchAll(/from "(\.[^"]+)"/g)];
    expect(imports).toEqual([]);
  });

  test("is built in two stages, runs as another user than root, and starts the package's app", () => {
    expect(dockerfile.match(/^FROM node:24-slim/gm)).toHaveLength(2);
    expect(dockerfile.indexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("COPY"));
    expect(dockerfile).toContain(`CMD ["node", "--max-semi-space-size=8", "${APP}", "system.ts"]`);
    expect(existsSync(join(ROOT, "cli/app.ts"))).toBe(true);
  });

  test.each([
    [200, 0],
    [503, 1],
    [undefined, 1],
  ])("its health check of an app that answers %s ends with %s", async (status, code) => {
    const server = createServer((request, response) => response.writeHead(request.url === "/healthz" ? (status ?? 500) : 404).end());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    if (status === undefined) await new Promise((done) => server.close(done));
    const [, ...args] = z.array(z.string()).parse(JSON.parse(HEALTH_CODE.exec(dockerfile)?.[1] ?? "[]"));
    const child = spawn(process.execPath, args, { env: { ...process.env, APP_PORT: String(port) } });
    expect(await new Promise((done) => child.once("close", done))).toBe(code);
    server.close();
  });
});

describe("the compose file", () => {
  const command = (name: string): readonly string[] => services[name]?.command ?? [];

  test("runs the version of Dapr that the command builds", () => {
    for (const name of ["daprd", "placement", "scheduler"]) expect(services[name]?.image).toBe(`daprio/${name}:${DAPR_VERSION}`);
  });

  test("starts daprd with the flags of every other run, and what is mounted there", () => {
    const control = { placement: 1, placementRaft: 2, placementHealth: 3, scheduler: 4, schedulerHealth: 5, etcdClient: 6, etcdPeer: 7 };
    const binaries = { version: DAPR_VERSION, source: "", daprd: "daprd", placement: "placement", scheduler: "scheduler" };
    const options = { appId: "hello", appPort: 3_100, resourcesDir: "/deploy/components", configFile: "/deploy/configuration.yaml" };
    const { args } = sidecarPlan(binaries, control, { http: 3_500, grpc: 8, internal: 9 }, options, ROOT);
    const value = (flag: string): string | undefined => args[args.indexOf(flag) + 1];
    for (const [flag = "", given] of command("daprd")
      .slice(1)
      .map((one) => one.split("="))) {
      expect(args).toContain(flag);
      if (given === undefined || /host-address$/.test(flag)) continue;
      const expected = flag === "--max-body-size" ? `${LIMITS.bodyBytesMax / 2 ** 20}Mi` : value(flag);
      expect([flag, given]).toEqual([flag, expected]);
    }
    for (const flag of args.filter((one) => /^--(app-health|enable-app|resources|config|max-body)/.test(one)))
      expect(command("daprd").map((one) => one.split("=")[0])).toContain(flag);
    expect(services["daprd"]?.volumes).toEqual(["./deploy:/deploy:ro"]);
  });

  test("names addresses at which its services listen", () => {
    expect(command("daprd")).toContain("--placement-host-address=placement:50005");
    expect(command("placement")).toContain("--port=50005");
    expect(command("daprd")).toContain("--scheduler-host-address=scheduler:50006");
    expect(command("scheduler")).toEqual(expect.arrayContaining(["--port=50006", "--override-broadcast-host-port=scheduler:50006"]));
  });

  test("gives app and sidecar the same tokens, and Redis a log that is on the disk", () => {
    expect(Object.keys(services["app"]?.environment ?? {})).toEqual(["APP_API_TOKEN", "DAPR_API_TOKEN"]);
    expect(services["daprd"]?.environment).toEqual(services["app"]?.environment);
    expect(command("redis").join(" ")).toContain("--appendonly yes --appendfsync always");
  });

  test("has the components of the redis profile, at Redis's own address (else: node test/examples/readme.ts)", () => {
    for (const [path, text] of starterFiles()) expect(document(path)).toBe(text);
  });
});
