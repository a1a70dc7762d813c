/** @module Ids in reserve: who reserves how many, what begins with them, what others see of them, and what becomes of the rest. */
import { describe, expect, test } from "vitest";
import { SystemOperations } from "../../actors/operations/system-operations.ts";
import { entriesOf, entryIn, INDEX_ROOT } from "../../runtime/index-actor.ts";
import { Fault } from "../../runtime/faults.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { IndexEntry } from "../../runtime/protocol/bodies.ts";
import { flush } from "./engine-rig.ts";
import { type Handle, systemOf } from "./slow-rig.ts";
import { CALLER, gate, World } from "./world-rig.ts";

const IN_ROW_COUNT = 8 * LIMITS.tasksPerReservedId;
const WAIT_MS = 60_000;

interface Rig {
  readonly world: World;
  readonly one: World["members"][number];
  /** Ids in the order in which they were made. */
  readonly made: string[];
  /** Submits a task without an id, and waits for its outcome. */
  readonly submit: (principal?: typeof CALLER.principal) => Promise<unknown>;
  /** The entry of an id in the index of processes. */
  readonly entry: (id: string, at?: Rig["one"]) => Promise<IndexEntry | undefined>;
}

function rigOf(handle: Handle = async (name) => name, openMax?: number): Rig {
  const world = new World();
  const system = systemOf("one", handle);
  const one = world.join(system, "one", openMax);
  const made: string[] = [];
  const newId = (): string => {
    made.push(`made-${made.length + 1}`);
    return made.at(-1) ?? "";
  };
  const operations = new SystemOperations({ system, ports: world.portsOf(one, "one"), host: one.host, newId });
  const entry: Rig["entry"] = async (id, at = one) => {
    const index = at.host.indexEngine("Directory");
    for (const bucket of entriesOf((await index.fresh(INDEX_ROOT)).state)) {
      const found = entryIn((await index.fresh(bucket.id)).state, id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    ...{ world, one, made, entry },
    submit: (principal = CALLER.principal) => operations.submit({ route: "main", input: { n: 1 } }, { principal }, WAIT_MS),
  };
}

/** Submits tasks one after the other. */
async function submitInRow({ world, submit }: Rig, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    let isOver = false;
    void submit().then(() => (isOver = true));
    for (let round = 0; round < 50 && !isOver; round += 1) await world.clock.advance(LIMITS.reserveLingerMs);
    expect(isOver).toBe(true);
  }
}

async function reservedOf({ made, entry }: Rig): Promise<readonly string[]> {
  const entries = await Promise.all(made.map((id) => entry(id)));
  return made.filter((_id, index) => entries[index]?.facts["status"] === "reserved");
}

/** The processes that a list shows. */
async function idsOf({ one }: Rig, filter: Parameters<typeof one.operations.processes>[0]): Promise<readonly string[]> {
  const { entries } = await one.operations.processes(filter, undefined, LIMITS.pageEntriesMax);
  return entries.map((entry) => (entry as unknown as { readonly id: string }).id);
}

/** A rig with a reserve. */
async function ready(handle?: Handle, openMax?: number): Promise<Rig> {
  const rig = rigOf(handle, openMax);
  await rig.world.clock.advance(LIMITS.hostLeaseMs);
  await submitInRow(rig, IN_ROW_COUNT);
  return rig;
}

/** The same; the handlers of its host do not end from now on. */
async function readyAndHeld(openMax?: number): Promise<Rig> {
  const never = gate<string>();
  let isHeld = false;
  const rig = await ready(async (name) => (isHeld ? never.promise : name), openMax);
  isHeld = true;
  return rig;
}

describe("a host reserves ids", () => {
  test("in proportion to the tasks that came one after the other, and not for few", async () => {
    const rig = rigOf();
    await rig.world.clock.advance(LIMITS.hostLeaseMs);
    await submitInRow(rig, LIMITS.tasksPerReservedId - 1);
    expect(rig.made).toHaveLength(LIMITS.tasksPerReservedId - 1);
    await submitInRow(rig, IN_ROW_COUNT);
    await rig.world.clock.advance(LIMITS.indexLingerMs);
    const reserved = await reservedOf(rig);
    expect(reserved.length).toBeGreaterThan(0);
    expect(reserved.length).toBeLessThanOrEqual(IN_ROW_COUNT / LIMITS.tasksPerReservedId);
    expect(reserved.every((id) => rig.world.store.keys(`sys/sys.ProcessManager/${id}/`).length === 0)).toBe(true);
  });

  test("never more than reservedIdsMax", async () => {
    const rig = rigOf();
    await rig.world.clock.advance(LIMITS.hostLeaseMs);
    for (let round = 0; round < 3; round += 1) await submitInRow(rig, LIMITS.reservedIdsMax * LIMITS.tasksPerReservedId);
    expect((await reservedOf(rig)).length).toBeLessThanOrEqual(LIMITS.reservedIdsMax);
  });

  test("not after a pause, nor without a lease, nor for a tenant", async () => {
    const rig = rigOf();
    await rig.world.clock.advance(LIMITS.hostLeaseMs);
    for (let at = 0; at < 2 * LIMITS.tasksPerReservedId; at += 1) {
      await submitInRow(rig, 1);
      await rig.world.clock.advance(LIMITS.reservePauseMs);
    }
    expect(await reservedOf(rig)).toEqual([]);
    for (let at = 0; at < IN_ROW_COUNT; at += 1) {
      void rig.submit({ ...CALLER.principal, tenant: "acme" });
      await flush();
    }
    expect(await reservedOf(rig)).toEqual([]);
    rig.one.host.watch.stop();
    await rig.world.clock.advance(LIMITS.hostDeadMs);
    await submitInRow(rig, IN_ROW_COUNT);
    expect(await reservedOf(rig)).toEqual([]);
  });
});

describe("a process that begins with an id in reserve", () => {
  test("writes its own record first, and its end is all that the index learns if it comes soon", async () => {
    const rig = await ready();
    const [next = ""] = await reservedOf(rig);
    const before = rig.world.store.keys("sys/sys.Directory/").length;
    const outcome = rig.submit();
    await flush();
    expect(await outcome).toMatchObject({ receipt: { id: next }, outcome: { status: "completed" } });
    expect(rig.world.store.keys("sys/sys.Directory/")).toHaveLength(before);
    await rig.world.clock.advance(2 * LIMITS.indexLingerMs + LIMITS.takenLingerMs);
    expect(await rig.entry(next)).toMatchObject({ open: false, facts: { route: "main", status: "completed", run: 1 } });
  });

  test("is shown by its entry when it lasts", async () => {
    const rig = await readyAndHeld();
    const [next = ""] = await reservedOf(rig);
    void rig.submit();
    const listed = (): Promise<readonly string[]> => idsOf(rig, { state: "open" });
    // What is only in reserve is no process.
    expect(await listed()).toEqual([]);
    await rig.world.clock.advance(2 * LIMITS.takenLingerMs);
    expect(await listed()).toEqual([next]);
    expect(await rig.entry(next)).toMatchObject({ open: true, facts: { route: "main", host: rig.one.host.watch.incarnation, at: 1 } });
  });

  test("is taken over when its host dies before its entry shows it", async () => {
    const rig = await readyAndHeld();
    const two = rig.world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    await rig.world.clock.advance(LIMITS.hostLeaseMs);
    const reserved = await reservedOf(rig);
    void rig.submit();
    await flush();
    rig.one.kill();
    expect(await rig.world.until(two, reserved[0] ?? "")).toMatchObject({ status: "completed", output: { by: "two" } });
    await rig.world.clock.advance(LIMITS.clockDriftMsMax + LIMITS.hostDeadMs);
    // No host can use the others now.
    for (const id of reserved.slice(1)) expect(await rig.entry(id, two)).toMatchObject({ open: false, facts: { status: "void" } });
  });
});

describe("a process that begins with an id in reserve", () => {
  test("is shown also if it was prepared twice, because the first time failed", async () => {
    const rig = await readyAndHeld();
    const [next = ""] = await reservedOf(rig);
    const insert = rig.world.store.insert.bind(rig.world.store);
    rig.world.store.insert = async (key, text) => {
      if (key.includes(`/${next}/`)) throw new Fault("sidecar.unavailable", "away");
      return insert(key, text);
    };
    void rig.submit();
    await flush();
    rig.world.store.insert = insert;
    await rig.world.clock.advance(LIMITS.recordRetryMsMin + 2 * LIMITS.takenLingerMs);
    expect(await idsOf(rig, { state: "open" })).toEqual([next]);
  });
});

describe("what is in reserve", () => {
  test("needs one timer, however often it is used up and filled again", async () => {
    const rig = await ready();
    const before = rig.world.clock.pending;
    for (let round = 0; round < 50; round += 1) {
      void rig.one.host.processes.reserved.giveUpAll();
      const reserving = rig.one.host.processes.reserved.reserve(`again-${round}`);
      await rig.world.clock.advance(LIMITS.reserveLingerMs);
      await reserving;
    }
    expect(rig.world.clock.pending).toBeLessThanOrEqual(before + 1);
  });

  test("is given up by a host that stops, and no other host has to look for it", async () => {
    const rig = await ready();
    const reserved = await reservedOf(rig);
    const stopping = rig.one.host.stop(0);
    await rig.world.clock.advance(LIMITS.hostLeaseMs);
    await stopping;
    const two = rig.world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    for (const id of reserved) expect(await rig.entry(id, two)).toMatchObject({ open: false, facts: { status: "void" } });
    expect(reserved.flatMap((id) => rig.world.store.keys(`sys/sys.ProcessManager/${id}/`))).toEqual([]);
  });

  test("is given up when it was not used soon: its entry is closed, and no list or change tells of it", async () => {
    const rig = await ready();
    const reserved = await reservedOf(rig);
    await rig.world.clock.advance(LIMITS.reservedIdMs + LIMITS.indexLingerMs);
    for (const id of reserved) expect(await rig.entry(id)).toMatchObject({ open: false, facts: { status: "void" } });
    expect((await idsOf(rig, {})).filter((id) => reserved.includes(id))).toEqual([]);
    const outcome = rig.submit();
    await rig.world.clock.advance(LIMITS.reserveLingerMs);
    expect(reserved).not.toContain(((await outcome) as { readonly receipt: { readonly id: string } }).receipt.id);
  });

  test("is left alone by a host that starts", async () => {
    const rig = await ready();
    const [next = ""] = await reservedOf(rig);
    const two = rig.world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    await two.host.start();
    await flush();
    expect(await rig.submit()).toMatchObject({ receipt: { id: next, run: 1 }, outcome: { status: "completed" } });
  });

  test("is not used by a host that was thought dead", async () => {
    const rig = await ready();
    const reserved = await reservedOf(rig);
    const two = rig.world.join(
      systemOf("two", async (name) => name),
      "two",
    );
    await two.host.start();
    rig.one.freeze();
    await rig.world.clock.advance(2 * LIMITS.hostDeadMs);
    rig.one.thaw();
    const outcome = rig.submit();
    await rig.world.clock.advance(2 * LIMITS.hostLeaseMs);
    const { receipt } = (await outcome) as { readonly receipt: { readonly id: string } };
    expect(reserved).not.toContain(receipt.id);
  });

  test("is not given to a task that the host refuses because it is full", async () => {
    const rig = await readyAndHeld(1);
    void rig.submit();
    await flush();
    const before = await reservedOf(rig);
    expect(before.length).toBeGreaterThan(0);
    await expect(rig.submit()).rejects.toMatchObject({ code: "system.overloaded" });
    expect(await reservedOf(rig)).toEqual(before);
  });
});
