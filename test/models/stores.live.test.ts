/** @module Keys from a secret store and settings from a configuration store of a real daprd. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LogFacts, SILENT } from "../../actors/engine/log.ts";
import { systemClock } from "../../actors/engine/system-clock.ts";
import { userValues } from "../../actors/dapr/user-values.ts";
import { Gateway } from "../../actors/gateway/gateway.ts";
import { configuration, openai, secret } from "../../agents/index.ts";
import { Cluster, findDapr, findRedis, type RedisStore, type Sidecar, startRedis } from "../../cli/dapr/index.ts";
import { ask } from "../../cli/dapr/stores.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { stream } from "./shape-parts.ts";
import { startServer, type TestServer } from "./server.ts";

const START_MS = 90_000;
const READY_MS = 60_000;
const KEY = "the-key-of-the-vault";
const REQUEST = { messages: [{ role: "user", text: "Hello?" }], tools: [], toolChoice: "auto", outputTokensMax: 10 } as const;

const component = (name: string, type: string, metadata: Readonly<Record<string, string>>): string => {
  const items = Object.entries(metadata).map(([key, value]) => `{ name: ${key}, value: ${JSON.stringify(value)} }`);
  return [
    "apiVersion: dapr.io/v1alpha1",
    "kind: Component",
    `metadata: { name: ${name} }`,
    `spec: { type: ${type}, version: v1, metadata: [${items.join(", ")}] }`,
    "",
  ].join("\n");
};

const binaries = await findDapr();
const redisProgram = await findRedis();
const missing = binaries === undefined || redisProgram === undefined;
if (missing) process.stdout.write("skip: no Dapr programs or no redis-server, run `troupe doctor`\n");

describe.skipIf(missing && process.env["CI"] === undefined)("beside daprd", () => {
  let dir: string;
  let cluster: Cluster;
  let redis: RedisStore;
  let sidecar: Sidecar;
  let app: TestServer;
  let server: TestServer;
  const warnings: string[] = [];
  const log = { ...SILENT, warn: (facts: LogFacts, text: string) => void warnings.push(`${text} ${JSON.stringify(facts)}`) };

  beforeAll(async () => {
    if (binaries === undefined) throw new Error("CI must test with Dapr");
    dir = await mkdtemp(join(tmpdir(), "troupe-models-"));
    const resourcesDir = join(dir, "components");
    await mkdir(resourcesDir);
    redis = await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec" });
    const secretsFile = join(dir, "secrets.json");
    await writeFile(secretsFile, JSON.stringify({ openai: KEY }));
    await writeFile(join(resourcesDir, "vault.yaml"), component("vault", "secretstores.local.file", { secretsFile }));
    await writeFile(
      join(resourcesDir, "settings.yaml"),
      component("settings", "configuration.redis", { redisHost: redis.host, redisPassword: "" }),
    );
    cluster = await Cluster.start({ binaries, dir: join(dir, "dapr"), log: () => undefined });
    app = await startServer({ status: 200, headers: { "content-type": "application/json" }, body: "{}" });
    sidecar = await cluster.startSidecar({ appId: "models", appPort: Number(new URL(app.url).port), resourcesDir });
    await sidecar.waitReady(READY_MS);
    const reply = stream("", [{ choices: [{ index: 0, delta: { content: "Hello." }, finish_reason: "stop" }] }, "data: [DONE]\n\n"], {
      reply: {},
    });
    server = await startServer(reply.sent);
  }, START_MS);

  afterAll(async () => {
    await server?.stop();
    await app?.stop();
    await cluster?.stop();
    await redis?.stop();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  }, START_MS);

  const hostOf = (name: string): { readonly gateway: Gateway; readonly call: () => Promise<unknown> } => {
    const { settings, secret: read } = userValues({
      ...{ daprHost: "127.0.0.1", daprHttpPort: sidecar.httpPort, daprGrpcPort: sidecar.grpcPort, apiToken: undefined },
    });
    const model = configuration("settings", "fast-model", "first");
    const fast = openai({ model, baseUrl: server.url, apiKey: secret("vault", name), timeoutMs: 5_000 });
    const models = new Map([["fast", [fast]]]);
    const gateway = new Gateway({ system: "s", models, environment: { env: {}, secret: read }, clock: systemClock, log, settings });
    const signal = new AbortController().signal;
    const call = (): Promise<unknown> =>
      gateway
        .attempt({ model: "fast", request: REQUEST, inputTokensMax: 10, idempotencyKey: "k", signal })
        .catch((error: unknown) => error);
    return { gateway, call };
  };

  it("the key comes from the secret store, and the model from the configuration store while the host runs", async () => {
    const { gateway, call } = hostOf("openai");
    await gateway.start();
    expect(await call()).toMatchObject({ text: "Hello." });
    expect(server.received.at(-1)).toMatchObject({ headers: { authorization: `Bearer ${KEY}` }, body: { model: "first" } });
    expect(await ask(redis.port, "SET fast-model second\r\n")).toBe("+OK\r\n");
    await expect
      .poll(
        async () => {
          await call();
          return server.received.at(-1)?.body["model"];
        },
        { timeout: 3 * LIMITS.settingsReadMs, interval: 500 },
      )
      .toBe("second");
  });

  it("a secret that does not exist is told in one line, and faults the call", async () => {
    const { gateway, call } = hostOf("missing");
    await gateway.start();
    expect(warnings.filter((line) => line.includes("missing"))).toHaveLength(1);
    expect(await call()).toMatchObject({ code: "model.unknown", details: { sent: false } });
  });

  it("no secret is in a log", () => expect(warnings.join()).not.toContain(KEY));
});
