/**
 * @module A canary of a prompt on two hosts beside real sidecars, its release in a file or in a configuration store: it is stopped by its
 * rule, both hosts go back to the stable version, and what has begun keeps its own, also over kill -9.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { findDapr, findRedis } from "../../cli/dapr/index.ts";
import { ask } from "../../cli/dapr/stores.ts";
import { ProcessPage } from "../../runtime/answers.ts";
import { StopsView } from "../../runtime/process-view.ts";
import { type GivenReleases, ReleasesView, type ReleaseView } from "../../runtime/release.ts";
import { shareOf } from "../../runtime/releases/choose.ts";
import { print } from "./random.ts";
import { World } from "./world.ts";

const TEST_MS = 240_000;
const END_MS = 60_000;
const IN_FORCE_MS = 15_000;
/** So long after the entry that breaks the rule, both hosts choose the stable version. */
const ROLLBACK_MS = 5_000;
const SHARE = 0.1;
const PROCESSES_MIN = 10;
const AT_ONCE = 8;
/** The model thinks so long in a process that begins with the canary and ends after its stop. */
const SLOW_MS = 20_000;
const V1 = "Thinker@v1/default";
const V2 = "Thinker@v2/default";

const able = (await findDapr()) !== undefined && (await findRedis()) !== undefined;
if (!able) print("skip: no Dapr programs or no redis-server");

