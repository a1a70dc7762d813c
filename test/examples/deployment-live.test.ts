/** @module Two apps of one system on a real Dapr: each hosts an agent, they share contracts, a Redis and nothing else. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { findDapr } from "../../cli/dapr/find.ts";
import { freePort } from "../../cli/dapr/ports.ts";
import { renderResources } from "../../cli/dapr/resources.ts";
import { findRedis, startRedis } from "../../cli/dapr/stores.ts";
import { headersOf, processesOf, startCommand, testFolder } from "../cli/command.ts";
import { ROOT } from "./readme.ts";

const TEST_MS = 120_000;
const POLL_MS = 100;
const TASKS_COUNT = 20;
const binaries = await findDapr();
const redis = await findRedis();
if (binaries === undefined || redis === undefined) process.stdout.write("skip: no Dapr programs or no redis-server\n");

async function submit(dir: string, url: string, id: string): Promise<unknown> {
  for (;;) {
    const response = await fetch(`${url}/tasks?waitMs=30000`, {
      method: "POST",
      headers: headersOf(dir),
      body: JSON.stringify({ id, route: "publish", input: { text: id } }),
    });
    if (response.status !== 503) return response.json();
    await sleep(POLL_MS);
  }
}

test.skipIf(binaries === undefined || redis === undefined)(
  "tasks travel over both apps, and an ask comes back from the other one",
  { timeout: TEST_MS },
  async () => {
    const { dir, remove } = await testFolder();
    const store = await startRedis({ dir: join(dir, "redis"), appendfsync: "always" });
    try {
      const resources = await renderResources("redis", { dir, redisHost: store.host });
      const app = async (appID: string, file: string): Promise<{ readonly appPort: number } & Record<string, unknown>> => ({
        appID,
        appDirPath: ROOT,
        appPort: await freePort(),
        daprHTTPPort: await freePort(),
        command: [process.execPath, "cli/app.ts", file],
      });
      const [one, two] = [await app("one", "test/examples/magazine/one.ts"), await app("two", "test/examples/magazine/two.ts")];
      const health = {
        enableAppHealthCheck: true,
        appHealthCheckPath: "/healthz",
        appHealthProbeInterval: 1,
        appHealthProbeTimeout: 500,
        appHealthThreshold: 3,
      };
      await writeFile(
        join(dir, "dapr.yaml"),
        stringify({
          version: 1,
          common: { resourcesPaths: [resources], configFilePath: join(ROOT, "components/configuration.yaml"), ...health },
          apps: [one, two],
        }),
      );
      const run = await startCommand(dir, ["up", "-f", "dapr.yaml"]);
      await run.until(`http://127.0.0.1:${one.appPort}`);
      await run.until(`http://127.0.0.1:${two.appPort}`);
      const url = `http://127.0.0.1:${one.appPort}`;
      const outcomes = await Promise.all(Array.from({ length: TASKS_COUNT }, (_, index) => submit(dir, url, `task-${index}`)));
      expect(outcomes).toEqual(
        outcomes.map((_, index): unknown =>
          expect.objectContaining({ status: "completed", output: `a caption, written; task-${index}, written, painted` }),
        ),
      );
      process.kill(run.child.pid, "SIGINT");
      expect(await run.child.exited, run.text()).toEqual({ code: 0, signal: null });
    } finally {
      await store.stop();
      for (const { pid } of processesOf(dir)) process.kill(pid, "SIGKILL");
      await remove();
    }
  },
);
