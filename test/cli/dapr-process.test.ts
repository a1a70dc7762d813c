/** @module Child processes, ports, the folder lock and the resource templates, without Dapr. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { FolderLock } from "../../cli/dapr/lock.ts";
import { Part, type PartPlan } from "../../cli/dapr/part.ts";
import { freePorts, portFree } from "../../cli/dapr/ports.ts";
import { LaunchError } from "../../cli/dapr/problem.ts";
import { Child, groupAlive } from "../../cli/dapr/process.ts";
import { PROFILES, renderResources, writeConfiguration } from "../../cli/dapr/resources.ts";
import { startEmbedded } from "../../cli/run/embedded.ts";
import { startFile } from "../../cli/run/file-run.ts";
import { Lifetime } from "../../cli/run/lifetime.ts";
import type { RunApp } from "../../cli/run/run-file.ts";

/** Of components/embedded: a commit is on the disk before it is answered. */
const PRAGMAS = "?_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-16000)";

/** Longer than a frozen child takes to end on a busy machine. */
const GRACE_MS = 15_000;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "troupe-process-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const shell = (script: string): Promise<Child> => Child.spawn({ name: "sh", command: "/bin/sh", args: ["-c", script] });

describe("a child", () => {
  test("is read line by line, also without a last newline, and keeps the last 200 lines", async () => {
    const lines: string[] = [];
    const child = await Child.spawn({
      name: "sh",
      command: "/bin/sh",
      args: ["-c", "seq 1 300; printf end"],
      onLine: (line) => lines.push(line),
    });
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(lines).toHaveLength(301);
    expect(child.tail).toHaveLength(200);
    expect(child.tail.at(-1)).toBe("end");
  });

  test("a line without an end does not fill the memory", async () => {
    const child = await shell("head -c 1000000 /dev/zero | tr '\\0' x");
    await child.exited;
    for (const line of child.tail) expect(line.length).toBeLessThanOrEqual(8_192);
  });

  test("stop ends its children too, also when they ignore SIGTERM or are frozen", async () => {
    const stubborn = await shell(`trap "" TERM; (trap "" TERM; sleep 60) & wait; sleep 60`);
    const frozen = await shell("sleep 60 & wait");
    frozen.kill("SIGSTOP");
    await Promise.all([stubborn.stop(200), frozen.stop(GRACE_MS)]);
    expect([stubborn, frozen].map((child) => groupAlive(child.pid))).toEqual([false, false]);
    expect((await frozen.exited).signal).toBe("SIGTERM");
  });

  test("what an ended leader started is ended too, and its end is told", async () => {
    const child = await shell("sleep 60 & echo started; wait");
    await expect.poll(() => child.tail).toEqual(["started"]);
    process.kill(child.pid, "SIGKILL");
    expect((await child.exited).signal).toBe("SIGKILL");
    await expect.poll(() => groupAlive(child.pid)).toBe(false);
  });

  test("a program that does not exist is START_FAILED", async () => {
    await expect(Child.spawn({ name: "nothing", command: join(dir, "absent"), args: [] })).rejects.toMatchObject({ code: "START_FAILED" });
  });
});

describe("a part", () => {
  const plan = (script: string, more: Partial<PartPlan> = {}): PartPlan => ({
    name: "part",
    command: "/bin/sh",
    args: ["-c", script],
    env: process.env,
    ports: [],
    ready: async () => false,
    readyMs: 300,
    graceMs: 500,
    ...more,
  });
  const quiet = { log: () => undefined };

  test("that ends early tells its last lines and what to do", async () => {
    const failure = await new Part(plan("echo the disk is full; exit 3"), quiet).start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(failure).toMatchObject({ code: "START_FAILED", lines: ["the disk is full"] });
    expect(String(failure)).toMatch(/exit code 3[\s\S]*the disk is full[\s\S]*What to do:/);
  });

  test("that is not ready in time is stopped", async () => {
    const part = new Part(plan("sleep 60"), quiet);
    await expect(part.start()).rejects.toMatchObject({ code: "START_TIMEOUT" });
    expect(groupAlive(part.pid)).toBe(false);
  });

  test("whose port is taken says so, from our look or from its own words", async () => {
    await expect(new Part(plan("echo listen tcp: bind: address already in use; exit 1"), quiet).start()).rejects.toMatchObject({
      code: "PORT_TAKEN",
    });
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    expect(await portFree(port)).toBe(false);
    await expect(new Part(plan("sleep 60", { ports: [port] }), quiet).start()).rejects.toMatchObject({
      code: "PORT_TAKEN",
      message: expect.stringContaining(String(port)),
    });
    server.close();
  });

  test("is found before Dapr is started where it is the port of an app", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const none = join(dir, "absent");
    const binaries = { daprd: none, placement: none, scheduler: none, version: "0", source: none };
    const common = { binaries, dir, log: () => undefined, lifetime: new Lifetime(), onExit: () => undefined };
    const taken = { code: "PORT_TAKEN", message: expect.stringContaining(`port ${port} is taken`) };
    await expect(startEmbedded({ ...common, systemFile: "system.ts", appPort: port })).rejects.toMatchObject(taken);
    const absent = { configFile: undefined, httpPort: undefined, grpcPort: undefined, logLevel: undefined };
    const app: RunApp = { appId: "a", dir, appPort: port, command: ["true"], env: {}, resourcesPaths: [], ...absent };
    await expect(startFile({ ...common, apps: [app] })).rejects.toMatchObject(taken);
    server.close();
  });

  test("reports an unexpected end, and not one that was asked for", async () => {
    const ends: string[] = [];
    const part = new Part(plan("sleep 60", { ready: async () => true }), {
      ...quiet,
      onExit: (name, detail) => void ends.push(`${name} ${detail}`),
    });
    await part.start();
    await part.kill("SIGKILL");
    await part.start();
    expect(ends).toEqual([]);
    process.kill(part.pid, "SIGKILL");
    await expect.poll(() => ends).toEqual(["part ended with SIGKILL"]);
    expect(part.running).toBe(false);
  });
});

