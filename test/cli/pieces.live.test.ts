/** @module Two apps of one system on a real Dapr: pieces of a reply that one app receives reach a follower at the other one. */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { findDapr } from "../../cli/dapr/find.ts";
import { freePort } from "../../cli/dapr/ports.ts";
import { renderResources } from "../../cli/dapr/resources.ts";
import { findRedis, startRedis } from "../../cli/dapr/stores.ts";
import { connect } from "../../client/index.ts";
import { eachInFolder, startCommand } from "./command.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TEST_MS = 120_000;
const TASKS = 6;
/** So many words at this pause are received over several batches. */
const PAUSE_MS = 60;
const TEXT = Array.from({ length: 40 }, (_none, index) => `word${index}`).join(" ");
const TOKENS = { APP_API_TOKEN: "app-token", DAPR_API_TOKEN: "api-token" };

const binaries = await findDapr();
const redis = await findRedis();
if (binaries === undefined || redis === undefined) process.stdout.write("skip: no Dapr programs or no redis-server\n");

let dir = "";
eachInFolder((made) => (dir = made));

/** The module of an app: with the agent that thinks, or with the route alone. */
const source = (hostsWriter: boolean): string => `
import { agent, contract, model, openai, route, system } from ${JSON.stringify(join(ROOT, "agents/index.ts"))};
import { z } from ${JSON.stringify(join(ROOT, "node_modules/zod/index.js"))};
const Writer = contract("Writer", 1, { input: z.string(), output: z.string() });
const write = route("write", 1, z.string())
  .waitFor("go", z.literal(true))
  .to("text", Writer, ({ task }) => task)
  .output(({ text }) => text);
const writer = () => agent(Writer, model({ instructions: "Write." }));
export default ${
  hostsWriter
    ? `system("pair", { agents: [writer()], routes: [write], models: { default: openai({ model: "any" }) } })`
    : `system("pair", { agents: [], remote: [Writer], routes: [write] })`
};
`;

describe.skipIf(binaries === undefined || redis === undefined)("two apps", () => {
  test("a follower at one gets the pieces of a model at the other, on either host of the process", { timeout: TEST_MS }, async () => {
    const store = await startRedis({ dir: join(dir, "redis"), appendfsync: "everysec" });
    try {
      const resources = await renderResources("redis", { dir, redisHost: store.host });
      const [front, back] = [await freePort(), await freePort()];
      const app = (appID: string, appPort: number, file: string): object => ({
        ...{ appID, appDirPath: dir, appPort, env: TOKENS },
        command: [process.execPath, join(ROOT, "cli/app.ts"), file],
      });
      await writeFile(join(dir, "front.ts"), source(false));
      await writeFile(join(dir, "back.ts"), source(true));
      await writeFile(join(dir, "model.script.yaml"), stringify({ rules: [{ reply: { text: TEXT, pieceDelayMs: PAUSE_MS } }] }));
      const apps = [app("front", front, "front.ts"), app("back", back, "back.ts")];
      const configFilePath = join(ROOT, "components/configuration.yaml");
      await writeFile(join(dir, "dapr.yaml"), stringify({ version: 1, common: { resourcesPaths: [resources], configFilePath }, apps }));
      const run = await startCommand(dir, ["up", "-f", "dapr.yaml"]);
      await run.until("No OPENAI_API_KEY: the scripted model answers, from model.script.yaml.");
      await run.until(`front is up at http://127.0.0.1:${front}`);
      const client = connect({ url: `http://127.0.0.1:${front}`, token: TOKENS.APP_API_TOKEN, patienceMs: 20_000 });
      await Promise.all(
        Array.from({ length: TASKS }, async (_none, index) => {
          const id = `t-${index}`;
          await client.submit("write", "go on", { id });
          let text = "";
          let pieces = 0;
          for await (const event of client.follow(id, { deltas: true })) {
            if (event.kind === "line" && event.line.what.includes("wait")) await client.signal(id, "go", true);
            if (event.kind !== "delta") continue;
            text += event.delta.text ?? "";
            pieces += 1;
          }
          // The last batch may come after the outcome.
          expect(TEXT.startsWith(text), text).toBe(true);
          expect(text.length, run.text()).toBeGreaterThan(TEXT.length / 2);
          expect(pieces).toBeGreaterThan(3);
        }),
      );
    } finally {
      await store.stop();
    }
  });
});
