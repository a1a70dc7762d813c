/** @module What a starting host tries of its store and its reminders, and its answers while no sidecar can be used. */
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../actors/memory/store.ts";
import { requireFirstWrite, tryReminders } from "../../../actors/dapr/fitness.ts";
import type { Clock, InsertResult, Reminders } from "../../../actors/engine/ports.ts";
import { Fault } from "../../../runtime/faults.ts";
import { serveParty } from "./echo.ts";
import { FakeSidecar } from "./fake-sidecar.ts";

/** A store that takes every write, as one without first-write concurrency does. */
class ReplacingStore extends MemoryStore {
  override async insert(key: string, text: string): Promise<InsertResult> {
    await this.remove([key]);
    return super.insert(key, text);
  }
}

describe("the trial of the store", () => {
  test("a store that refuses the second write is fit, and keeps nothing of the trial", async () => {
    const store = new MemoryStore();
    await requireFirstWrite(store, "statestore", "trial");
    expect((await store.read(["trial"])).size).toBe(0);
  });

  test("a store that replaces what was written is refused by name", async () => {
    const trial = requireFirstWrite(new ReplacingStore(), "mystore", "trial");
    await expect(trial).rejects.toMatchObject({ code: "dapr.unfit", message: expect.stringContaining("mystore replaces a key") });
  });

  test.each(["before", "after"] as const)("a lost answer (%s the write) is read back, and is no verdict", async (lost) => {
    const store = new MemoryStore();
    store.loseNext(lost);
    const trial = requireFirstWrite(store, "statestore", "trial");
    if (lost === "after") await trial;
    else await expect(trial).rejects.toMatchObject({ code: "store.unavailable" });
  });
});

/** A clock on which a pause takes its time at once. */
let passedMs = 0;
const instant: Clock = {
  nowMs: () => passedMs,
  after: (delayMs, callback) => {
    passedMs += delayMs;
    queueMicrotask(callback);
    return () => undefined;
  },
};

class CountingReminders implements Reminders {
  readonly done: string[] = [];
  failing = 0;

  async set(): Promise<void> {
    if (this.failing > 0) {
      this.failing -= 1;
      throw new Fault("sidecar.unavailable", "no scheduler");
    }
    this.done.push("set");
  }

  async remove(): Promise<void> {
    this.done.push("removed");
  }
}

describe("the trial of reminders", () => {
  const actor = { type: "party.Directory", id: "root" };

  test("sets one and removes it", async () => {
    const reminders = new CountingReminders();
    const warned: unknown[] = [];
    await tryReminders({ reminders, actor, clock: instant, log: quiet(warned), stopped: () => false });
    expect(reminders.done).toEqual(["set", "removed"]);
    expect(warned).toEqual([]);
  });

  test("goes on trying, warns once, and says when they work again", async () => {
    const reminders = new CountingReminders();
    reminders.failing = 200;
    const said: unknown[] = [];
    await tryReminders({ reminders, actor, clock: instant, log: quiet(said), stopped: () => false });
    expect(said).toEqual([
      "reminders do not work; start the scheduler. A host that stops now is not woken by Dapr",
      "reminders can be set again",
    ]);
  });
});

function quiet(said: unknown[]) {
  const note = (_facts: object, message: string): void => void said.push(message);
  return { debug: () => undefined, info: note, warn: note, error: note };
}

describe("while the sidecar cannot be used", () => {
  test.each([
    ["1.17.4", "is Dapr 1.17.4: it is older than 1.18"],
    ["edge", "is Dapr edge: it cannot be read as a version"],
  ])("Dapr %s: each answer of the API says why", async (version, why) => {
    const sidecar = await FakeSidecar.start();
    sidecar.reply = ({ url }) =>
      url === "/v1.0/metadata"
        ? { status: 200, text: JSON.stringify({ id: "party", runtimeVersion: version, components: [] }) }
        : { status: 204 };
    const said: string[] = [];
    const { promise: waiting, resolve } = Promise.withResolvers<void>();
    const log = { ...quiet(said), warn: (_facts: object, message: string) => (said.push(message), resolve()) };
    const host = await serveParty(sidecar, log);
    try {
      await waiting;
      for (const [method, path] of [
        ["POST", "/tasks"],
        ["GET", "/processes"],
      ]) {
        const response = await fetch(`http://127.0.0.1:${host.port}${path}`, {
          method: method ?? "GET",
          ...(method === "POST" ? { headers: { "content-type": "application/json" }, body: '{"route":"echo","input":"x"}' } : {}),
        });
        expect(response.status).toBe(503);
        expect(await response.text()).toContain(why);
      }
    } finally {
      await host.stop();
      await sidecar.stop();
    }
  });
});