describe("ports", () => {
  test("are different and outside the range of outgoing connections", async () => {
    const ports = await freePorts(20);
    expect(new Set(ports).size).toBe(20);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });
});

describe("the folder lock", () => {
  test("one of many takers gets it; after release the next; a second release has no effect", async () => {
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.take(dir, () => undefined)));
    const held = takers.flatMap((taker) => (taker.status === "fulfilled" ? [taker.value] : []));
    expect(held).toHaveLength(1);
    for (const taker of takers) if (taker.status === "rejected") expect(taker.reason).toMatchObject({ code: "FOLDER_LOCKED" });
    await held[0]?.release();
    const next = await FolderLock.take(dir, () => undefined);
    await held[0]?.release();
    expect(existsSync(join(dir, "lock"))).toBe(true);
    await next.release();
    expect(await readdir(dir)).toEqual([]);
  });

  test("a dead owner, a reused pid and a broken file do not hold it, and a stranger's process is not ended", async () => {
    const dead = spawnSync("true").pid;
    const stranger = await shell("sleep 60");
    const files = [
      { owner: { name: "troupe", pid: dead, started: "1" }, children: [{ name: "daprd", pid: stranger.pid, started: "1" }] },
      { owner: { name: "troupe", pid: process.pid, started: "1" }, children: [{ name: "daprd", pid: stranger.pid, started: "" }] },
    ].map((file) => JSON.stringify(file));
    for (const text of [...files, "", "{", "null"]) {
      await writeFile(join(dir, "lock"), text);
      await (await FolderLock.take(dir, () => undefined)).release();
    }
    expect(groupAlive(stranger.pid)).toBe(true);
    await stranger.stop();
  });
});

describe("resources", () => {
  const component = z.object({
    kind: z.literal("Component"),
    metadata: z.object({ name: z.string() }),
    spec: z.object({ metadata: z.array(z.object({ name: z.string(), value: z.string() })) }),
  });

  async function entries(file: string): Promise<ReadonlyMap<string, string>> {
    const { spec } = component.parse(parse(await readFile(file, "utf8")));
    return new Map(spec.metadata.map((entry) => [entry.name, entry.value]));
  }

  test.each(PROFILES)("%s has a statestore for actors with keys by name, and topics", async (profile) => {
    const folder = await renderResources(profile, {
      dir,
      redisHost: "127.0.0.1:1234",
      redisPassword: "secret",
      postgresUrl: "postgres://x",
    });
    const state = await entries(join(folder, "statestore.yaml"));
    expect([state.get("keyPrefix"), state.get("actorStateStore")]).toEqual(["name", "true"]);
    expect(state.get(profile === "redis" ? "redisHost" : "connectionString")).toBe(
      { embedded: `file:${join(dir, "state.db")}${PRAGMAS}`, redis: "127.0.0.1:1234", postgres: "postgres://x" }[profile],
    );
    const topics = await entries(join(folder, "pubsub.yaml"));
    if (profile !== "embedded") expect([topics.get("redisHost"), topics.get("redisPassword")]).toEqual(["127.0.0.1:1234", "secret"]);
    expect((await stat(join(folder, "statestore.yaml"))).mode & 0o077).toBe(0);
  });

  test("another profile leaves no file of the one before", async () => {
    await renderResources("redis", { dir });
    const folder = await renderResources("embedded", { dir, sqliteFile: join(dir, "a#b%20?.db") });
    expect(await readdir(folder)).toEqual(["pubsub.yaml", "statestore.yaml"]);
    expect((await entries(join(folder, "statestore.yaml"))).get("connectionString")).toContain("a%23b%2520%3F.db?_pragma");
  });

  test("no resiliency policy reaches actors or apps", async () => {
    for (const profile of PROFILES) {
      const folder = await renderResources(profile, { dir });
      for (const file of await readdir(folder))
        expect(await readFile(join(folder, file), "utf8")).not.toMatch(/actors:|apps:|Default\w*Policy/);
    }
    expect(await readFile(await writeConfiguration(dir), "utf8")).toContain("nameResolution");
  });
});
