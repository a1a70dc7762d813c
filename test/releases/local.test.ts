/** @module Releases in a local system: what each work item gets, what is told of it, and how a canary is stopped. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, contract, model, route, system } from "../../agents/index.ts";
import type { System } from "../../agents/system.ts";
import type { ModelRequest } from "../../runtime/model/conversation.ts";
import { shareOf } from "../../runtime/releases/choose.ts";
import { type FakeModel, fakeModel, type LocalSystem, startLocal, type StartLocalOptions } from "../../testing/index.ts";

const Claim = z.object({ order: z.string() });
const Refunds = contract("Refunds", 1, { input: Claim, output: z.object({ paid: z.int() }) });
const Writer = contract("Writer", 1, { input: Claim, output: z.string() });

const refunds = agent(
  Refunds,
  model({ instructions: { v1: "Refund it.", v2: ({ order }) => `Refund ${order} in a hurry.` }, prompt: "v1" }),
);
const writer = agent(Writer, model({ instructions: { a: "Write.", b: "Write well." }, prompt: "a", model: "small" }));
const refund = route("refund", 1, Claim)
  .to("done", Refunds, ({ task }) => task)
  .output(({ done }) => done);
const twice = route("twice", 1, Claim)
  .to("first", Refunds, ({ task }) => task)
  .to("nested", refund, ({ task }) => task)
  .output(({ first }) => first);

const desk: System = system("desk", {
  agents: [refunds, writer],
  routes: [refund, twice],
  models: { default: fakeModel(() => ""), small: fakeModel(() => "") },
});

const isHurried = ({ messages }: ModelRequest): boolean => JSON.stringify(messages).includes("in a hurry");
/** Under the second version it answers without the form, and needs a repair. */
const sloppy: FakeModel = (request) => {
  const isRepair = request.messages.length > 2;
  return isHurried(request) && !isRepair ? "paid!" : '{"paid":1}';
};

const V2 = { version: { prompt: "v2" }, share: 0.1 };

async function within<T>(options: StartLocalOptions, use: (local: LocalSystem) => Promise<T>): Promise<T> {
  const local = startLocal(desk, { models: { default: fakeModel(sloppy) }, ...options });
  try {
    return await use(local);
  } finally {
    await local.stop();
  }
}

const isCanary = (id: string): boolean => shareOf("Refunds", id) < V2.share;
const ids = (count: number, wanted: (id: string) => boolean = () => true): string[] =>
  Array.from({ length: 2_000 }, (_, index) => `task-${index}`)
    .filter(wanted)
    .slice(0, count);

async function versionOf(local: LocalSystem, id: string): Promise<string | undefined> {
  return (await local.list()).find((entry) => entry.id === id)?.versions;
}

describe("without a release", () => {
  it("the version of the code is used and named in calls and summary", () =>
    within({}, async (local) => {
      await local.run(refund, { order: "7" }, { id: "one" });
      expect(await versionOf(local, "one")).toBe("Refunds@v1/default");
      const { stops } = await local.stops("one");
      expect(stops[0]?.calls?.[0]).toMatchObject({ kind: "model", name: "default", prompt: "v1" });
      expect(await local.releases()).toMatchObject({
        releases: [
          {
            agent: "Refunds",
            prompts: ["v1", "v2"],
            from: "code",
            release: { stable: { prompt: "v1", model: "default" } },
            canary: "none",
          },
          { agent: "Writer", prompts: ["a", "b"], from: "code", release: { stable: { prompt: "a", model: "small" } }, canary: "none" },
        ],
      });
    }));
});

describe("with a canary", () => {
  it("its share of the processes gets it, by the hash of their ids", () =>
    within({ releases: { Refunds: { canary: V2 } } }, async (local) => {
      for (const id of ids(40)) await local.run(refund, { order: "7" }, { id });
      const versions = new Map((await local.list()).map(({ id, versions: used }) => [id, used]));
      expect(versions.size).toBe(40);
      for (const [id, used] of versions) expect(used).toBe(isCanary(id) ? "Refunds@v2/default" : "Refunds@v1/default");
      const [release] = (await local.releases()).releases;
      const canaries = ids(40).filter(isCanary).length;
      expect(release).toMatchObject({ from: "code", canary: "in force", broken: [] });
      expect(release?.counts).toEqual([
        { part: "stable", version: "v1/default", processes: 40 - canaries, of: {} },
        { part: "canary", version: "v2/default", processes: canaries, of: { repairs: canaries } },
      ]);
    }));

  it("a nested route and its root see one version", () =>
    within({ releases: { Refunds: { canary: V2 } } }, async (local) => {
      const [id = ""] = ids(1, isCanary);
      await local.run(twice, { order: "7" }, { id });
      const used = (await local.list()).map(({ versions }) => versions);
      expect(used).toEqual(["Refunds@v2/default", "Refunds@v2/default"]);
    }));

  it("the model of a release takes the place of the first one", () =>
    within(
      {
        models: { default: fakeModel(() => '{"paid":1}'), small: fakeModel(() => '{"paid":2}') },
        releases: { Refunds: { stable: { model: "small" } } },
      },
      async (local) => {
        expect((await local.run(refund, { order: "7" }, { id: "one" })).output).toEqual({ paid: 2 });
        expect(await versionOf(local, "one")).toBe("Refunds@v1/small");
      },
    ));

  it("a task that timed out is counted too", () => {
    const hangs: FakeModel = (request) => (isHurried(request) ? new Promise(() => {}) : '{"paid":1}');
    return within({ models: { default: fakeModel(hangs) }, releases: { Refunds: { canary: V2 } } }, async (local) => {
      const [id = ""] = ids(1, isCanary);
      const { status } = await local.run(refund, { order: "7" }, { id, timeoutMs: 1_000 });
      expect(status).toBe("expired");
      expect(await versionOf(local, id)).toBe("Refunds@v2/default");
    });
  });
});