/** A model that does worse when it is told to hurry: its first answer does not have the form. */
class HurriedModel {
  /** By idempotency key, in the order of the requests: whether the request tells to hurry. */
  readonly hurried = new Map<string, boolean[]>();
  readonly #server: Server;
  /** Processes whose first answer takes {@link SLOW_MS}. */
  readonly slow = new Set<string>();

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(String(request.headers["idempotency-key"]), text(request)).then((body) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
      response.on("error", () => {});
    });
  }

  static async start(): Promise<HurriedModel> {
    const made = new HurriedModel();
    await new Promise<void>((resolve) => made.#server.listen(0, "127.0.0.1", resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async #answer(key: string, sent: Promise<string>): Promise<object> {
    const body = await sent;
    const isHurried = body.includes("in a hurry");
    this.hurried.set(key, [...(this.hurried.get(key) ?? []), isHurried]);
    const { messages } = z.looseObject({ messages: z.array(z.unknown()) }).parse(JSON.parse(body));
    const isRepair = messages.length > 2;
    if (!isRepair && this.slow.has(key.slice(0, key.indexOf(":")))) await sleep(SLOW_MS);
    const content = isHurried && !isRepair ? "bought!" : JSON.stringify({ price: 0 });
    return {
      ...{ id: key, object: "chat.completion", model: "hurried-1", usage: { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 } },
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

type Kind = "file" | "configuration store";

describe.skipIf(!able).each<Kind>(["file", "configuration store"])("releases in a %s", (kind) => {
  let world: World;
  let provider: HurriedModel;
  let folder: string;

  afterEach(async () => {
    await world?.stop();
    await provider?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function release(given: GivenReleases | string): Promise<void> {
    const content = typeof given === "string" ? given : JSON.stringify(given);
    const file = join(folder, "releases.yaml");
    if (kind === "file") {
      await writeFile(`${file}.next`, content);
      return rename(`${file}.next`, file);
    }
    const sent = `*3\r\n$3\r\nSET\r\n$8\r\nreleases\r\n$${Buffer.byteLength(content)}\r\n${content}\r\n`;
    expect(await ask(world.storePort, sent)).toBe("+OK\r\n");
  }

  async function begin(given: GivenReleases): Promise<void> {
    provider = await HurriedModel.start();
    folder = await mkdtemp(join(tmpdir(), "troupe-releases-"));
    const place = kind === "file" ? join(folder, "releases.yaml") : "configuration:settings/releases";
    const env = { LIVE_MODEL_URL: provider.url, LIVE_RELEASES: place };
    world = await World.start({ profile: "redis", hosts: 2, seed: 1, hasSettings: true, env });
    await release(given);
  }

  async function answerOf(url: string, path: string, init?: RequestInit): Promise<unknown> {
    const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(END_MS), ...init });
    return answer.json();
  }

  const releasesOf = async (url: string): Promise<ReleasesView> => ReleasesView.parse(await answerOf(url, "/releases"));
  const thinkerOf = async (url: string): Promise<ReleaseView | undefined> =>
    (await releasesOf(url)).releases.find(({ agent }) => agent === "Thinker");
  const urls = (): string[] => world.hosts.map(({ url }) => url);
  const onBoth = <T>(look: (url: string) => Promise<T>): Promise<T[]> => Promise.all(urls().map(look));

  async function inForce(): Promise<void> {
    await expect
      .poll(() => onBoth(async (url) => (await thinkerOf(url))?.canary), { timeout: IN_FORCE_MS, interval: 100 })
      .toEqual(["in force", "in force"]);
  }

  async function submit(url: string, id: string): Promise<void> {
    const body = JSON.stringify({ id, route: "think", input: { process: id } });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/tasks`, { method: "POST", headers, body, signal: AbortSignal.timeout(END_MS) });
    expect(answer.status, await answer.text()).toBe(202);
  }

  async function ended(): Promise<Map<string, z.infer<typeof ProcessPage>["entries"][number]>> {
    const found = new Map<string, z.infer<typeof ProcessPage>["entries"][number]>();
    let cursor: string | undefined;
    do {
      const page = ProcessPage.parse(
        await answerOf(urls()[0] ?? "", `/processes?limit=100${cursor === undefined ? "" : `&cursor=${cursor}`}`),
      );
      for (const entry of page.entries) if (!entry.open) found.set(entry.id, entry);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found;
  }

  it(
    "a canary with a worse prompt is stopped by its rule, on both hosts, and nothing that began changes",
    { timeout: TEST_MS },
    async () => {
      const stop = [{ of: "repairs", above: 0.5, processesMin: PROCESSES_MIN }] as const;
      await begin({ Thinker: { stable: { prompt: "v1" }, canary: { version: { prompt: "v2" }, share: SHARE, stop: [...stop] } } });
      await inForce();

      const ids = Array.from({ length: 5_000 }, (_, index) => `t${index}`);
      const slow = ids.findLast((id) => shareOf("Thinker", id) < SHARE) ?? "";
      provider.slow.add(slow);
      await submit(urls()[0] ?? "", slow);

      const submitted: string[] = [];
      let stoppedAtMs = Infinity;
      let next = 0;
      const work = async (): Promise<void> => {
        while (Date.now() < stoppedAtMs + ROLLBACK_MS + 3_000) {
          const id = ids[next++] ?? "";
          submitted.push(id);
          await submit(urls()[next % 2] ?? "", id);
          await sleep(20);
        }
      };
      const watch = async (): Promise<void> => {
        for (;;) {
          const seen = await thinkerOf(urls()[1] ?? "");
          if (seen?.canary === "stopped") return void (stoppedAtMs = seen.stopped?.atMs ?? 0);
          await sleep(100);
        }
      };
      await Promise.all([watch(), ...Array.from({ length: AT_ONCE }, work)]);
      for (const id of [...submitted, slow])
        expect((await world.client.ended(id, Date.now() + END_MS))?.outcome?.status, id).toBe("completed");
      await expect.poll(async () => (await ended()).size, { timeout: END_MS }).toBe(submitted.length + 1);

      const entries = await ended();
      const canaries = [...entries.values()].filter(({ versions }) => versions === V2);
      const stables = [...entries.values()].filter(({ versions }) => versions === V1);
      expect(canaries.length + stables.length, "each process names one version").toBe(entries.size);
      for (const { id } of canaries) expect(shareOf("Thinker", id), id).toBeLessThan(SHARE);
      expect(canaries.every(({ repairs }) => repairs === 1)).toBe(true);
      expect(stables.every(({ repairs }) => repairs === undefined)).toBe(true);

      const atMs = canaries
        .filter(({ id }) => id !== slow)
        .map((entry) => entry.atMs)
        .sort((a, b) => a - b);
      const brokenAtMs = atMs[PROCESSES_MIN - 1] ?? Infinity;
      const last = Math.max(...canaries.map(({ acceptedAtMs }) => acceptedAtMs ?? 0));
      const after = stables.filter(({ id, acceptedAtMs = 0 }) => shareOf("Thinker", id) < SHARE && acceptedAtMs > last);
      expect(after.length, "processes of the share come after the stop").toBeGreaterThan(0);
      expect(stoppedAtMs - brokenAtMs).toBeLessThan(ROLLBACK_MS);
      expect(last - brokenAtMs, "no later process got the canary").toBeLessThan(ROLLBACK_MS);
      expect(entries.get(slow)).toMatchObject({ versions: V2, repairs: 1 });
      expect(entries.get(slow)?.atMs).toBeGreaterThan(stoppedAtMs);

      const views = await onBoth(thinkerOf);
      for (const view of views) expect(view).toMatchObject({ canary: "stopped", stopped: { by: "rule", atMs: stoppedAtMs } });
      const audit = JSON.stringify(await answerOf(urls()[0] ?? "", "/audit"));
      expect(audit.split("canary stopped")).toHaveLength(2);
      const { stops } = StopsView.parse(await answerOf(urls()[0] ?? "", `/processes/${slow}/stops`));
      expect(stops[0]?.calls?.filter(({ kind: of }) => of === "model").map(({ prompt }) => prompt)).toEqual(["v2", "v2"]);
      print(
        `canary in a ${kind}: ${entries.size} processes, ${canaries.length} with it; stopped ${stoppedAtMs - brokenAtMs} ms after the ` +
          `entry that broke the rule, the last one got it ${last - brokenAtMs} ms after it`,
      );
    },
  );

  it("what a work item uses is chosen once: kill -9 and another release change nothing", { timeout: TEST_MS }, async () => {
    await begin({ Thinker: { canary: { version: { prompt: "v2" }, share: 1 } } });
    await inForce();
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) provider.slow.add(id);
    await Promise.all(ids.map((id, index) => submit(urls()[index % 2] ?? "", id)));
    await expect.poll(() => provider.hurried.size, { timeout: END_MS }).toBe(ids.length);
    await Promise.all(world.hosts.map((host) => host.killApp()));
    await release({ Thinker: { stable: { prompt: "v1" } } });
    provider.slow.clear();
    for (const host of world.hosts) host.startApp();
    for (const host of world.hosts) await host.healthy();
    for (const id of ids) expect((await world.client.ended(id, Date.now() + END_MS))?.outcome?.status, id).toBe("completed");
    expect([...provider.hurried.values()].every((sent) => sent.every(Boolean))).toBe(true);
    expect(Math.max(...[...provider.hurried.values()].map((sent) => sent.length)), "a call was made again").toBe(2);
    await submit(urls()[0] ?? "", "later");
    expect((await world.client.ended("later", Date.now() + END_MS))?.outcome?.status).toBe("completed");
    await expect.poll(async () => (await ended()).get("later")?.versions).toBe(V1);
  });

  it("a content that cannot be used changes nothing, and is told on both hosts", { timeout: TEST_MS }, async () => {
    await begin({ Thinker: { stable: { prompt: "v2" } } });
    await expect.poll(() => onBoth(async (url) => (await thinkerOf(url))?.hash !== undefined)).toEqual([true, true]);
    await release("Thinker: { stable: { prompt: v3 } }");
    await expect
      .poll(() => onBoth(async (url) => (await releasesOf(url)).problem ?? ""))
      .toEqual([expect.stringContaining("no version v3"), expect.stringContaining("no version v3")]);
    expect(await onBoth(async (url) => (await thinkerOf(url))?.release.stable)).toEqual([{ prompt: "v2" }, { prompt: "v2" }]);
    expect(world.host.log()).toContain("release.invalid");
    await release("Thinker: { stable: { prompt: v1 } }");
    await expect.poll(() => onBoth(async (url) => (await thinkerOf(url))?.release.stable)).toEqual([{ prompt: "v1" }, { prompt: "v1" }]);
    expect(await onBoth(async (url) => (await releasesOf(url)).problem)).toEqual([undefined, undefined]);
  });
});
