/** @module Releases on two hosts: what has begun keeps its version over a death, and a stop holds everywhere. */
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, contract, model, openai, route, system } from "../../agents/index.ts";
import type { ReleaseSource } from "../../actors/engine/ports.ts";
import type { GivenReleases } from "../../runtime/release.ts";
import { LIMITS } from "../../runtime/limits.ts";
import { AuditPage } from "../../runtime/answers.ts";
import { CALLER, World } from "../actors/world-rig.ts";
import { FakeModels, replyOf } from "../actors/model-rig.ts";
import { flush } from "../actors/engine-rig.ts";

const In = z.object({ n: z.int() });
const Thinker = contract("Thinker", 1, { input: In, output: z.object({ text: z.string() }) });
const main = route("main", 1, In)
  .to("think", Thinker, ({ task }) => task)
  .output(({ think }) => think);
const CANARY = { version: { prompt: "v2" }, share: 1, stop: [{ of: "repairs", above: 0.5, processesMin: 1 }] } as const;

let world: World;
let models: FakeModels;
let releases: GivenReleases;
/** Called when the instructions of the second version are made: after the choice, before the first call. */
let hurried: () => void;

const source: ReleaseSource = {
  ...{ from: "file", place: "releases.yaml" },
  read: async () => JSON.stringify(releases),
  parse: (text): unknown => JSON.parse(text),
};

const thinker = agent(
  Thinker,
  model({
    instructions: {
      v1: "Think.",
      v2: () => {
        hurried();
        return "Think in a hurry.";
      },
    },
    prompt: "v1",
  }),
);
const sys = system("sys", {
  agents: [thinker],
  routes: [main],
  models: { fast: openai({ model: "fast", baseUrl: "http://127.0.0.1:1/v1" }) },
});

beforeEach(() => {
  world = new World();
  models = new FakeModels();
  models.answer = () => replyOf('{"text":"so"}');
  world.models = models;
  world.releases = source;
  hurried = () => {};
  releases = { Thinker: { canary: { ...CANARY, stop: [...CANARY.stop] } } };
});

async function ended(id: string, at: number): Promise<string | undefined> {
  const { operations } = world.members[at] ?? {};
  for (let seconds = 0; seconds < 120; seconds += 1) {
    const status = await operations?.process(id).then(
      ({ outcome }) => outcome?.status,
      () => undefined,
    );
    if (status !== undefined) return status;
    await world.clock.advance(1_000);
  }
  return undefined;
}

describe("two hosts", () => {
  it("a host that dies between the choice and the first call: the next one uses what was chosen", async () => {
    const [a, b] = [world.join(sys, "a"), world.join(sys, "b")];
    await Promise.all([a.operations.releasing.look(), b.operations.releasing.look()]);
    hurried = () => a.kill();
    await a.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    await flush();
    expect(models.attempts).toHaveLength(0);
    hurried = () => {};
    releases = {};
    await b.operations.releasing.look();
    expect(b.host.releases.choose(thinker, "p")).toMatchObject({ prompt: "v1", part: "code" });
    expect(await ended("p", 1)).toBe("completed");
    expect(models.attempts).toHaveLength(1);
    expect(JSON.stringify(models.attempts[0]?.request.messages)).toContain("in a hurry");
  });

  it("both find a rule broken at once: one stop, one line of the audit for it, one notification", async () => {
    models.answer = (_attempt, count) => replyOf(count === 1 ? "so!" : '{"text":"so"}');
    const [a, b] = [world.join(sys, "a"), world.join(sys, "b")];
    await Promise.all([a.operations.releasing.look(), b.operations.releasing.look()]);
    await a.operations.submit({ id: "p", route: "main", input: { n: 1 } }, CALLER, 0);
    expect(await ended("p", 0)).toBe("completed");
    await world.clock.advance(1_000);
    await Promise.all([a.operations.releasing.look(), b.operations.releasing.look()]);
    await flush();
    const views = [a, b].map(({ operations }) => operations.releases().releases[0]);
    expect(views[0]).toMatchObject({
      canary: "stopped",
      stopped: { by: "rule" },
      counts: [{ processes: 0 }, { processes: 1, of: { repairs: 1 } }],
    });
    expect(views[1]?.stopped).toEqual(views[0]?.stopped);
    expect(world.notifications.filter((one) => one.startsWith("sys.releases"))).toHaveLength(1);
    const { entries } = AuditPage.parse(await a.operations.audit(undefined, 10));
    expect(entries.filter(({ what }) => what === "canary stopped")).toMatchObject([{ who: "rule", target: "Thinker" }]);
    expect([a, b].map(({ host }) => host.releases.choose(thinker, "later")?.part)).toEqual(["stable", "stable"]);
  });

  it("a stop counts on the other host with its next look, and a later stop does not replace it", async () => {
    const [a, b] = [world.join(sys, "a"), world.join(sys, "b")];
    await Promise.all([a.operations.releasing.look(), b.operations.releasing.look()]);
    await a.operations.stopRelease("Thinker", "too many repairs", CALLER);
    expect(b.host.releases.choose(thinker, "p")?.part).toBe("canary");
    await b.operations.releasing.look();
    expect(b.host.releases.choose(thinker, "p")?.part).toBe("stable");
    const view = await b.operations.stopRelease("Thinker", "again", CALLER);
    expect(view.stopped).toMatchObject({ by: "anonymous", why: "too many repairs" });
  });

  it("a host that cannot look for longer than it may believe chooses stable until it can", async () => {
    const a = world.join(sys, "a");
    a.operations.releasing.start();
    await flush();
    expect(a.host.releases.choose(thinker, "p")?.part).toBe("canary");
    a.operations.releasing.end();
    await world.clock.advance(LIMITS.releaseTrustMs + 1);
    expect(a.host.releases.choose(thinker, "p")?.part).toBe("stable");
    await a.operations.releasing.look();
    expect(a.host.releases.choose(thinker, "p")?.part).toBe("canary");
  });

  it("a host that has just started chooses stable before it has read the stops", () => {
    const a = world.join(sys, "a");
    expect(a.host.releases.choose(thinker, "p")?.part).toBe("code");
    expect(a.operations.releases().releases[0]).toMatchObject({ from: "code", canary: "none" });
  });
});