describe("a rule for stopping", () => {
  const stop = [{ of: "repairs", above: 0.5, processesMin: 5 }] as const;

  it("that is broken stops the canary: new processes get stable, and what was told of it stays", () =>
    within({ releases: { Refunds: { canary: { ...V2, stop: [...stop] } } } }, async (local) => {
      const canaries = ids(8, isCanary);
      for (const id of canaries) await local.run(refund, { order: "7" }, { id });
      const [release] = (await local.releases()).releases;
      const why = "repairs is 1 per process in 5 processes of the canary, above 0.5";
      expect(release).toMatchObject({ canary: "stopped", stopped: { by: "rule", why } });
      const used = new Map((await local.list()).map(({ id, versions }) => [id, versions]));
      expect(canaries.map((id) => used.get(id))).toEqual([
        ...Array.from({ length: 5 }, () => "Refunds@v2/default"),
        ...Array.from({ length: 3 }, () => "Refunds@v1/default"),
      ]);
    }));

  it("only tells, where no stop without a person is wanted", () =>
    within({ releases: { Refunds: { canary: { ...V2, stop: [...stop], automatic: false } } } }, async (local) => {
      for (const id of ids(6, isCanary)) await local.run(refund, { order: "7" }, { id });
      const [release] = (await local.releases()).releases;
      expect(release).toMatchObject({ canary: "in force", broken: ["repairs is 1 per process in 6 processes of the canary, above 0.5"] });
      await local.stopRelease("Refunds", "enough");
      expect((await local.releases()).releases[0]).toMatchObject({ canary: "stopped", stopped: { by: "local", why: "enough" } });
    }));

  it("stays broken for the same release, and a changed one begins anew", () =>
    within({ releases: { Refunds: { canary: { ...V2, stop: [...stop] } } } }, async (local) => {
      await local.run(refund, { order: "7" }, { id: "first" });
      const stopped = await local.stopRelease("Refunds", "no");
      expect(stopped.canary).toBe("stopped");
      expect((await local.releases({})).releases[0]).toMatchObject({ canary: "none", from: "code" });
      expect((await local.releases({ Refunds: { canary: { ...V2, stop: [...stop] } } })).releases[0]?.canary).toBe("stopped");
      const [anew] = (await local.releases({ Refunds: { canary: { ...V2, share: 0.2, stop: [...stop] } } })).releases;
      expect(anew).toMatchObject({ canary: "in force", counts: [{ processes: 0 }, { processes: 0 }] });
    }));

  it("is swapped for the stable version without a restart", () =>
    within({ releases: { Refunds: { canary: { ...V2, share: 1 } } } }, async (local) => {
      await local.run(refund, { order: "7" }, { id: "blue" });
      await local.releases({ Refunds: { stable: { prompt: "v2" } } });
      await local.run(refund, { order: "7" }, { id: "green" });
      await local.releases({ Refunds: { stable: { prompt: "v1" } } });
      await local.run(refund, { order: "7" }, { id: "back" });
      const used = new Map((await local.list()).map(({ id, versions }) => [id, versions]));
      expect([used.get("blue"), used.get("green"), used.get("back")]).toEqual([
        "Refunds@v2/default",
        "Refunds@v2/default",
        "Refunds@v1/default",
      ]);
    }));

  it("cannot be pulled where there is no canary", () =>
    within({}, async (local) => {
      await expect(local.stopRelease("Refunds", "no")).rejects.toMatchObject({ code: "release.unknown" });
    }));
});

it("releases that name what the system does not have are refused", () =>
  within({ releases: { Refund: {} } }, async (local) => {
    await expect(local.run(refund, { order: "7" })).rejects.toThrow("Refund: the system has no agent of this name");
  }));
